#!/bin/sh
# packages.sh PACKAGE...: install those Debian packages that are missing. Elsewhere: do nothing, the
# build says what it lacks.
set -eu

command -v dpkg-query >/dev/null || exit 0
missing=
for package; do
	dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	as_root=sudo
	if ! command -v sudo >/dev/null; then
		echo "packages.sh: as root, first: apt-get install$missing" >&2
		exit 1
	fi
fi
echo "installing$missing" >&2
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # $missing and $as_root are words
if ! { $as_root apt-get update &&
	$as_root apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "packages.sh: apt-get failed, its output is in $log" >&2
	exit 1
fi
rm -f "$log"
