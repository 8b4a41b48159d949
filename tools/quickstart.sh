#!/bin/sh
# Install what is missing, build, and compare the chunk policies on this machine's own memory.
set -eu
cd "$(dirname "$0")/.."

sh tools/packages.sh gcc libc6-dev meson pkg-config libjson-c-dev
[ -f build/build.ninja ] || meson setup build -Dtests=disabled >&2
meson configure build -Dtools=enabled >&2
meson compile -C build >&2
exec build/tools/iommusim compare
