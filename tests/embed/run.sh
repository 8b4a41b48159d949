#!/bin/sh
# run.sh subproject|installed SOURCE_DIR BUILD_DIR: build and test the embedding project, with the
# library as a subproject, or as BUILD_DIR installs it and its pkg-config file describes it.
set -eu
mode=$1 source=$2 build=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$source"/tests/embed/meson.build "$source"/tests/embed/*.c* "$scratch"

if [ "$mode" = subproject ]; then
	mkdir "$scratch/subprojects"
	ln -s "$source" "$scratch/subprojects/iommusim"
	set -- --force-fallback-for=iommusim
else
	DESTDIR=$scratch/root meson install -C "$build" --no-rebuild --quiet
	pc=$(find "$scratch/root" -name iommusim.pc)
	PKG_CONFIG_PATH=$(dirname "$pc")
	PKG_CONFIG_SYSROOT_DIR=$scratch/root
	LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH
	set -- --wrap-mode=nofallback
fi
cd "$scratch"
meson setup "$@" build
meson test -C build --print-errorlogs
