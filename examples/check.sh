#!/usr/bin/env bash
# Runs an example on a new directory and compares what it prints: check.sh EXPECTED COMMAND...
set -euo pipefail
expected=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
actual=$("$@" "$dir/events-0")
[ "$actual" = "$(printf '%b' "$expected")" ] || {
    printf 'expected:\n%b\nactual:\n%s\n' "$expected" "$actual" >&2
    exit 1
}
