#!/bin/sh
# make-page.sh ROLLWAY PAGE SCDOC OUTPUT: one man page out of the command table.
set -eu
"$1" __man "$2" >"$4.scd"
"$3" <"$4.scd" >"$4"
rm -f "$4.scd"
