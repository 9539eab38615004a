#!/usr/bin/env bats
# The client commands against the real broker: round trips in every format and codec, JSON shapes, exit
# codes, signals. One broker for the whole file; each test has topics of its own.

load ../../script/lib.sh
load one_broker.bash

# python CODE: `d` is the JSON document on standard input.
python() {
    python3 -c "import json, sys
d = json.load(sys.stdin)
$1"
}

@test "quick start" {
    echo hello | "$R" produce greetings
    run "$R" consume greetings -e
    [ "$status" -eq 0 ]
    [ "$output" = hello ]
}

@test "every codec comes back byte for byte, and kcat reads it too" {
    seq 1 20000 | sed 's/$/ the quick brown fox jumps over the lazy dog/' >in
    for codec in none gzip snappy lz4 zstd; do
        "$R" produce "codec-$codec" -z "$codec" in
        "$R" consume "codec-$codec" -e >out
        cmp in out
        run "$R" consume "codec-$codec" -o -1 -e -f '%a{compression}'
        [ "$output" = "$codec" ]
        if command -v kcat; then
            kcat -b "$ROLLWAY_BROKERS" -C -t "codec-$codec" -e -q >out
            cmp in out
        fi
    done
}

@test "keys, headers, partitions, timestamps, tombstones" {
    "$R" topic create fields -p 3
    printf 'k1:v1\nk2:\n' | "$R" produce fields -K : -H a:1 -H b=2 -p 2 -Z
    run "$R" consume fields -e -f '%t %p %o %k %v %H %h{%k=%v,}\n'
    [ "${lines[0]}" = "fields 2 0 k1 v1 2 a=1,b=2," ]
    [ "${lines[1]}" = "fields 2 1 k2  2 a=1,b=2," ]
    "$R" consume fields -e --json | tail -n 1 | python 'assert d["value"] is None and d["key"] == "k2"'
    printf '1700000000000 old\n' | "$R" produce times -f '%d %v\n'
    run "$R" consume times -e -f '%d{strftime[%Y-%m-%d]}'
    [ "$output" = 2023-11-14 ]
}

@test "a line that lacks a delimiter: a mistake for -f, a value without a key for -K" {
    printf 'a 1\nlonely\nb 2\n' >in
    run "$R" produce strict -f '%k %v\n' in
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"in: line 2 does not fit the format"* ]]
    # What was read before is there, and nothing of what came after.
    [ "$("$R" consume strict -e -f '%k=%v,')" = "a=1," ]
    printf 'a:1\nlonely\n\nb:2:3' | "$R" produce lenient -K :
    [ "$("$R" consume lenient -e -f '%K %k=%v,' | sed 's/\n//')" = "1 a=1,0 =lonely,0 =,1 b=2:3," ]
    "$R" consume lenient -e --json | sed -n 2p | python 'assert d["key"] is None and d["value"] == "lonely"'
    printf 'a{1;b}{2;' | "$R" produce braces -K '{' -D ';'
    [ "$("$R" consume braces -e -f '%k=%v,')" = "a=1,b}=2," ]
    run "$R" produce braces -K ''
    [ "$status" -eq 2 ]
}

@test "binary formats go both ways" {
    printf '\0\0\0\1\0\0\0\3kv\n!\0\0\0\0\0\0\0\1x' | "$R" produce binary -f '%K{big32}%V{big32}%k%v'
    "$R" consume binary -e -f '%K{big32}%V{big32}%k%v' >out
    printf '\0\0\0\1\0\0\0\3kv\n!\0\0\0\0\0\0\0\1x' | cmp - out
    printf '6b aGk=\n' | "$R" produce coded -f '%k{hex} %v{base64}\n'
    run "$R" consume coded -e -f '%k|%v|%k{hex}|%v{base64}\n'
    [ "$output" = "k|hi|6b|aGk=" ]
}

@test "the key decides the partition as Kafka's clients do" {
    "$R" topic create keyed -p 7
    printf 'foobar:x\n21:y\nabc:z\n' | "$R" produce keyed -K :
    # murmur2 of the Java client's own test vectors, made positive, modulo 7.
    for pair in foobar:-790332482 21:-973932308 abc:479470107; do
        want=$(( (${pair#*:} & 0x7fffffff) % 7 ))
        run "$R" consume keyed -e -p "$want" -f '%k\n'
        [[ "$output" == *"${pair%%:*}"* ]]
    done
}

@test "offsets" {
    seq 0 99 | "$R" produce hundred
    first_last() { "$R" consume hundred -e -o "$1" "${@:2}" 2>/dev/null | sed -n '1p;$p' | xargs; }
    [ "$(first_last start)" = "0 99" ]
    [ "$(first_last 47)" = "47 99" ]
    [ "$(first_last 5:10)" = "5 9" ]
    [ "$(first_last :3)" = "0 2" ]
    [ "$(first_last +90)" = "90 99" ]
    [ "$(first_last -2)" = "98 99" ]
    [ "$(first_last @-1h)" = "0 99" ]
    [ "$(first_last start -n 4)" = "0 3" ]
    [ -z "$(first_last @:2001-01-01)" ]
    run "$R" consume hundred -o :end
    [ "${#lines[@]}" -eq 100 ]
    run "$R" consume hundred -o 1000 -n 1
    [ "$status" -ne 0 ]
    [[ "$output" == *"offset 1000"* ]]
}

@test "JSON of every command has its shape" {
    "$R" topic create shape -p 2 --json | python 'assert [(t["topic"], t["status"], t["error"]) for t in d] == [("shape", "created", None)]'
    printf 'text\n\xff\n' | "$R" produce shape -p 1 -H h:v --json | python 'assert (d["topic"], d["partition"], d["base_offset"], d["count"]) == ("shape", 1, 0, 2)'
    "$R" consume shape -e --json >lines
    head -n 1 lines | python '
assert list(d) == ["topic", "partition", "offset", "timestamp", "timestamp_type", "key", "value", "headers"]
assert d["value"] == "text" and d["key"] is None and d["headers"] == [{"key": "h", "value": "v"}]
assert d["timestamp_type"] == "CreateTime" and d["timestamp"] > 1600000000000'
    tail -n 1 lines | python 'assert d["value"] == {"base64": "/w=="}'
    "$R" consume shape -e --meta-only | head -n 1 | python 'assert d["value_size"] == 4 and d["key_size"] == -1 and "value" not in d'
    "$R" topic list --json | python 'assert {"topic", "id", "partitions", "replicas", "internal"} <= set(d[0])'
    "$R" topic describe shape -a --json | python '
p = d[0]["partitions"][1]
assert p["high_watermark"] == 2 and p["log_start_offset"] == 0 and p["isr"] == p["replicas"]
assert d[0]["configs"]["cleanup.policy"]["value"] == "delete"'
    "$R" cluster info --json | python 'assert d["brokers"][0]["port"] > 0 and d["controller"] == d["brokers"][0]["id"]'
    "$R" cluster health --json | python 'assert d["healthy"] is True'
    "$R" cluster config get log.dirs --json | python 'assert d["configs"]["log.dirs"]["value"]'
    "$R" topic delete shape --yes --json | python 'assert d[0]["status"] == "deleted"'
}

@test "cluster config: set for all brokers and for one, get, back to the file" {
    [ "$("$R" cluster config set log.retention.ms=3d --set message.max.bytes=4MiB)" = "changed broker all" ]
    "$R" topic create inherits
    "$R" topic describe inherits -c --plain | grep -q $'^retention.ms\t259200000\t'
    [ "$("$R" cluster config get message.max.bytes --plain)" = $'message.max.bytes\t4194304\tdynamic default' ]
    id=$("$R" cluster info --json | python 'print(d["controller"])')
    "$R" cluster config set --broker "$id" message.max.bytes=1000000
    [ "$("$R" cluster config get message.max.bytes --plain)" = $'message.max.bytes\t1000000\tdynamic broker' ]
    "$R" cluster config get message.max.bytes --json | python 'assert d["configs"]["message.max.bytes"]["read_only"] is False'
    run "$R" cluster config set num.partitions=3
    [ "$status" -eq 1 ]
    [[ "$output" == *"Cannot update num.partitions dynamically"* ]]
    run "$R" cluster config set
    [ "$status" -eq 2 ]
    "$R" cluster config set --broker "$id" --delete message.max.bytes
    "$R" cluster config set --delete message.max.bytes --delete log.retention.ms
    [ "$("$R" cluster config get message.max.bytes --plain)" = $'message.max.bytes\t1048588\tdefault' ]
    "$R" topic delete inherits --yes
}

@test "topics: create, list, alter, add partitions, trim, delete" {
    "$R" topic create t1 t2 -p 2 -c retention.ms=7d
    [ "$("$R" topic list --plain t1)" = "$(printf 't1\t2\t1')" ]
    "$R" topic describe t1 -c --plain | grep -q $'^retention.ms\t604800000\t'
    id=$("$R" topic list --json t1 | python 'print(d[0]["id"])')
    [ "$("$R" topic list --plain -o wide t1)" = "$(printf 't1\t2\t1\t0\t0\t-\t%s' "$id")" ]
    at=$("$R" cluster info --plain | awk -F '\t' '{ print $2 ":" $3 }')
    leader=$("$R" cluster info --plain | cut -f 1)
    "$R" topic describe t1 -o wide | grep -q "LEADER ADDRESS"
    [ "$("$R" topic describe t1 --plain -o wide | cut -f 9- | head -n 1)" = "$(printf '0\t-\t%s' "$at")" ]
    "$R" topic describe t1 -c --plain -o wide | grep -q $'^retention.ms\t604800000\ttopic\tlog.retention.hours=168\tlong\t-$'
    "$R" cluster config get node.id --plain -o wide | grep -q $'\tint\tyes$'
    "$R" cluster info -o wide | grep -q "LEADS"
    [ "$("$R" cluster info --plain -o wide | cut -f 6)" = "$("$R" cluster info --json | python 'print(d["partitions"])')" ]
    for what in "topic list" "topic describe t1" "cluster info" "cluster config get"; do
        # shellcheck disable=SC2086
        run "$R" $what -o json
        [ "$status" -eq 2 ]
        [[ "$output" == *--json* ]]
    done
    "$R" topic alter t1 -s retention.ms=1h
    "$R" topic describe t1 -c --plain | grep -q $'^retention.ms\t3600000\t'
    "$R" topic alter t1 -d retention.ms
    "$R" topic add-partitions t1 -n 3
    [ "$("$R" topic list --plain t1)" = "$(printf 't1\t5\t1')" ]
    seq 10 | "$R" produce t2 -p 0
    "$R" topic trim t2 -o 4 -p 0 --yes
    [ "$("$R" consume t2 -e | head -n 1)" = 5 ]
    run "$R" topic delete t1 </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == *--yes* ]]
    "$R" topic delete -r 't[12]' --yes
    run "$R" topic list -r 't[12]' --plain
    [ -z "$output" ]
}

@test "produce says where each record went" {
    "$R" topic create placed -p 2
    run "$R" produce placed -p 1 -o '%t-%p@%o %i\n' < <(printf 'a\nb\n')
    [ "$output" = $'placed-1@0 0\nplaced-1@1 1' ]
    printf 'placed x\nplaced-too y\n' | "$R" produce placed -f '%t %v\n' -p 0
    [ "$("$R" consume placed-too -e)" = y ]
    run "$R" produce placed --acks 0 -o '%o\n' <<<unknown
    [ "$status" -eq 0 ]
    [ "$output" = -1 ]
}

@test "files that are one record each, also from standard input" {
    printf 'two\nlines' >one
    : >empty
    "$R" produce wholes --whole-files one empty -p 0
    "$R" produce wholes --whole-files -p 0 <one
    "$R" consume wholes -e --json | python3 -c '
import json, sys
assert [json.loads(line)["value"] for line in sys.stdin] == ["two\nlines", "", "two\nlines"]'
    run "$R" produce wholes --whole-files nothere
    [ "$status" -eq 5 ]
}

@test "what the broker refuses is told, and what it took is there" {
    "$R" topic create small -c max.message.bytes=2000
    { echo fits; head -c 5000 /dev/zero | tr '\0' x; echo; echo fits, too; } >in
    run "$R" produce small --batch-size 100 in
    echo "$output"
    [ "$status" -eq 7 ]
    [[ "$output" == *"MESSAGE_TOO_LARGE"* ]]
    [ "$("$R" consume small -e | xargs)" = "fits fits, too" ]
    run "$R" produce small --batch-size 100 < <(sed -n 2p in)
    [ "$status" -eq 1 ]
    run "$R" produce small < <(seq 2000)
    [ "$status" -eq 1 ]
    [[ "$output" == *"2000 records: smaller batches (--batch-size)"* ]]
    run "$R" produce small -f '%d %v\n' <<<"99999999999999 from the future"
    [ "$status" -eq 1 ]
    [[ "$output" == *"INVALID_TIMESTAMP"* ]]
}

@test "wrong options of produce" {
    for wrong in "-H novalue" "-z brotli" "--acks 2" "-f %v -D x" "-f %o{strftime}" "-o %q" "--batch-size 0" "-p -5"; do
        # shellcheck disable=SC2086 # words
        run "$R" produce options $wrong <<<x
        echo "$wrong: $status $output"
        [ "$status" -ne 0 ]
        [[ "$output" == *rollway:* ]]
    done
    run "$R" produce options . # a directory
    [ "$status" -eq 1 ]
    [[ "$output" == *".: Is a directory"* ]]
}

@test "text of describe and of the cluster" {
    "$R" topic create text-a text-b -p 2 -c retention.ms=1h
    seq 3 | "$R" produce text-a -p 1
    run "$R" topic describe -r 'text-.' -s
    [ "${lines[0]}" = "topic       text-a" ]
    [[ "$output" == *"offsets     3"*"topic       text-b"* ]]
    run "$R" topic describe text-a -p
    [[ "${lines[0]}" == PARTITION*"HIGH WATERMARK" ]]
    [ "$("$R" topic describe text-a -p --plain | cut -f 1,2,4,6,8 | tail -n 1)" = $'1\t1\t1\t0\t3' ]
    "$R" topic describe text-a -c | grep -E '^retention.ms +3600000 +topic'
    run "$R" cluster info
    [[ "$output" == *"cluster     "*"ID  HOST"*"yes"* ]]
    [ "$("$R" cluster info --plain | cut -f 1,5)" = $'1\tyes' ]
    run "$R" cluster health
    [[ "$output" == "healthy: brokers 1 (0 unreachable), controller yes"* ]]
    "$R" cluster health --watch --exit-when-healthy
    "$R" cluster config get num.partitions | grep -E '^num.partitions +1 +default'
    run "$R" cluster config get no.such.key
    [ "$status" -eq 5 ]
    run "$R" cluster config get -b 127.0.0.1:1
    [ "$status" -eq 3 ]
}

@test "exit codes" {
    "$R" topic create there
    run "$R" topic create there
    [ "$status" -eq 6 ]
    "$R" topic create there --if-not-exists
    run "$R" topic create there also-there
    [ "$status" -eq 7 ]
    run "$R" topic delete nowhere --yes
    [ "$status" -eq 5 ]
    run "$R" consume nowhere -e
    [ "$status" -eq 5 ]
    [[ "$output" == *"rollway topic create nowhere"* ]]
    run "$R" produce there -p 9 <<<x
    [ "$status" -eq 5 ]
    run "$R" produce there does-not-exist.txt
    [ "$status" -eq 5 ]
    run "$R" consume there --timeout 300ms
    [ "$status" -eq 3 ]
}

@test "an empty topic says how to write to it" {
    "$R" topic create silent
    run "$R" consume silent -e
    [ "$status" -eq 0 ]
    [[ "$output" == *"rollway produce silent"* ]]
    run "$R" consume silent -e --quiet
    [ -z "$output" ]
}

@test "a closed pipe ends it quietly" {
    seq 100000 | "$R" produce pipe
    "$R" consume pipe -e 2>err | head -n 1 >out
    [ "$(cat out)" = 1 ]
    [ ! -s err ]
}

@test "standard output that is closed or full is told once; closed standard input is no input" {
    seq 10 | "$R" produce closed
    for command in "consume closed -e" "topic list" "produce closed -o %o in"; do
        seq 10 >in
        rc=0
        # shellcheck disable=SC2086
        timeout 20 "$R" $command >&- 2>err || rc=$?
        [ "$rc" -eq 1 ]
        [ "$(cat err)" = "rollway: can not write to standard output: Bad file descriptor" ]
        rc=0
        # shellcheck disable=SC2086
        timeout 20 "$R" $command >/dev/full 2>err || rc=$?
        [ "$rc" -eq 1 ]
        [ "$(wc -l <err)" -eq 1 ]
    done
    rc=0
    timeout 20 "$R" produce closed <&- 2>err || rc=$?
    [ "$rc" -eq 1 ]
    grep "standard input" err
}

@test "a topic that is named twice is read once; a negative number of records is none" {
    seq 3 | "$R" produce named
    [ "$(timeout 20 "$R" consume named named -e)" = "$(seq 3)" ]
    run "$R" consume named -e -n -1
    [ "$status" -eq 2 ]
}

@test "a signal ends a follower, and what it read is there" {
    echo one | "$R" produce follow
    "$R" consume follow >out 2>err 3>&- &
    pid=$!
    for _ in $(seq 100); do [ -s out ] && break; sleep 0.05; done
    echo two | "$R" produce follow
    for _ in $(seq 100); do [ "$(wc -l <out)" -ge 2 ] && break; sleep 0.05; done
    # A background job of a script ignores SIGINT; SIGTERM takes the same way out.
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 143 ]
    [ "$(xargs <out)" = "one two" ]
    [ ! -s err ]
}

@test "records written while standard input stays open arrive at once" {
    mkfifo in
    "$R" topic create slow
    "$R" produce slow <in 3>&- &
    pid=$!
    exec 5>in
    echo first >&5
    [ "$(timeout 5 "$R" consume slow -n 1 --timeout 4s)" = first ]
    exec 5>&-
    wait "$pid"
}

@test "topic names are completed from the broker" {
    "$R" topic create complete-me
    [ "$("$R" __complete consume complete-)" = complete-me ]
    [ "$("$R" __complete topic describe --brokers "$ROLLWAY_BROKERS" complete-)" = complete-me ]
    [ -z "$("$R" __complete -b 127.0.0.1:1 consume comp)" ]
}

@test "a broker that advertises an address which does not work is named" {
    local port http
    port=$(rw_free_port)
    http=$(rw_free_port)
    "$R" dev --data "$BATS_TEST_TMPDIR/data" --set "listeners=PLAINTEXT://127.0.0.1:$port" \
        --set "advertised.listeners=PLAINTEXT://nowhere.invalid:$port" \
        --set "rollway.http.listen=127.0.0.1:$http" >log 2>&1 3>&- &
    pid=$!
    rw_wait_port "$port" "$pid" || { cat log; false; }
    run "$R" produce x -b "127.0.0.1:$port" <<<hello
    kill "$pid"
    [ "$status" -eq 3 ]
    [[ "$output" == *"connected to 127.0.0.1:$port, but broker 1 advertises nowhere.invalid:$port, which does not resolve here"* ]]
    [[ "$output" == *"advertised.listeners"* ]]
}

@test "JSON lines go from one topic to another without loss" {
    cat >in <<'LINES'
{"key":"k","value":"v","timestamp":1700000000123,"headers":[{"key":"h","value":"x"},{"key":"h","value":null}]}
{"key":null,"value":"","timestamp":9007199254740993}

{"key":"","value":null,"timestamp":5,"headers":[{"key":"b","value":{"base64":"/wD+"}}]}
{"key":{"base64":"gIE="},"value":"nul \u0000","timestamp":6}
LINES
    "$R" topic create json-a json-b -c message.timestamp.after.max.ms=9223372036854775807
    "$R" produce json-a -p 0 -f json <in
    "$R" consume json-a -e --json >a
    "$R" produce json-b -p 0 -f json <a
    "$R" consume json-b -e --json >b
    sed 's/json-a/json-b/' a | diff - b
    python3 - <<'PYTHON'
import json
a, b, c, d = [json.loads(line) for line in open("a")]
assert a["headers"] == [{"key": "h", "value": "x"}, {"key": "h", "value": None}] and a["timestamp"] == 1700000000123
assert b["key"] is None and b["value"] == "" and b["timestamp"] == 9007199254740993
assert c["key"] == "" and c["value"] is None and c["headers"][0]["value"] == {"base64": "/wD+"}
assert d["key"] == {"base64": "gIE="} and d["value"] == "nul \0"
PYTHON
    run "$R" produce json-b -f json <<<'{"value":1}'
    [ "$status" -ne 0 ]
    [[ "$output" == *"line 1: character"* ]]
}

@test "unpack and re in formats" {
    printf 'ab12\ncd3\n' | "$R" produce expressions -f '%k{re[[a-z]+]}%v{re#[0-9]+#}\n'
    run "$R" consume expressions -e -f '%k-%v %v{unpack[>Bs]}\n'
    [ "${lines[0]}" = "ab-12 492" ]
    [ "${lines[1]}" = "cd-3 51" ]
    run "$R" consume expressions -e -f '%v{re[x]}'
    [ "$status" -eq 2 ]
}

# With a terminal as standard error: prints what was drawn there, and the exit status.
on_terminal() {
    python3 - "$@" <<'PYTHON'
import os, pty, signal, sys, time

pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.environ.pop("CI", None)
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
began = time.monotonic()
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        data = b""
    if not data:
        break
    seen += data
    if b"waiting" in seen and b"^C" not in seen and b"\x03" not in seen:
        os.write(fd, b"\x03")  # the terminal makes SIGINT of it, for a process that does not ignore it
        seen += b"\x03"
    if time.monotonic() - began > 60:
        os.kill(pid, signal.SIGKILL)
        break
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(seen.decode(errors="replace"))
print("\nstatus %d" % status)
PYTHON
}

@test "a file that is sent shows how much is left, on a terminal" {
    # Batches of one record: slow enough for a progress line, which comes ten times a second.
    yes "a line of some length, to have something to send" | head -n 200000 >in
    run on_terminal "$R" produce progress --batch-size 200 in
    echo "$output" | tail -c 500
    [[ "$output" == *" records "*"/s"*"% "*" left"* ]]
    [[ "$output" == *"status 0"* ]]
    [ "$("$R" consume progress -e | wc -l)" -eq 200000 ]
    "$R" produce progress in 2>err
    [ ! -s err ]
}

@test "a wrong --brokers is wrong usage" {
    for brokers in "" "host:99999" "a:1,,b:2" "a:1,:2"; do
        run "$R" --brokers "$brokers" topic list
        [ "$status" -eq 2 ] || { echo "$brokers: $status $output"; false; }
    done
}

@test "a question that is not answered with yes changes nothing: 1, and 130 for Ctrl-C" {
    "$R" topic create asked
    python3 - "$R" <<'PY'
import os, pty, sys

for answer, status, words in ((b"n\n", 1, b"nothing was changed"), (b"\x04", 1, b"nothing was changed"),
                              (b"\x03", 130, b"\r\n")):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], [sys.argv[1], "topic", "delete", "asked"])
    got = b""
    while b"[y/N] " not in got:
        got += os.read(fd, 1000)
    os.write(fd, answer)
    rest = b""
    try:
        while True:
            rest += os.read(fd, 1000)
    except OSError:
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == status and words in rest, (answer, code, rest)
PY
    "$R" topic describe asked
}

@test "Ctrl-C on a terminal ends consume with 130" {
    echo waiting | "$R" produce interrupted
    run on_terminal "$R" consume interrupted
    echo "$output"
    [[ "$output" == *waiting* ]]
    [[ "$output" == *"status 130"* ]]
}

@test "consume: an offset beyond all numbers" {
    "$R" topic create beyond
    printf 'a\nb\nc\n' | "$R" produce beyond
    "$R" topic trim beyond -o 2 --yes
    run timeout 20 "$R" consume beyond -e -q -o +9223372036854775806
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    run timeout 20 "$R" consume beyond -e -q -o :+9223372036854775807
    [ "$status" -eq 0 ]
    [ "$output" = c ]
    run timeout 20 "$R" topic trim beyond -o +9223372036854775807 --yes
    [ "$status" -eq 1 ]
    [[ "$output" == *OFFSET_OUT_OF_RANGE* ]]
}

@test "control characters in names do nothing to the terminal" {
    run "$R" consume $'no\n\033[31msuch\ttopic' -e
    [ "$status" -ne 0 ]
    [[ "${lines[0]}" == *'no\n\x1b[31msuch\ttopic'* ]]
    [[ "$output" != *$'\033'* ]]
    run "$R" topic delete --yes $'no\nsuch'
    [ "$status" -ne 0 ]
    [[ "$output" == *'no\nsuch'* ]]
    run "$R" topic $'x\033'
    [ "$status" -eq 2 ]
    [[ "$output" != *$'\033'* ]]
}
