#!/bin/sh
# make-page.sh ROLLWAY PAGE SCDOC OUTPUT: one man page out of the command table, or, PAGE being "--config",
# that of the configuration keys.
set -eu
if [ "$2" = --config ]; then "$1" __config man >"$4.scd"; else "$1" __man "$2" >"$4.scd"; fi
"$3" <"$4.scd" >"$4"
rm -f "$4.scd"
