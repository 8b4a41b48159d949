#!/bin/sh
# SPDX-License-Identifier: MIT
# Hand page tables to an emulated machine, whose image prints what its MMU makes of them.
# usage: run.sh right|wrong TABLES ARCHITECTURE ADDRESS QEMU [OPTION]...
# wrong: one answer of each world is changed, and the machine must notice it.
set -u

mode=$1 tables=$2 architecture=$3 address=$4
shift 4
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

ask() {
	"$tables" "$architecture" "$dir/parcel" "$mode" || return 1
	"$@" -display none -monitor none -serial stdio -no-reboot \
		-device "loader,file=$dir/parcel,addr=$address,force-raw=on"
	status=$?
	# The exit device of PCs doubles and adds one: 33 is what the image ends with if all is well.
	[ $status -ne 33 ] || status=0
	return $status
}

if [ "$mode" = right ]; then
	ask "$@"
	exit
fi

echo 1..1
if ask "$@" >"$dir/out"; then
	echo "# the machine finds nothing wrong"
	noticed=0
else
	noticed=$(grep -c '^not ok' "$dir/out")
fi
sed 's/^/# /' "$dir/out"
if [ "$noticed" -gt 0 ] && ! grep -q '^ok' "$dir/out"; then
	echo "ok 1 - the machine notices a wrong answer in each of $noticed worlds"
else
	echo "not ok 1 - the machine notices wrong answers"
fi
