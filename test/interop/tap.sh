# shellcheck shell=bash
# TAP for shell suites: source it; `t NAME COMMAND...` runs a test; `tap_end` prints the plan and exits.

tap_number=0
tap_failed=0

# t NAME COMMAND...: ok when the command succeeds; its output follows a failure as comments. The command runs
# in a subshell with -e: the first failing step fails the test.
t() {
    local name=$1 out status=0
    shift
    tap_number=$((tap_number + 1))
    out=$(mktemp)
    # Not "if (...)": a condition would switch -e off inside.
    set +e
    (
        set -eo pipefail
        "$@"
    ) >"$out" 2>&1
    status=$?
    if [ "$status" = 0 ]; then
        printf 'ok %d - %s\n' "$tap_number" "$name"
    else
        printf 'not ok %d - %s\n' "$tap_number" "$name"
        tail -n 15 "$out" | cut -c 1-300 | sed 's/^/# /'
        tap_failed=$((tap_failed + 1))
    fi
    rm -f "$out"
}

skip() {
    tap_number=$((tap_number + 1))
    printf 'ok %d - %s # SKIP %s\n' "$tap_number" "$1" "$2"
}

# same WANTED GOT: prints the difference and fails.
same() {
    [ "$1" = "$2" ] && return 0
    printf 'wanted: %s\ngot:    %s\n' "$1" "$2"
    return 1
}

tap_end() {
    printf '1..%d\n' "$tap_number"
    [ "$tap_failed" = 0 ]
    exit
}
