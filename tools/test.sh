#!/bin/sh
# Install what is missing, build, and run all tests.
set -eu
cd "$(dirname "$0")/.."

sh tools/packages.sh gcc g++ libc6-dev meson pkg-config libjson-c-dev libcmocka-dev xz-utils
[ -f build/build.ninja ] || meson setup build
meson configure build -Dtests=enabled -Dtools=enabled
meson compile -C build
meson test -C build --setup=all --no-rebuild
