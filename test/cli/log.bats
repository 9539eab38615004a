#!/usr/bin/env bats
# The commands on the files of a log: what they print, what they change, and what they say about files
# that are damaged, missing, foreign or in use.

load ../../script/lib.sh
load log_files

@test "dump shows the batches and records of a segment" {
    make_log a
    run "$RW_BIN" log dump "a/$FIRST.log"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ "${lines[0]}" == "batch offsets 0-999 records 1000 position 0 "*" ok" ]]
    run "$RW_BIN" log dump --records "a/$FIRST.log"
    [ "${#lines[@]}" -eq 3003 ]
    "$RW_BIN" log dump --json -r "a/$FIRST.log" | python '
batches = [x for x in d if x["type"] == "batch"]
records = [x for x in d if x["type"] == "record"]
assert [b["base_offset"] for b in batches] == [0, 1000, 2000] and all(b["crc_ok"] for b in batches)
assert [r["offset"] for r in records] == list(range(3000))
assert records[41]["value"] == "record 42" and records[41]["key"] is None'
}

@test "dump of a directory shows all its segments" {
    mkdir data
    make_log data/a-0
    seq 5 | "$RW_BIN" -q log import data/b-0
    run "$RW_BIN" log dump data/a-0
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "segment data/a-0/$FIRST.log" ]
    [ "${#lines[@]}" -eq 4 ]
    "$RW_BIN" log dump --json -r data | python '
assert [x["file"] for x in d if x["type"] == "segment"] == ["data/a-0/%020d.log" % 0, "data/b-0/%020d.log" % 0]
assert len([x for x in d if x["type"] == "record"]) == 3005'
    flip "data/a-0/$FIRST.log" 100
    run "$RW_BIN" log dump data
    [ "$status" -eq 8 ]
    [[ "$output" == *WRONG*"segment data/b-0/"* ]]
    mkdir empty
    run "$RW_BIN" log dump empty
    [ "$status" -eq 5 ]
}

@test "dump shows indexes, snapshots and checkpoints" {
    make_log a
    "$RW_BIN" log dump --json "a/$FIRST.index" | python 'assert d and all(x["offset"] > 0 and x["position"] > 0 for x in d)'
    "$RW_BIN" log dump --json "a/$FIRST.timeindex" | python 'assert d and d[-1]["offset"] < 3000 and d[-1]["timestamp"] > 1600000000000'
    "$RW_BIN" log dump a/00000000000000003000.snapshot
    [ "$("$RW_BIN" log dump a/leader-epoch-checkpoint)" = "$(cat a/leader-epoch-checkpoint)" ]
    "$RW_BIN" log dump --json a/leader-epoch-checkpoint | python 'assert d[0]["lines"] == ["0", "1", "0 0"]'
}

@test "a snapshot of a broker's partition names its producers" {
    command -v kcat || skip "kcat is missing"
    rw_broker_start broker
    echo x | kcat -q -b "$RW_BROKER" -P -t t -X enable.idempotence=true
    rw_broker_stop TERM
    "$RW_BIN" log dump --json broker/data/t-0/*.snapshot | python 'assert any(x["producer_id"] >= 0 and x["last_sequence"] == 0 for x in d)'
}

@test "verify: all is well, or one byte is not" {
    make_log a
    run "$RW_BIN" log verify a
    [ "$status" -eq 0 ]
    [[ "$output" == "a: ok: offsets 0 to 3000, 3 batches, 3000 records"* ]]
    "$RW_BIN" log verify --json a | python 'assert d[0]["ok"] is True and d[0]["records"] == 3000 and d[0]["first_bad_offset"] == -1'
    second=$("$RW_BIN" log dump --json "a/$FIRST.log" | python 'print(d[1]["position"])')
    flip "a/$FIRST.log" $((second + 100))
    run "$RW_BIN" log verify a
    echo "$output"
    [ "$status" -eq 8 ]
    [[ "$output" == *"$FIRST.log: position $second: the CRC does not match"* ]]
    [[ "$output" == *"DAMAGED: offsets 0 to 3000, 2 batches, 2000 records,"*" 1 bad batches, 0 bad index entries"* ]]
    run "$RW_BIN" log verify --json a
    [ "$status" -eq 8 ]
    run "$RW_BIN" log dump "a/$FIRST.log"
    [ "$status" -eq 8 ]
}

@test "zeros behind the last batch are no damage, other bytes are" {
    make_log a
    size=$(stat -c %s "a/$FIRST.log")
    truncate -s +50000 "a/$FIRST.log"
    run "$RW_BIN" log verify a
    echo "$output"
    [ "$status" -eq 0 ]
    run "$RW_BIN" log dump "a/$FIRST.log"
    [ "$status" -eq 0 ]
    [ "${lines[3]}" = "zeros position $size size 50000 up to the end" ]
    "$RW_BIN" log dump --json "a/$FIRST.log" | python "
assert d[3] == {'type': 'zeros', 'position': $size, 'size': 50000}"
    "$RW_BIN" log backup a copy
    [ "$(stat -c %s copy/"$FIRST".log.*)" = "$size" ]
    # Who writes cuts them off.
    seq 5 | "$RW_BIN" -q log import a
    [[ "$("$RW_BIN" log verify a)" == "a: ok: offsets 0 to 3005,"* ]]
    [ "$("$RW_BIN" log dump "a/$FIRST.log" | grep -c zeros)" = 0 ]
    truncate -s +50000 "a/$FIRST.log"
    flip "a/$FIRST.log" $((size + 20000))
    run "$RW_BIN" log verify a
    [ "$status" -eq 8 ]
    run "$RW_BIN" log dump "a/$FIRST.log"
    [ "$status" -eq 8 ]
}

@test "reindex makes lost and damaged indexes again, equal to the byte" {
    make_log a
    cp "a/$FIRST.index" index
    cp "a/$FIRST.timeindex" timeindex
    rm "a/$FIRST.index"
    flip "a/$FIRST.timeindex" 0
    "$RW_BIN" log reindex a
    cmp index "a/$FIRST.index"
    cmp timeindex "a/$FIRST.timeindex"
    "$RW_BIN" log verify a
}

@test "reindex never removes records" {
    make_log a
    second=$("$RW_BIN" log dump --json "a/$FIRST.log" | python 'print(d[1]["position"])')
    flip "a/$FIRST.log" $((second + 100))
    cp -r a known
    # Nothing says any more that the records were durable: a writer would take the damage for a torn end.
    rm a/.rollway-clean a/recovery-point-offset-checkpoint
    cp "a/$FIRST.log" before
    run "$RW_BIN" log reindex a
    echo "$output"
    [ "$status" -eq 8 ]
    [[ "$output" == *"cut off"*"rollway log verify"* ]]
    cmp before "a/$FIRST.log"
    "$RW_BIN" log reindex known
    cmp before "known/$FIRST.log"
    # Who writes goes on before the damage, and says what that cost, also when it is to be quiet.
    run "$RW_BIN" -q log import a <<<more
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"bytes from offset 1000 on"*"were cut off"* ]]
}

@test "a data directory and other directories are not taken for a log" {
    mkdir data other
    echo x | "$RW_BIN" -q log import data/t-0
    printf 'version=1\ncluster.id=c\nnode.id=1\n' >data/meta.properties
    printf '0\n2\nt 0 1\nu 0 7\n' >data/recovery-point-offset-checkpoint
    cp -r data before
    for command in "truncate --yes --to 0" import export; do
        # shellcheck disable=SC2086 # words
        run "$RW_BIN" log $command data </dev/null
        echo "$command: $output"
        [ "$status" -ne 0 ]
        [[ "$output" == *"data directory of a broker"* ]]
    done
    diff -r before data
    run "$RW_BIN" log truncate --yes --to 0 other
    [ "$status" -eq 5 ]
    [[ "$output" == *"holds no log"* ]]
    [ -z "$(ls -A other)" ]
    # A partition's truncation is told to the data directory.
    "$RW_BIN" log truncate --yes --to 0 data/t-0
    grep -qx 't 0 0' data/recovery-point-offset-checkpoint
    grep -qx 'u 0 7' data/recovery-point-offset-checkpoint
}

@test "truncate asks first" {
    make_log a
    run "$RW_BIN" log truncate --to 1500 a </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == *"--yes"* ]]
    "$RW_BIN" log verify --json a | python 'assert d[0]["end_offset"] == 3000'
    "$RW_BIN" log truncate --to 1500 --yes a
    "$RW_BIN" log verify a
    # Whole batches go: an offset inside of one takes the batch with it.
    end=$("$RW_BIN" log verify --json a | python 'print(d[0]["end_offset"])')
    [ "$end" -le 1500 ]
    [ "$end" -ge 1000 ]
    [ "$("$RW_BIN" log export a | tail -n 1)" = "record $end" ]
}

@test "text comes back line by line" {
    seq 100 >in
    "$RW_BIN" log import a <in
    "$RW_BIN" log export a >out
    cmp in out
    [ "$("$RW_BIN" log export -o 98 a)" = "$(seq 99 100)" ]
    [ "$("$RW_BIN" log export -n 2 a)" = "$(seq 1 2)" ]
}

@test "JSON loses nothing on the way there and back" {
    cat >in <<'LINES'
{"offset":0,"timestamp":1700000000123,"key":"k","value":"v","headers":[{"key":"h","value":"x"},{"key":"h","value":null},{"key":"","value":""}]}
{"offset":1,"timestamp":9007199254740993,"key":null,"value":"","headers":[]}
{"offset":2,"timestamp":5,"key":"","value":null,"headers":[{"key":"b","value":{"base64":"/wD+"}}]}
{"offset":3,"timestamp":6,"key":{"base64":"gIE="},"value":"nul \u0000 quote \" backslash \\ newline \n","headers":[]}
{"offset":4,"timestamp":0,"key":null,"value":"1970","headers":[]}
{"offset":5,"timestamp":-1,"key":null,"value":"no time","headers":[]}
LINES
    "$RW_BIN" log import -f json a <in
    "$RW_BIN" log export -f json a >out
    cmp in out
    printf '{"value":"\\u00e9\\ud83d\\ude00\\/","unknown":[1,{"a":[null,true,-1.5e3]}],"timestamp":1}' |
        "$RW_BIN" log import -f json b
    [ "$("$RW_BIN" log export b)" = "é😀/" ]
}

@test "a line that is no record is named, with the place in it" {
    for line in 'nonsense' '{"key":1}' '{"value":"\ud800"}' '{"value":{"base64":"a"}}' '{"timestamp":1.5}' \
        '{"value":"x"' '{"value":"x"} y' '{"headers":[{"value":"x"}]}' '{"value":"\q"}' '["x"]'; do
        run "$RW_BIN" log import -f json a < <(printf '{"value":"fine"}\n%s\n' "$line")
        echo "$output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"line 2: character "* ]]
    done
}

@test "what is missing, foreign or unreadable is named" {
    for command in dump verify reindex export "backup nothere to"; do
        # shellcheck disable=SC2086 # words
        [[ $command == backup* ]] && run "$RW_BIN" log $command || run "$RW_BIN" log "$command" nothere
        echo "$command: $output"
        [ "$status" -eq 5 ]
        [[ "$output" == *nothere* ]]
    done
    echo "a letter" >letter.txt
    run "$RW_BIN" log dump letter.txt
    [ "$status" -eq 2 ]
    [[ "$output" == *"letter.txt is no file of a log"* ]]
    head -c 300 /dev/zero | tr '\0' 'x' >"$FIRST.log"
    run "$RW_BIN" log dump "$FIRST.log"
    [ "$status" -eq 8 ]
    [[ "$output" == *"position 0"* ]]
    mkdir empty
    run "$RW_BIN" log verify empty
    [ "$status" -eq 5 ]
    [[ "$output" == *"empty holds no log"* ]]
    [ "$(id -u)" -ne 0 ] || return 0
    make_log a
    chmod 0 "a/$FIRST.log"
    run "$RW_BIN" log dump "a/$FIRST.log"
    [ "$status" -ne 0 ]
    [[ "$output" == *"ermission"* ]]
}

@test "a directory that a running broker has open may be read, not changed" {
    rw_broker_start broker
    echo x | "$RW_BIN" produce -b "$RW_BROKER" t
    "$RW_BIN" log dump "broker/data/t-0/$FIRST.log"
    for command in "truncate --yes --to 0" reindex import; do
        # shellcheck disable=SC2086 # words
        run "$RW_BIN" log $command broker/data/t-0 </dev/null
        echo "$command: $output"
        [ "$status" -ne 0 ]
        [[ "$output" == *"stop the broker"* ]]
    done
    for way in . ../t-0; do
        run env -C broker/data/t-0 "$RW_BIN" log truncate --yes --to 0 "$way"
        [ "$status" -eq 6 ]
        [[ "$output" == *"stop the broker"* ]]
    done
    [ "$("$RW_BIN" consume -b "$RW_BROKER" t -e)" = x ]
}

@test "a broker's partition that is mounted alone may be read, not changed" {
    unshare -m true 2>/dev/null || skip "mounting needs root"
    rw_broker_start broker
    seq 3 | "$RW_BIN" produce -b "$RW_BROKER" t
    mkdir elsewhere
    mounted() { # shellcheck disable=SC2016
        unshare -m sh -c 'mount --bind broker/data/t-0 elsewhere && exec "$@"' - "$@"
    }
    mounted "$RW_BIN" log verify elsewhere
    for command in "truncate --yes --to 0" reindex import; do
        # shellcheck disable=SC2086 # words
        run mounted "$RW_BIN" log $command elsewhere </dev/null
        echo "$command: $output"
        [ "$status" -ne 0 ]
        [[ "$output" == *"mounted without its data directory"* ]]
    done
    [ "$("$RW_BIN" consume -b "$RW_BROKER" t -e | wc -l)" = 3 ]
    # A copy is a log of its own.
    rw_broker_stop
    cp -a broker/data/t-0 copy
    "$RW_BIN" log truncate --yes --to 0 copy
}

@test "import that is interrupted keeps the whole lines that came, and says how many" {
    mkfifo in
    # A shell of its own: bats's jobs ignore SIGINT.
    python3 - "$RW_BIN" <<'PY'
import os, signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "log", "import", "a"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
p.stdin.write("one\ntwo\nhal")
p.stdin.flush()
while open("/proc/%d/wchan" % p.pid).read() == "0" and p.poll() is None:
    time.sleep(0.01)
time.sleep(0.3)
p.send_signal(signal.SIGINT)
_, err = p.communicate(timeout=20)
assert p.returncode == 130, (p.returncode, err)
assert "interrupted; 2 records imported" in err, err
PY
    [ "$("$RW_BIN" log export a)" = "one
two" ]
}

@test "export ends when a signal comes, also when nobody reads what it writes" {
    seq -f "a long line %0200.0f" 3000 | "$RW_BIN" -q log import a
    python3 - "$RW_BIN" <<'PY'
import signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "log", "export", "a"], stdout=subprocess.PIPE)
time.sleep(0.5)
p.send_signal(signal.SIGINT)
assert p.wait(timeout=20) in (1, 130), p.returncode
PY
}

@test "header keys that are no text survive JSON" {
    cat >in <<'LINES'
{"offset":0,"timestamp":1,"key":null,"value":"v","headers":[{"key":{"base64":"/wD+"},"value":{"base64":"gA=="}},{"key":"","value":null}]}
LINES
    "$RW_BIN" log import -f json a <in
    "$RW_BIN" log export -f json a >out
    cmp in out
    "$RW_BIN" log dump --json -r "a/$FIRST.log" | python 'assert d[1]["headers"][0]["key"] == {"base64": "/wD+"}'
    run "$RW_BIN" log import -f json b <<<'{"headers":[{"key":null}]}'
    [ "$status" -eq 1 ]
    # And everything else that a record may have, from a log that was not written by this program.
    python3 "$RW_TOP/test/support/segment.py" every
    "$RW_BIN" log export -f json every >first
    "$RW_BIN" log import -f json copy <first
    "$RW_BIN" log export -f json copy >second
    [ "$(wc -l <first)" -eq 34 ]
    cmp <(sed 's/"offset":[0-9]*,//' first) <(sed 's/"offset":[0-9]*,//' second)
}

@test "verify beside a writer finds no damage" {
    seq 100000 | "$RW_BIN" -q log import a
    python3 - "$RW_BIN" <<'PY'
import subprocess, sys
w = subprocess.Popen("i=0; while [ $i -lt 12 ]; do seq 40000; i=$((i+1)); done | %s -q log import a" % sys.argv[1], shell=True)
n = 0
while w.poll() is None or n == 0:
    r = subprocess.run([sys.argv[1], "log", "verify", "a"], capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    n += 1
assert w.returncode == 0
PY
    head -c 50 /dev/urandom >>"a/$FIRST.log"
    run "$RW_BIN" log verify a
    [ "$status" -eq 8 ]
    [[ "$output" == *"the last 50 bytes are not whole batches"* ]]
}

@test "consume -e ends where a partition ends with offsets that have no records" {
    rw_broker_start broker
    export ROLLWAY_BROKERS=$RW_BROKER
    seq 10 | "$RW_BIN" produce t
    rw_broker_stop TERM
    # As compaction leaves it, or a log that was reset: an empty segment far behind the last record.
    rm -f broker/data/t-0/.rollway-contiguous
    : >"broker/data/t-0/00000000000000000100.log"
    sed -i 's/^t 0 10$/t 0 100/' broker/data/*checkpoint
    rw_broker_start broker
    run timeout 15 "$RW_BIN" consume t -e
    echo "$status: $output"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 10 ]
    [ "$("$RW_BIN" topic describe t -p --plain | cut -f 8)" = 100 ]
    echo more | "$RW_BIN" produce t
    [ "$("$RW_BIN" consume t -e -f '%o %v\n' | tail -n 1)" = "100 more" ]
}

@test "import takes back what export wrote: large records, many headers" {
    python3 -c '
import json
print(json.dumps({"value": "a" * (3 << 20)}))
print(json.dumps({"value": "h", "headers": [{"key": "k%d" % i, "value": None} for i in range(1000)]}))
' > lines
    "$RW_BIN" -q log import -f json a < lines
    "$RW_BIN" log export -f json a > first
    "$RW_BIN" -q log import -f json b < first
    "$RW_BIN" log export -f json b > second
    [ "$(wc -c < second)" -gt $((3 << 20)) ]
    cmp first second
}
