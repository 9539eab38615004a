# shellcheck shell=bash
# What the transcripts of commands on log files share: a directory of their own, logs, damage, JSON.

# shellcheck disable=SC2034 # used where this is loaded
FIRST=00000000000000000000

setup() {
    [ -x "$RW_BIN" ] || skip "no $RW_BIN"
    cd "$BATS_TEST_TMPDIR" || return
    unset RW_PORT RW_HTTP_PORT
}

teardown() { rw_broker_stop KILL || true; }

# python CODE: `d` is the list of JSON documents on standard input, one per line.
python() {
    python3 -c "import json, sys
d = [json.loads(line) for line in sys.stdin]
$1"
}

# flip FILE POSITION: inverts one byte.
flip() {
    python3 -c "import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(int(sys.argv[2]))
    b = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([b ^ 0xff]))" "$1" "$2"
}

# make_log DIR: 3000 records in three batches, enough for index entries.
make_log() { seq -f 'record %.0f' 3000 | "$RW_BIN" -q log import "$1"; }
