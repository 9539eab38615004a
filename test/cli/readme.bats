#!/usr/bin/env bats
# The README's "Sixty seconds", block by block, as they stand. Each ```sh block is one script; a ```text
# block is what the block before must print, to the last line. The first block starts the broker.
#
# The blocks name port 9092, so they run in a network namespace of their own (unshare), where it is free.
# Where that is not allowed, they run here when 9092 and 9644 are free, and are skipped otherwise.

load ../../script/lib.sh

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    # A copy of what the blocks use, so that rollway-data does not land in the source tree.
    PLACE=$BATS_TEST_TMPDIR/clone
    mkdir -p "$PLACE/build" "$PLACE/script"
    cp "$TOP"/script/{server,bootstrap,build,lib.sh} "$PLACE/script/"
    ln -s "${RW_BIN:-$TOP/build/rollway}" "$PLACE/build/rollway"
    # Building is tested elsewhere; here the binary is there.
    printf '#!/bin/sh\nexit 0\n' >"$PLACE/script/build"
}

# blocks FILE: writes the blocks of the section to 1.sh, 1.text, 2.sh ... below $BATS_TEST_TMPDIR/blocks.
blocks() {
    mkdir -p "$BATS_TEST_TMPDIR/blocks"
    awk -v to="$BATS_TEST_TMPDIR/blocks" '
        /^## / { inside = /Sixty seconds/ }
        !inside { next }
        /^```sh/ { n++; out = to "/" n ".sh"; next }
        /^```text/ { out = to "/" n ".text"; next }
        /^```/ { out = ""; next }
        out { print >out }' "$1"
}

@test "the README's sixty seconds run as they stand" {
    [ -x "${RW_BIN:-$TOP/build/rollway}" ] || skip "no build/rollway"
    command -v kcat || skip "kcat is missing"
    blocks "$TOP/README.md"
    [ "$(cat "$BATS_TEST_TMPDIR/blocks/1.sh")" = ./script/server ]
    [ -f "$BATS_TEST_TMPDIR/blocks/4.text" ]
    cat >"$BATS_TEST_TMPDIR/run.sh" <<'SH'
# run.sh PLACE BLOCKS
set -u
[ -z "${OWN_NETWORK:-}" ] || ip link set lo up
. "$1/script/lib.sh"
cd "$1" || exit 1
# The block runs in a session of its own, so that a signal reaches the broker and not only the shell.
start() {
    setsid bash "$2/1.sh" >server.log 2>&1 3>&- &
    server=$!
    rw_wait_port 9092 "$server" || { cat server.log; exit 1; }
}
stop() {
    kill "-$1" -- "-$server" 2>/dev/null
    wait "$server" 2>/dev/null
    while (exec 3<>/dev/tcp/127.0.0.1/9092) 2>/dev/null; do sleep 0.05; done
}
start "$@"
trap 'stop KILL' EXIT
for block in 2 3; do
    timeout 60 bash -e "$2/$block.sh" >"$2/$block.out" 2>"$2/$block.err" || { cat "$2/$block.err"; exit 1; }
    diff "$2/$block.text" "$2/$block.out" || exit 1
done
# "Stop the broker any way you like": the rudest one.
stop KILL
start "$@"
timeout 60 bash -e "$2/4.sh" >"$2/4.out" || exit 1
diff "$2/4.text" "$2/4.out" || exit 1
for block in 2 3; do
    tail -n 1 "$2/$block.sh" >"$2/again.sh"
    timeout 60 bash -e "$2/again.sh" >"$2/again.out" || exit 1
    diff "$2/$block.text" "$2/again.out" || exit 1
done
curl -sf http://127.0.0.1:9644/metrics | grep -q '^rollway_' || { echo "no metrics"; exit 1; }
curl -sf http://127.0.0.1:9644/readyz || { echo "not ready"; exit 1; }
SH
    own=(unshare -n)
    [ "$(id -u)" = 0 ] || own=(unshare -r -n)
    if "${own[@]}" ip link set lo up 2>/dev/null; then
        OWN_NETWORK=1 run "${own[@]}" bash "$BATS_TEST_TMPDIR/run.sh" "$PLACE" "$BATS_TEST_TMPDIR/blocks"
    else
        for port in 9092 9644; do
            ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || skip "port $port is taken"
        done
        run bash "$BATS_TEST_TMPDIR/run.sh" "$PLACE" "$BATS_TEST_TMPDIR/blocks"
    fi
    echo "$output"
    [ "$status" = 0 ]
}
