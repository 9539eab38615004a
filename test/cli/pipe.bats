#!/usr/bin/env bats
# rollway pipe with a real broker: outputs, parsers, filters, dead letters, and progress that survives kills.

load ../../script/lib.sh
load one_broker.bash

lines() { # FROM TO: numbered lines
    seq "$1" "$2" | sed 's/.*/line & of some text that makes files grow/'
}

apps() { # lines of applications, as JSON
    cat <<'END'
{"ts":"2026-11-23T01:00:00Z","level":"info","msg":"ready","service":"api","http":{"status":200,"path":"/v1/a"}}
{"ts":"2026-11-23T01:00:01Z","level":"warning","msg":"slow","service":"api","http":{"status":200,"path":"/health"},"ms":1250}
{"ts":"2026-11-23T01:00:02Z","lvl":"ERR","msg":"it failed","service":"web","http":{"status":503,"path":"/v2/b"},"id":9007199254740993}
{"ts":"2026-11-23T01:00:03Z","severity":"crit","msg":"gone","service":"web"}
END
}

@test "a topic into files that are rotated and compressed: all lines, in order, and only new ones the next time" {
    "$R" topic create files -p 1
    lines 1 3000 | "$R" produce files
    "$R" pipe files --to-file out.log --rotate-size 20KiB --rotate-compress zstd -e
    [ "$(ls out.log.2*.zst | wc -l)" -ge 4 ]
    lines 3001 3100 | "$R" produce files
    "$R" pipe files --to-file out.log --rotate-size 20KiB --rotate-compress zstd -e
    for f in $(ls out.log.2* | sort); do case $f in *.zst) zstdcat "$f" ;; *) cat "$f" ;; esac; done >all
    cat out.log >>all
    cmp all <(lines 1 3100)
    [ "$(stat -c %a out.log)" = 640 ]
}

@test "a topic into a topic: partitions, keys, headers and times stay" {
    "$R" topic create from -p 3
    "$R" topic create to -p 3
    for i in 1 2 3 4 5 6 7 8 9; do
        printf '{"key":"k%s","value":"v%s","timestamp":1700000000%03d,"headers":[{"key":"h","value":"%s"}]}\n' $i $i $i $i
    done | "$R" produce from -f json
    "$R" pipe from --to-topic to -e -z lz4
    f='%p %k %v %d %h{%k=%v}\n'
    "$R" consume from -o start -e -f "$f" | sort >a
    "$R" consume to -o start -e -f "$f" | sort >b
    [ "$(wc -l <a)" = 9 ]
    cmp a b
    run "$R" pipe from --to-topic to -e
    [ "$status" -eq 0 ]
    [ "$("$R" consume to -o start -e | wc -l)" = 9 ]
}

@test "standard input into a topic: syslog as JSON, with a key" {
    printf '%s\n' '<34>1 2026-10-11T22:14:15.003Z host1 su 42 ID47 [x@1 user="root"] it failed' \
        '<13>Oct 11 22:14:16 host2 cron[7]: done' | "$R" pipe - --parse syslog -f json --to-topic logs -k host
    run "$R" consume logs -o start -e -f '%k %v\n'
    [[ "${lines[0]}" == 'host1 {'*'"level":"crit"'*'it failed'* ]] || [[ "${lines[1]}" == 'host1 {'*'it failed'* ]]
    [[ "$output" == *'host2 {'*'"message":"done"'* ]]
}

@test "expressions choose lines: levels by their names, numbers, nested fields, regular expressions" {
    apps >apps.json
    want() { # EXPRESSION MESSAGES...
        local e=$1
        shift
        run "$R" pipe - -w "$e" -f text <apps.json
        [ "$status" -eq 0 ]
        [ "$output" = "$(printf '%s\n' "$@")" ] || { echo "$e: $output"; return 1; }
    }
    want 'level >= warn' slow 'it failed' gone
    want 'service = web and not level = fatal' 'it failed' gone
    want 'http.status >= 500 or ms > 1000' slow 'it failed'
    want 'http.path =~ "^/v[12]/"' ready 'it failed'
    want 'message ~ "fail"' 'it failed'
    want 'id = 9007199254740993' 'it failed'
    want 'http' ready slow 'it failed'
    want 'not http' gone
}

@test "formats: what was not touched comes out as it came in" {
    apps >apps.json
    "$R" pipe - -f json --parse json <apps.json | cmp - apps.json
    "$R" pipe - <apps.json | cmp - apps.json
    run "$R" pipe - --parse 'pattern:<ip> - - [<_>] "<method> <path> <_>" <status>' -f logfmt <<'END'
10.0.0.1 - - [23/Nov/2026:01:00:00 +0000] "GET /a b HTTP/1.1" 200
END
    [ "$output" = 'ip=10.0.0.1 method=GET path=/a status=200' ] || [[ "$output" == 'ip=10.0.0.1 method=GET path='*'status=200' ]]
    run "$R" pipe - -f json <<<'a=1 b="two words" c=true'
    [ "$output" = '{"a":1,"b":"two words","c":true}' ]
}

@test "what can not be parsed: the pipe ends and says where; skip, pass; dead letters with their reason, replayed" {
    "$R" topic create mixed -p 1
    printf '%s\n' '{"n":1}' 'no json' '{"n":2}' | "$R" produce mixed
    run "$R" pipe mixed --parse json --to-file out.log -e
    [ "$status" -eq 1 ]
    [[ "$output" == *"mixed, partition 0, offset 1"*"--dlq TOPIC"* ]]
    run cat out.log
    [ "$output" = '{"n":1}' ] || [ "$output" = '' ]
    run "$R" pipe mixed --parse json -e --on-error skip -q
    [ "$output" = $'{"n":1}\n{"n":2}' ]
    run "$R" pipe mixed --parse json -e --on-error pass -q
    [ "${lines[1]}" = 'no json' ]
    "$R" pipe mixed --parse json --to-file out.log -e --dlq mixed.dlq
    [ "$(cat out.log)" = $'{"n":1}\n{"n":2}' ]
    run "$R" dlq show mixed.dlq
    [[ "$output" == *"code parse_error"*"source   mixed-0 offset 1"*'"no json"'* ]]
    run "$R" dlq replay mixed.dlq
    [ "$status" -eq 0 ]
    [ "$("$R" consume mixed -o start -e | tail -1)" = 'no json' ]
}

@test "killed again and again: every line is in the files once, in order" {
    "$R" topic create killed -p 2
    python3 - "$R" <<'END'
import collections, glob, os, random, subprocess, sys, time
R, N, rng = sys.argv[1], 20000, random.Random(7)
producer = subprocess.Popen([R, "produce", "killed", "-f", "%k %v\n"], stdin=subprocess.PIPE, text=True)
command = [R, "pipe", "killed", "--to-file", "out.log", "--rotate-size", "100KiB", "--commit-interval", "20ms", "-q"]
i = kills = 0
while i < N:
    pipe = subprocess.Popen(command)
    end = time.time() + rng.uniform(0.05, 0.4)
    while time.time() < end and i < N:
        producer.stdin.write("".join("%d %d %s\n" % (k % 7, k, "x" * (k % 90)) for k in range(i, i + 60)))
        producer.stdin.flush()
        i += 60
        time.sleep(0.004)
    pipe.kill()
    pipe.wait()
    kills += 1
producer.stdin.close()
assert producer.wait() == 0
subprocess.run(command + ["-e"], check=True)
count, last = collections.Counter(), collections.defaultdict(lambda: -1)
for name in sorted(glob.glob("out.log.2*")) + ["out.log"]:
    for line in open(name):
        n = int(line.split()[0])
        count[n] += 1
        assert last[n % 7] < n, "order"
        last[n % 7] = n
assert len(count) == i and set(count.values()) == {1}, (kills, i, len(count), collections.Counter(count.values()))
print("kills: %d, lines: %d" % (kills, i))
END
}

@test "checkpoints: one pipe at a time, of one topic, and not damaged" {
    "$R" topic create one -p 1
    "$R" topic create other -p 1
    lines 1 10 | "$R" produce one
    "$R" pipe one --to-file out.log --checkpoint mark &
    local pid=$!
    for _ in $(seq 100); do [ ! -s mark ] || break; sleep 0.1; done
    run "$R" pipe one --to-file two.log --checkpoint mark -e
    [ "$status" -ne 0 ]
    [[ "$output" == *"another pipe is running with the checkpoint mark"* ]]
    run "$R" pipe one --to-file "$PWD/out.log" -e # it would cut off what the other one has written
    [ "$status" -eq 6 ]
    [[ "$output" == *"another pipe is"* ]]
    run "$R" pipe one --to-file out.log --checkpoint mark3 -e
    [ "$status" -eq 6 ]
    [[ "$output" == *"another pipe is writing to out.log"* ]]
    "$R" pipe one --to-file three.log --checkpoint ./three.log.checkpoint -e # the same lock
    kill -TERM "$pid"
    wait "$pid" || true
    run "$R" pipe other --to-file two.log --checkpoint mark -e
    [ "$status" -ne 0 ]
    [[ "$output" == *"is the checkpoint of a pipe from one, not from other"* ]]
    "$R" topic delete one --yes
    "$R" topic create one -p 1
    run "$R" pipe one --to-file out.log --checkpoint mark -e
    [ "$status" -ne 0 ]
    [[ "$output" == *"deleted and created again"* ]]
    echo x >>mark
    run "$R" pipe one --to-file out.log --checkpoint mark -e
    [ "$status" -ne 0 ]
    [[ "$output" == *"damaged"* ]]
}

@test "the broker is restarted in between: the pipe goes on, nothing twice" {
    mkdir own
    (unset RW_PORT RW_HTTP_PORT; RW_BIN=$R rw_broker_start "$PWD/own"; echo "$RW_PID $RW_PORT $RW_HTTP_PORT" >own.env)
    local pid port http
    read -r pid port http <own.env
    export ROLLWAY_BROKERS=127.0.0.1:$port
    "$R" topic create again -p 1
    lines 1 100 | "$R" produce again
    "$R" pipe again --to-file out.log --commit-interval 50ms 2>pipe.err &
    local pipe=$!
    for _ in $(seq 100); do [ "$(wc -l <out.log 2>/dev/null || echo 0)" != 100 ] || break; sleep 0.1; done
    kill -9 "$pid"
    sleep 1
    (RW_PORT=$port RW_HTTP_PORT=$http RW_BIN=$R rw_broker_start "$PWD/own"; echo "$RW_PID" >own.env)
    lines 101 200 | "$R" produce again
    for _ in $(seq 150); do [ "$(wc -l <out.log)" != 200 ] || break; sleep 0.1; done
    kill -TERM $pipe "$(cat own.env)"
    wait $pipe || true
    cat pipe.err
    cmp out.log <(lines 1 200)
}

@test "wrong options are told in words" {
    wrong() { # WORDS ARGUMENTS...
        local words=$1
        shift
        run "$R" pipe "$@" </dev/null
        [ "$status" -eq 2 ]
        [[ "$output" == *"$words"* ]] || { echo "$output"; return 1; }
    }
    wrong "there is one output" x --to-file a --to-topic b
    wrong "are for --to-file" x --rotate-size 1MiB
    wrong "--format is one of raw, json, logfmt, text" x -f yaml
    wrong "--parse is one of" x --parse xml
    wrong "--where:" x -w 'level >='
    wrong "--where:" x -w 'a =~ "["'
    wrong "--on-error dlq needs --dlq" x --on-error dlq
    wrong "--on-error is one of" x --on-error ignore
    wrong "rotate.size" x --to-file a --rotate-size many
    wrong "--group is for topics" - -g x
    wrong "--checkpoint is for topics" - --checkpoint x
    run "$R" pipe no-such-topic -e -g x
    [ "$status" -ne 0 ]
    run "$R" pipe no-such-topic -e
    [ "$status" -eq 5 ]
}

@test "standard input is not read again: what lies before a bad line is written, and an input that fails is an error" {
    run "$R" pipe - --parse json --to-file out.log < <(printf '{"a":1}\n{bad\n{"a":2}\n')
    [ "$status" -eq 1 ]
    [[ "$output" == *"line 2: "* ]]
    [ "$(cat out.log)" = '{"a":1}' ]
    run timeout -s INT 3 "$R" pipe - --to-file /dev/full < <(seq 10)
    [[ "$output" == *"no space left; trying again"*"10 lines of standard input could not be written"* ]]
    run "$R" pipe - --to-file never.log </
    [ "$status" -eq 1 ]
    [[ "$output" == *"standard input can not be read: Is a directory"* ]]
}

@test "lines of standard input: raw keeps a carriage return, parsers do not see it, and what is too long is told" {
    printf 'one\r\ntwo\n\r\nlast\r' >in
    "$R" pipe - --to-file raw.log <in
    cmp <(cat in; echo) raw.log
    printf 'a=1\r\n{"a":2}\r\n' >in
    [ "$("$R" pipe - -f json <in)" = $'{"a":1}\n{"a":2}' ]
    [ "$("$R" pipe - --parse text -f json <in | head -n 1)" = '{"message":"a=1"}' ]
    long() {
        echo before
        head -c 70000000 /dev/zero | tr '\0' x
        printf '\nafter\n'
    }
    run "$R" pipe - --to-file long.log < <(long)
    [ "$status" -eq 1 ]
    [[ "$output" == *"line 2: it has more than 64"*"--on-error skip"* ]]
    [ "$(cat long.log)" = before ]
    run "$R" pipe - --on-error skip --to-file skipped.log < <(long)
    [ "$status" -eq 0 ]
    [[ "$output" == *"line 2 is left out"*"3 read, 2 written, 0 filtered out, 0 to the dead letters, 1 skipped"* ]]
    [ "$(cat skipped.log)" = $'before\nafter' ]
    head -c 67108864 /dev/zero | tr '\0' x >exactly
    "$R" pipe - --to-file exactly.log <exactly
    cmp <(cat exactly; echo) exactly.log
}

@test "a regular expression that would take for ever on a line is given up on it" {
    python3 -c 'print("{\"msg\":\"" + "x" * 1000000 + "\"}"); print("{\"msg\":\"xxy\"}"); print("{\"msg\":\"\u00e9\"}")' >in
    run timeout 20 "$R" pipe - -w 'msg =~ "(x+x+)+[yz]"' -f text <in
    [ "$status" -eq 1 ]
    [[ "$output" == *"line 1: a regular expression of --where takes too long on it"* ]]
    [ "$(timeout 20 "$R" pipe - -w 'msg =~ "(x+x+)+[yz]"' -f text --on-error skip -q <in)" = xxy ]
    [ "$(timeout 20 "$R" pipe - -w 'msg =~ "x.*y|^.$"' -f text -q <in | tail -n 1)" = é ]
    [ "$(timeout 20 "$R" pipe - -w 'msg =~ "^[[:alpha:]]{3}$" and not msg =~ "\\d"' -f text <in)" = xxy ]
    run "$R" pipe - -w 'msg =~ "(x"' <in
    [ "$status" -eq 2 ]
    [[ "$output" == *"missing closing parenthesis, at character 3"* ]]
}

@test "a disk that is too full for the checkpoint is waited for, and only what is written is counted" {
    mkdir full
    mount -t tmpfs -o size=64k tmpfs full 2>/dev/null || skip "no mount here"
    head -c 70000 /dev/zero >full/x 2>/dev/null || true
    "$R" topic create crowded -p 1
    lines 1 20000 | "$R" produce crowded
    run timeout -s INT 2 "$R" pipe crowded --to-file full/out.log -e -v
    [[ "$output" == *"full/out.log.checkpoint: no space left; trying again"*"20000 read, 0 written"* ]] || { umount full; return 1; }
    "$R" pipe crowded --to-file full/out.log -e 3>&- &
    sleep 1
    mount -o remount,size=8m full
    wait $!
    cmp full/out.log <(lines 1 20000) || { umount full; return 1; }
    umount full
}

@test "progress of pipes with names that look alike is kept apart" {
    export XDG_STATE_HOME=$PWD/state
    for t in a a-to-b b-to-c c; do
        "$R" topic create "$t" -p 1
        echo "$t" | "$R" produce "$t"
    done
    "$R" pipe a-to-b --to-topic c -e
    "$R" pipe a --to-topic b-to-c -e
    [ "$("$R" consume c -o start -e | tail -n 1)" = a-to-b ]
    [ "$("$R" consume b-to-c -o start -e | tail -n 1)" = a ]
    [ "$(find state -name '*.checkpoint' | wc -l)" = 2 ]
}

@test "partitions that are added while it runs are read, from an idle topic and from a busy one" {
    "$R" topic create growing -p 1
    "$R" topic create filling -p 1
    lines 1 5 | "$R" produce growing
    "$R" pipe growing --to-file growing.log &
    local idle=$!
    "$R" pipe filling --to-file filling.log &
    local busy=$!
    while sleep 0.01; do seq 100; done | "$R" produce filling -q &
    local load=$!
    for _ in $(seq 100); do [ ! -s growing.log ] || [ ! -s filling.log ] || break; sleep 0.1; done
    for topic in growing filling; do
        "$R" topic add-partitions "$topic" -n 1
        echo "new in $topic" | "$R" produce "$topic" -p 1
    done
    for _ in $(seq 200); do grep -q new growing.log && grep -q new filling.log && break; sleep 0.1; done
    pkill -P "$load" 2>/dev/null || true
    kill "$load" "$idle" "$busy"
    local code=0
    wait "$idle" || code=$?
    [ "$code" -eq 143 ]
    code=0
    wait "$busy" || code=$?
    [ "$code" -eq 143 ]
    [ "$(grep -c new growing.log)" -eq 1 ]
    [ "$(grep -c new filling.log)" -eq 1 ]
}

@test "a topic that is deleted and created again while a pipe runs ends it, before anything of the other topic is taken for its own" {
    "$R" topic create again -p 1
    lines 1 5 | "$R" produce again
    "$R" pipe again --to-file again.log 2>err &
    local pid=$!
    for _ in $(seq 100); do [ ! -s again.log ] || break; sleep 0.1; done
    "$R" topic delete again --yes
    "$R" topic create again -p 1
    lines 101 120 | "$R" produce again
    for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    local code=0
    wait "$pid" || code=$?
    [ "$code" -eq 1 ]
    grep -q "deleted and created again" err
    [ "$(wc -l <again.log)" -eq 5 ]
}
