# shellcheck shell=bash
# One broker for all tests of a file: $R is the binary, $DIR the broker's folder, ROLLWAY_BROKERS its address. Each test has a folder of its own.

setup_file() {
    export TOP R DIR
    TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    R=$(realpath "${ROLLWAY:-${RW_BIN:-$TOP/build/rollway}}")
    [ -x "$R" ] || skip "no $R"
    DIR=$BATS_FILE_TMPDIR
    unset RW_PORT RW_HTTP_PORT
    RW_BIN=$R rw_broker_start "$DIR"
    echo "$RW_PID" >"$DIR/pid"
    export ROLLWAY_BROKERS=$RW_BROKER
}

teardown_file() {
    [ ! -f "$BATS_FILE_TMPDIR/pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
}
