#!/usr/bin/env bats
# rollway logger: what goes over the wire beside logger(1) of util-linux where that is installed, and as it is written
# down here where not; topics and configurations.

load ../../script/lib.sh

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    R=$(realpath "${ROLLWAY:-${RW_BIN:-$TOP/build/rollway}}")
    [ -x "$R" ] || skip "no $R"
    cd "$BATS_TEST_TMPDIR" || return
    ln -sf "$R" logger
    export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_STATE_HOME=$BATS_TEST_TMPDIR/state TZ=Asia/Kathmandu
    mkdir -p run
}

daemon() { python3 "$BATS_TEST_DIRNAME/syslog_socket.py" "$@"; }

# same INPUT ARGUMENTS...: rollway logger, logger as a link, and logger(1) send the same and end with the same code.
same() {
    local input=$1 real=/usr/bin/logger a b status=0
    shift
    "$real" --version 2>/dev/null | grep -q util-linux || skip "no logger of util-linux"
    a=$(printf '%b' "$input" | daemon s "$real" -u s "$@" 2>real.err) || status=$?
    b=$(printf '%b' "$input" | daemon s ./logger -u s "$@" 2>link.err) || b="exit code $? $b"
    [ "$status" -eq 0 ] || a="exit code $status $a"
    [ "$a" = "$b" ] || { printf 'real: %s\nlink: %s\n' "$a" "$b"; cat real.err link.err; return 1; }
    [ "$status" -ne 0 ] || b=$(printf '%b' "$input" | daemon s "$R" logger -u s "$@" 2>ours.err)
    [ "$status" -ne 0 ] || [ "$a" = "$b" ] || { printf 'real: %s\nours: %s\n' "$a" "$b"; return 1; }
}

@test "the same bytes as logger(1): forms, tags, priorities" {
    same "" hello world
    same "" -t tag -p local3.err x
    same "" --id=77 y
    same "" --rfc3164 z
    same "" --rfc3164 -t "$(printf 'q%.0s' {1..250})" z
    same "" --rfc5424 z
    same "" --rfc5424=notime,nohost,notq --msgid M --sd-id a@1 --sd-param 'x="1"' --sd-param 'y="2"' --sd-id b@1 q
    same "" --rfc5424 --sd-id a@1 --sd-param 'x="1\"2"' --sd-id meta --sd-param 'y="2"' q
    same "" --rfc5424 --sd-id timeQuality --sd-param 'tzKnown="0"' q
    same "" --rfc3164 --rfc5424 q
    same "" --octet-count -t x counted
    same "" -p 3 x
    same "" -p 0.3 x
    same "" -p kern.INFO x
    same "" -p security.panic -t "" x
    same "" x -t y z
    same "" -- -t y z
    same "" -p 8.3 x
    same "" -p 184.7 x
    same "" --rfc5424=notime --rfc5424=nohost x
    same "" --stder --rfc54=notime,nohost --msg M x
    same "" -it both --id=5 x
}

@test "the same bytes as logger(1): lines of input, splitting, prefixes" {
    same 'a\n\nb\0c\nlast'
    same 'a\n\n\nb' -e
    same '<3>d\n<999>x\n<1a>b\n<191>zz\n<7>\n<8\n<' --prio-prefix
    same '0123456789012345678901234567890123456789012345678901234567\n' -S 40 -t T
    same '' -S 20 aaaaaaaaaa bbbbbbbbbbbb cccccccccccccccccccccccccccccccc d
    same '\xff\xfe\x01\x02\n\xc3\xa4\n'
    same '' ''
    same '' '' a
    same '' a '' b
    printf 'from\na file\n' >file
    same '' -f file
}

@test "the same exit codes as logger(1)" {
    same "" -p bad.x x
    same "" -p 9 x
    same "" -p 16.3x x
    same "" -p 1.3 x
    same "" -p bad -p err x
    same "" --prio err x
    same "" --rfc5424 --sd-id a@1 --sd-param 'x="1"' --sd-id a@1 x
    same "" --bad
    same "" -f /nonexistent/file
    same "" --sd-param x=1 y
    same "" --sd-id bad x
    same "" --id=x y
    same "" -S x y
    same "" --rfc5424=bad x
    same "" --rfc5424 -t "$(printf 'a%.0s' {1..60})" x
    same "" --rfc5424 --msgid 'a b' x
    same "" --no-act -s hi
    run ./logger -u nowhere x
    [ "$status" -eq 0 ]
    run ./logger -u nowhere --socket-errors=on x
    [ "$status" -eq 1 ]
    run "$R" logger -u nowhere -s x
    [ "$status" -eq 1 ]
}

@test "UDP and TCP, with and without counting" {
    run daemon udp "$R" logger -n 127.0.0.1 -P PORT -t t --rfc3164 -p local0.info hello
    [[ "$output" == '<134>TIME '*' t: hello' ]]
    run daemon tcp "$R" logger -n 127.0.0.1 -P PORT -T --rfc5424=notime,nohost,notq -t t <<<$'one\ntwo'
    [ "$output" = $'<13>1 - - t - - - one\n<13>1 - - t - - - two' ]
    run daemon tcp "$R" logger -n 127.0.0.1 -P PORT -T --octet-count --rfc5424=notime,nohost,notq -t t one
    [ "$output" = '21 <13>1 - - t - - - one' ]
    run daemon tcp "$R" logger -n 127.0.0.1 -P PORT -d -T --rfc5424=notime,nohost,notq -t t last
    [ "$output" = '<13>1 - - t - - - last' ]
    run "$R" logger -n 127.0.0.1 -P 1 -T x
    [ "$status" -eq 1 ]
    [[ "$output" == *"failed to connect to 127.0.0.1 port 1"* ]]
}

@test "an entry of the journal, over several lines where it has them" {
    run daemon j "$R" logger --journald -u j <<<$'MESSAGE=one\nPRIORITY=3\nMESSAGE=two\nX=y  \n\nMESSAGE=later'
    [ "$output" = 'MESSAGE\n\x07\x00\x00\x00\x00\x00\x00\x00one\ntwo\nPRIORITY=3\nX=y\nSYSLOG_IDENTIFIER=logger\n' ]
    run daemon j "$R" logger --journald -u j <<<$'SYSLOG_IDENTIFIER=mine\nX=1'
    [ "$output" = 'SYSLOG_IDENTIFIER=mine\nX=1\n' ]
    run "$R" logger --journald --no-act -s <<<$'X=1\nMESSAGE=one\nMESSAGE=two\nY=2'
    [ "$output" = $'X=1\nMESSAGE=one\ntwo\nY=2' ]
    local wrong
    for wrong in '' nonsense =x $'MESSAGE=fine\nnot'; do
        run "$R" logger --journald -u j <<<"$wrong"
        [ "$status" -eq 1 ]
        [[ "$output" == *"journald entry could not be written"* ]]
    done
}

@test "only the very first word can be a command of ours" {
    run daemon s "$R" logger -u s -t t check
    [ "$output" = '<13>TIME t: check' ]
    run daemon s "$R" logger -u s -t t rescue me
    [ "$output" = '<13>TIME t: rescue me' ]
    run daemon s ./logger -u s -t t -- check
    [ "$output" = '<13>TIME t: check' ]
    run ./logger -V
    [[ "$output" == logger\ from\ rollway* ]]
}

@test "a line of a megabyte is split, not cut, and memory does not grow with it" {
    head -c 1000000 /dev/zero | tr '\0' x >long
    run bash -c '(ulimit -v 400000; python3 "$1" s "$2" logger -u s -t t -f long) | sed "s/.*: //" | tr -d "\n" | wc -c' _ \
        "$BATS_TEST_DIRNAME/syslog_socket.py" "$R"
    [ "$output" -eq 1000000 ]
}

@test "to a topic: key, value, headers; acknowledged when the command ends" {
    unset RW_PORT RW_HTTP_PORT
    RW_BIN=$R rw_broker_start "$BATS_TEST_TMPDIR/broker"
    export ROLLWAY_BROKERS=$RW_BROKER
    printf 'one\ntwo\0three\n\xff\n' | "$R" logger --to-topic l -t app -p local1.crit --id=7
    "$R" logger --to-topic l -t app --rfc5424=notime,nohost,notq four
    "$R" consume l -e --json | python3 -c '
import json, sys
r = [json.loads(line) for line in sys.stdin]
assert [x["value"] for x in r[:2]] == ["one", "two\0three"] and "base64" in r[2]["value"], r
assert all(x["key"] == "app" for x in r)
h = {x["key"]: x["value"] for x in r[0]["headers"]}
assert h["syslog.facility"] == "local1" and h["syslog.severity"] == "crit" and h["syslog.procid"] == "7" and h["syslog.hostname"], h
assert r[3]["value"] == "<13>1 - - app - - - four", r[3]'
    rw_broker_stop TERM
    run "$R" logger --to-topic l x
    [ "$status" -eq 3 ]
}

@test "to the appenders of a configuration, written when the command ends" {
    printf 'appender.f.type = file\nappender.f.path = out.log\nappender.f.format = %%p %%m%%k\n' >conf
    "$R" logger --config conf -p daemon.warning --id=9 careful
    [ "$(cat out.log)" = 'warn careful facility=daemon pid=9' ]
    seq 200000 | "$R" logger --config conf
    [ "$(tail -n +2 out.log | awk '{print $2}' | cksum)" = "$(seq 200000 | cksum)" ]
    echo 'appender.f.typ = file' >wrong.conf
    run "$R" logger --config wrong.conf x
    [ "$status" -eq 1 ]
    [[ "$output" == *"appender.f.type is missing"* ]]
    [ -z "$(ls run/rollway)" ]
}

# killed PRIORITIES...: a process that logged a line of each priority to a syslog that is not there, and was killed.
killed() {
    printf 'appender.s.type = syslog\nappender.s.address = %s/nowhere\nappender.f.type = file\nappender.f.path = out.log\nappender.f.level = error\n' \
        "$PWD" >conf
    mkfifo pipe
    "$R" logger --config conf -t app --prio-prefix <pipe 2>/dev/null &
    local pid=$! p
    exec 7>pipe
    for p in "$@"; do printf '<%s>of "%s"\n' "$p" "$p" >&7; done
    for _ in {1..100}; do [ ! -s out.log ] || break; sleep 0.1; done
    RING=$(echo "$PWD"/run/rollway/app.*.rings)
    "$R" logger rescue --list --json >alive.json
    kill -KILL "$pid"
    exec 7>&-
    wait "$pid" || true
}

@test "rescue shows what a killed process has left, and changes nothing" {
    killed 4 6 3
    python3 -c 'import json; d, = json.load(open("alive.json")); assert d["alive"] and d["application"] == "app", d'
    cksum "$RING" >before
    "$R" logger rescue --list --json | python3 -c '
import json, sys
d, = json.load(sys.stdin)
assert d["records"] == 3 and not d["alive"] and d["damaged"] == 0 and d["newest_ms"] >= d["oldest_ms"] > 0, d'
    run "$R" logger rescue -q -f '%p %m'
    [ "$output" = $'warn of "4"\ninfo of "6"\nerror of "3"' ]
    run "$R" logger rescue -q --json --level warn "$RING"
    [ "$(python3 -c 'import json, sys; print(*(json.loads(l)["message"] for l in sys.argv[1].split("\n")))' "$output")" = 'of "4" of "3"' ]
    [ -z "$("$R" logger rescue -q --appender f)" ]
    [ "$("$R" logger rescue -q --appender f --all -f %p | wc -l)" -eq 0 ]
    run "$R" logger rescue --appender g
    [ "$status" -eq 5 ]
    cksum "$RING" | diff - before
    # The next start has them all the same.
    sed -i "s|^appender.s.*||" conf
    printf 'appender.s.type = file\nappender.s.path = second.log\nappender.s.format = %%m\n' >>conf
    "$R" logger --config conf -t app -p debug x
    [ "$(cat second.log)" = $'of "4"\nof "6"\nof "3"' ]
}

@test "a start while somebody looks at what is left: it is written a second later" {
    killed 4 3
    rm -f late.log
    printf 'appender.s.type = file\nappender.s.path = late.log\nappender.s.flush.interval = 0\nappender.s.format = %%m\n' >conf
    mkfifo pipe2
    flock -s "$RING" sleep 0.5 &
    "$R" logger --config conf -t app <pipe2 &
    exec 8>pipe2
    for _ in {1..100}; do [ ! -s late.log ] || break; sleep 0.1; done
    exec 8>&-
    wait
    [ "$(cat late.log)" = $'of "4"\nof "3"' ]
    [ ! -e "$RING" ]
}

@test "rescue --remove takes the file away when all of it is out, and not before" {
    killed 3
    run bash -c '"$1" logger rescue --remove >/dev/full' _ "$R"
    [ "$status" -ne 0 ]
    [ -e "$RING" ]
    run "$R" logger rescue --remove --level error
    [ "$status" -eq 2 ]
    "$R" logger rescue --remove >saved
    grep -q 'level=error msg="of \\"3\\""' saved
    [ ! -e "$RING" ]
    run "$R" logger rescue
    [ "$status" -eq 0 ]
    [[ "$output" == *"nothing was left"* ]]
}

@test "rescue of damaged and foreign files: in words, never a crash" {
    killed 3 4 5
    echo hello >foreign.rings
    run "$R" logger rescue foreign.rings
    [ "$status" -eq 8 ]
    [[ "$output" == *"not a file of rings, or damaged"* ]]
    head -c 100000 "$RING" >short.rings
    run "$R" logger rescue short.rings
    [ "$status" -eq 8 ]
    run "$R" logger rescue nowhere
    [ "$status" -eq 5 ]
    # Nothing was ever in these: no damage. What may be damage is not taken for it.
    : >app.77.0.rings
    head -c 8192 /dev/zero >app.78.0.rings
    (head -c 4000 /dev/zero && echo x && head -c 4000 /dev/zero) >app.79.0.rings
    run "$R" logger rescue app.77.0.rings app.78.0.rings
    [ "$status" -eq 0 ]
    [[ "$output" == *"app.77.0.rings: empty, its process ended before it had logged anything"*"app.78.0.rings: empty"* ]]
    "$R" logger rescue --list --json app.77.0.rings | python3 -c '
import json, sys
d, = json.load(sys.stdin)
assert d["records"] == 0 and d["pid"] == 77 and d["application"] == "app" and not d["alive"], d'
    run "$R" logger rescue --remove app.77.0.rings app.79.0.rings
    [ "$status" -eq 8 ]
    [ ! -e app.77.0.rings ]
    [ -e app.79.0.rings ]
    ln -s "$RING" link.rings
    run "$R" logger rescue link.rings
    [ "$status" -eq 1 ]
    [[ "$output" == *"link.rings: a symbolic link, which is not followed"* ]]
    cp --sparse=always "$RING" damaged.rings
    for seed in $(seq 40); do
        python3 -c '
import os, random, sys
random.seed(int(sys.argv[1]))
f = os.open("damaged.rings", os.O_RDWR)
pages, at = [0], 0
try:
    while True:
        at = os.lseek(f, at, os.SEEK_DATA)
        pages.append(at)
        at += 4096
except OSError:
    pass
for _ in range(8):
    at = random.choice([0, random.choice(pages)]) + random.randrange(1024)
    os.pwrite(f, random.randbytes(random.choice([1, 4, 8])), at)' "$seed"
        run timeout 20 "$R" logger rescue --all damaged.rings
        [ "$status" -eq 0 ] || [ "$status" -eq 8 ] || [[ "$output" == *"rings of format"* ]] || { echo "seed $seed: $status: $output"; false; }
        cp --sparse=always "$RING" damaged.rings
    done
}

@test "rescue shows the lines of a spool that no broker has" {
    printf 'appender.b.type = broker\nappender.b.brokers = 127.0.0.1:1\nappender.b.topic = t\nappender.b.format = %%m\nappender.b.close.drain = 0\n' >conf
    seq 5 | "$R" logger --config conf -t app
    run "$R" logger rescue -q
    [ "$output" = "$(seq 5)" ]
    "$R" logger rescue --list --json | python3 -c '
import json, sys
d, = json.load(sys.stdin)
assert d["kind"] == "spool" and d["records"] == 5 and not d["alive"] and d["application"] == "app-b", d'
}

@test "check: what a file of settings means, with the defaults and a line of each appender; what is wrong is told with its line" {
    printf '%s\n' 'level.net = debug' 'limit.net = 100/s burst 500' 'overflow = block' \
        'appender.f.type = file' 'appender.f.path = app.log' 'appender.f.overflow = block' \
        'appender.j.type = file' 'appender.j.path = app.json' 'appender.j.format = json' 'appender.j.level = warn' >conf
    run "$R" logger check conf
    [ "$status" -eq 0 ]
    [[ "$output" == *"level        info; net: debug"*"net: 100 a second, 500 at once"*"appender f: file"*"path         app.log"* ]]
    [[ "$output" == *"writes       after 5.00s, 10.0 MiB, 1000 records, or one of error"*'level=info logger=orders msg="order accepted" user=5 path="/a b"'* ]]
    [[ "$output" == *"note         the program waits for as long as"*"appender j: file"*"from warn on"*'"message":"order accepted","user":5'* ]]
    [ ! -e app.log ]
    "$R" logger check --open conf -q >/dev/null
    [ -e app.log ]
    echo 'appender.f.rotate.size = many' >>conf
    run "$R" logger check conf
    [ "$status" -eq 1 ]
    [[ "$output" == *"appender.f.rotate.size"* ]]
    echo 'ring.bytes = 1' >conf
    run "$R" logger check conf
    [ "$status" -eq 1 ]
    [[ "$output" == *"conf, line 1: ring.bytes"* ]]
    run "$R" logger check no-such-file
    [ "$status" -ne 0 ]
}

@test "check: each mistake is told with its file and line, and what only the program has is a note" {
    # wrong WORDS LINES...: such a file is no good, for that reason.
    wrong() {
        printf '%s\n' "${@:2}" >wrong.conf
        run "$R" logger check wrong.conf
        [ "$status" -eq 1 ] && [[ "$output" == *"$1"* ]] || { echo "$1: $output"; return 1; }
    }
    wrong 'wrong.conf, line 2: appender.a.stream: stdout or stderr' 'appender.a.type=console' 'appender.a.stream=file'
    wrong 'wrong.conf, line 2: appender.a.rotate: no such setting' 'appender.a.type=file' 'appender.a.rotate=1'
    wrong 'wrong.conf, line 1: not UTF-8' $'level = \xff'
    wrong 'appender.a.path: a file appender needs one' 'appender.a.type=file'
    wrong 'appender.a.topic: a broker appender needs one' 'appender.a.type=broker'
    wrong 'appender.a.callback: a callback appender needs one' 'appender.a.type=callback'
    wrong 'line 2: appender.a.address: a path, udp' 'appender.a.type=syslog' 'appender.a.address=http://h:1'
    mkfifo pipe.conf
    run timeout 10 "$R" logger check pipe.conf
    [ "$status" -eq 1 ]
    [[ "$output" == *"pipe.conf: a pipe or device, not a file of settings"* ]]
    run "$R" logger check .
    [[ "$output" == *": a directory, not a file of settings"* ]]
    yes '# a comment' | head -c 2000000 >large.conf
    run "$R" logger check large.conf
    [ "$status" -eq 1 ]
    printf '%s\n' appender.{a,b}.type=file appender.{a,b}.path=same.log appender.a.format=mine \
        appender.c.type=callback appender.c.callback=on_record >conf
    run "$R" logger check conf
    [ "$status" -eq 0 ]
    [[ "$output" == *"the format must be one that the program brings along"*"another appender writes to this file too"*"the program must bring the callback along"* ]]
    [ ! -e same.log ]
    echo 'rings.dir = /nowhere/at/all' >conf
    run "$R" logger check conf
    [ "$status" -eq 0 ]
    [[ "$output" == *"the rings can not be there"* ]]
    run "$R" logger check --open conf
    [ "$status" -eq 1 ]
    [[ "$output" == *"the file of the rings in /nowhere/at/all: No such file or directory"* ]]
}
