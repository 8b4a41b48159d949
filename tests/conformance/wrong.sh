#!/bin/sh
# wrong.sh CONFORMANCE FILE: every record of FILE must fail, and the exit status say so.
nr=$(grep -c . "$2")
said=$("$1" "$2")
status=$?
printf '%s\n' "$said"
[ "$status" = 1 ] && [ "$(printf '%s\n' "$said" | tail -n 1)" = "0 passed, $nr failed, 0 skipped" ]
