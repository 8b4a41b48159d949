#!/bin/sh
# foreign.sh ARCH DIR: build for another kind of machine in DIR, and run its tests here: s390x, whose
# words begin with the high byte, in QEMU; i386, whose words have 32 bits, as it is. Only programs in
# C: what a script starts would not find its libraries. Not the pasted kernel functions: each of 22
# has an array of all pages, for which 32 bits of addresses, and QEMU's memory, are too small.
# Debian's libraries are unpacked in DIR, so that the packages of this machine stay as they are.
set -eu
cd "$(dirname "$0")/.."
arch=$1 dir=$2
case $arch in
s390x) triplet=s390x-linux-gnu family=s390x cpu=s390x endian=big libs=s390x-linux-gnu ;;
i386) triplet=i686-linux-gnu family=x86 cpu=i686 endian=little libs=i386-linux-gnu ;;
*) echo "foreign.sh: $arch is neither s390x nor i386" >&2 && exit 2 ;;
esac

sh tools/packages.sh "gcc-$triplet" "g++-$triplet" qemu-user meson pkg-config xz-utils

rm -rf "$dir"
mkdir -p "$dir/lists/partial" "$dir/archives/partial"
dir=$(cd "$dir" && pwd)
root=$dir/root
apt() {
	apt-get -q -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" \
		-o "Dir::State::lists=$dir/lists" -o "Dir::Cache::archives=$dir/archives" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root "$@"
}
# An index that cannot be had matters only if a package was in it.
apt update >"$dir/apt.log" 2>&1 || :
if ! (cd "$dir/archives" && apt download libcmocka0 libcmocka-dev libjson-c5 libjson-c-dev) \
	>>"$dir/apt.log" 2>&1; then
	tail -n 20 "$dir/apt.log" >&2
	exit 1
fi
for package in "$dir"/archives/*.deb; do
	dpkg-deb -x "$package" "$root"
done

# i386 by its own loader, at full speed
case $arch in
s390x) run="'qemu-s390x', '-L', '/usr/$triplet', '-E', 'LD_LIBRARY_PATH=$root/usr/lib/$libs'" ;;
i386) run="'/usr/$triplet/lib/ld-linux.so.2', '--library-path', '/usr/$triplet/lib:$root/usr/lib/$libs'" ;;
esac
cat >"$dir/cross.ini" <<EOF
[binaries]
c = '$triplet-gcc'
cpp = '$triplet-g++'
ar = '$triplet-ar'
nm = '$triplet-nm'
strip = '$triplet-strip'
pkgconfig = 'pkg-config'
exe_wrapper = [$run]

[properties]
sys_root = '$root'
pkg_config_libdir = '$root/usr/lib/$libs/pkgconfig'

[built-in options]
c_link_args = ['-Wl,-rpath-link,$root/usr/lib/$libs']

[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$cpu'
endian = '$endian'
EOF

meson setup "$dir" --cross-file "$dir/cross.ini" -Dwerror=true -Dtests=enabled \
	-Dtools=enabled >"$dir/setup.log" 2>&1 || {
	cat "$dir/setup.log"
	exit 1
}
meson compile -C "$dir"
meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier=20 \
	--no-suite=house --no-suite=tools --no-suite=scripts --no-suite=slow --no-suite=kernel
