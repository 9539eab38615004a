#!/usr/bin/env bats
# Help, usage errors, completion, man pages: what needs no broker.

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    R=${ROLLWAY:-${RW_BIN:-$TOP/build/rollway}}
    [ -x "$R" ] || skip "no $R"
    cd "$BATS_TEST_TMPDIR" || return
    unset ROLLWAY_BROKERS
}

@test "alone it shows examples first, in about a dozen lines" {
    run "$R"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -le 12 ]
    [[ "$output" == *"echo hello | rollway produce greetings"* ]]
}

@test "version, plain and as JSON" {
    run "$R" --version
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^rollway\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    "$R" version --json | python3 -c 'import json, sys; assert json.load(sys.stdin)["name"] == "rollway"'
}

@test "a family without its verb lists the verbs and is no success" {
    run "$R" topic
    [ "$status" -eq 2 ]
    [[ "$output" == *"topic create"* ]]
    run "$R" topic -h
    [ "$status" -eq 0 ]
}

@test "every command explains itself, in short and in full" {
    "$R" -h | sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p' >names
    [ "$(wc -l <names)" -ge 15 ]
    while read -r -a name; do
        "$R" "${name[@]}" -h >short </dev/null
        grep -q '^Usage: rollway' short
        "$R" "${name[@]}" --help >long </dev/null
        grep -q '^Exit status:' long
        "$R" help "${name[@]}" >same </dev/null
        cmp long same
    done <names
}

@test "usage errors are exit code 2, with a sentence and a hint on standard error" {
    check() { # WORDS HINT ARGS...
        local words=$1 hint=$2 status=0
        shift 2
        "$R" "$@" >out 2>err </dev/null || status=$?
        [ "$status" -eq 2 ] && [ ! -s out ] && grep -qF -- "$words" err && grep -qF -- "$hint" err ||
            { echo "$* gave $status:"; cat out err; return 1; }
    }
    check 'unknown command "topik"' "did you mean rollway topic?" topik list
    check 'unknown command "topic lsit"' "did you mean rollway topic list?" topic lsit
    check "unknown option --partition" "did you mean --partitions?" topic create --partition 3 a
    check "unknown option -Q" "rollway produce -h" produce -Q
    check "TOPIC" "rollway produce -h" produce
    check "wants a whole number" "rollway topic create -h" topic create -p three a
    check "needs a value" "rollway consume -h" consume a -o
    check "is no offset" "rollway consume -h" consume a -o never
    check "unknown letter" "rollway consume -h" consume a -f %q
    check "where does %k end" "rollway produce -h" produce a -f %k%v
    check "unknown compression" "rollway produce -h" produce a -z lzma
    check "exclude each other" "rollway topic list -h" topic list --json --plain
    check "is no list of partitions" "rollway consume -h" consume a -p 1,x
}

@test "with --json an error is an object on standard error" {
    run bash -c '"$1" topic list --json -b 127.0.0.1:1 2>&1 >/dev/null' _ "$R"
    python3 -c 'import json, sys; e = json.loads(sys.argv[1])["error"]
assert e["exit_code"] == 3 and e["message"] and e["hint"]' "$output"
}

@test "no broker: exit code 3, which address, and what to do" {
    run "$R" topic list -b 127.0.0.1:1
    [ "$status" -eq 3 ]
    [[ "$output" == *"127.0.0.1:1: Connection refused"* ]]
    [[ "$output" == *"rollway dev"* ]]
    run "$R" topic list -b does-not-exist.invalid:9092
    [ "$status" -eq 3 ]
    [[ "$output" == *"does not resolve"* ]]
}

@test "the environment names the brokers, --brokers wins" {
    ROLLWAY_BROKERS=127.0.0.1:2 run "$R" topic list
    [[ "$output" == *"127.0.0.1:2:"* ]]
    ROLLWAY_BROKERS=127.0.0.1:2 run "$R" topic list --brokers=127.0.0.1:1
    [[ "$output" == *"127.0.0.1:1:"* ]]
}

@test "what is no broker is told apart" {
    cat >fake.py <<'PY'
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
c, _ = s.accept()
c.recv(1000)
c.sendall(bytes.fromhex(sys.argv[1]))
c.close()
PY
    answer() { # HEX WORDS
        local port
        python3 fake.py "$1" >port 3>&- &
        until [ -s port ]; do sleep 0.02; done
        port=$(cat port)
        run "$R" topic list -b "127.0.0.1:$port"
        wait
        rm port
        [ "$status" -ne 0 ] && [[ "$output" == *"$2"* ]] && [[ "$output" == *hint:* ]]
    }
    answer 485454502f312e3120343030 "HTTP server"
    answer 15030300020232 "expects TLS"
    answer 5353482d322e302d "is no broker"
    answer "" "closed the connection"
}

@test "no colour, no bold when NO_COLOR is set or the output is no terminal" {
    "$R" -h | { ! grep -q $'\033'; }
    "$R" -h --color always | grep -q $'\033'
}

# completion SHELL: its script, and rollway on the path.
completion() {
    "$R" completion "$1" >"script.$1"
    [ -s "script.$1" ]
    mkdir -p bin
    ln -sf "$R" bin/rollway
    PATH=$PWD/bin:$PATH
}

@test "bash completes" {
    completion bash
    bash -n script.bash
    cat >try.bash <<'SH'
. ./script.bash
COMP_WORDS=(rollway topic de) COMP_CWORD=2
_rollway
printf '%s\n' "${COMPREPLY[@]}"
COMP_WORDS=(rollway produce x -z z) COMP_CWORD=4
_rollway
printf '%s\n' "${COMPREPLY[@]}"
SH
    run bash try.bash
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = describe ]
    [ "${lines[1]}" = delete ]
    [ "${lines[2]}" = zstd ]
}

@test "fish completes" {
    command -v fish || skip "fish is missing"
    completion fish
    fish --no-execute script.fish
    run fish --no-config -c 'source script.fish
complete -C "rollway topic de"
complete -C "rollway produce x -z z"
complete -C "rollway log dump script."'
    echo "$output"
    [ "${lines[0]}" = $'delete\tdelete topics and all their records' ]
    [[ "${lines[1]}" == describe$'\t'* ]]
    [ "${lines[2]}" = zstd ]
    [ "${lines[3]}" = script.fish ]
}

@test "zsh completes" {
    command -v zsh || skip "zsh is missing"
    completion zsh
    zsh -f -n script.zsh
    # Its completion runs in an interactive shell only: one on a pseudo-terminal, read until `want` shows.
    cat >try.zsh <<'SH'
zmodload zsh/zpty
zpty shell zsh -f -i
try() { # try KEYS WANT
    local seen= part
    zpty -w -n shell $1
    for _ in {1..200}; do
        while zpty -r -t shell part; do seen+=${part//$'\a'}; done
        [[ $seen != *$2* ]] || return 0
        sleep 0.05
    done
    print -r -- "no $2 in: $seen"
    exit 1
}
try $'autoload -Uz compinit && compinit -u && source ./script.zsh && print REA""DY\n' READY
try $'rollway topic de\t' 'delete topics and all their records'
try $'\C-urollway produce x -z zs\t' 'zstd'
try $'\C-urollway log dump script.z\t' 'script.zsh'
zpty -d shell
SH
    ZDOTDIR=$PWD run timeout 60 zsh -f try.zsh
    echo "$output" | cat -v
    [ "$status" -eq 0 ]
}

@test "configuration keys, as a page of the documentation and as a man page" {
    "$R" __config markdown | diff "$TOP/docs/configuration.md" -
    command -v scdoc || skip "scdoc is missing"
    "$R" __config man | scdoc >page
    grep -q 'log.retention.hours' page
}

@test "every command has its man page with every option and exit code" {
    command -v scdoc || skip "scdoc is missing"
    for page in $("$R" __man); do
        "$R" __man "$page" | scdoc >"$page.1"
        man -l "$page.1" 2>err | col -b >"$page.txt"
        [ ! -s err ] || { cat err; false; }
        for code in 0 1 2 3 4 5 6 7 8 130 143; do
            grep -qE "^ +$code\$" "$page.txt" || { echo "$page lacks exit code $code"; false; }
        done
    done
    "$R" -h | sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p' >names
    while read -r -a name; do
        grep -qF "rollway ${name[*]}" "${name[0]}.txt"
        for option in $("$R" "${name[@]}" --help </dev/null | grep -oE '^ +(-., )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+'); do
            grep -qE -- "(^|[ ,])$option([ []|\$)" "${name[0]}.txt" || { echo "${name[*]}: $option"; false; }
        done
    done <names
}

@test "the build makes every page" {
    [ -n "$(ls "$TOP"/build/man/*.1 2>/dev/null)" ] || skip "no build"
    for page in $("$R" __man); do
        [ -f "$TOP/build/man/rollway-$page.1" ] || { echo "man/meson.build lacks $page"; false; }
    done
}
