#!/usr/bin/env bats
# rollway dlq: dead letters in topics of a real broker, and in the log that a broker appender keeps in its spool.

load ../../script/lib.sh
load one_broker.bash

# letter TOPIC OFFSET REASON CODE PARTITION: one dead letter "value OFFSET" with key "kOFFSET".
letter() {
    printf '{"key":"k%s","value":"value %s","timestamp":1700000000%03d,"headers":[{"key":"mine","value":"kept"},
{"key":"rollway.dlq.reason","value":"%s"},{"key":"rollway.dlq.code","value":"%s"},{"key":"rollway.dlq.topic","value":"%s"},
{"key":"rollway.dlq.partition","value":"%s"},{"key":"rollway.dlq.offset","value":"%s"},{"key":"rollway.dlq.time","value":"1700000009000"}]}' \
        "$2" "$2" "$2" "$3" "$4" "$1" "$5" "$2" | tr -d '\n'
    echo
}

letters() { # TOPIC: 10 letters, the even ones of code parse from partition 1, the others too large from partition 0
    "$R" topic create "$1" -p 3
    for i in 0 1 2 3 4 5 6 7 8 9; do
        if [ $((i % 2)) = 0 ]; then letter "$1" $i "no JSON" parse 1; else letter "$1" $i "too large" 10 0; fi
    done | "$R" produce "$1.dlq" -f json
}

@test "list: records, times and reasons" {
    letters a
    "$R" dlq list --json | python3 -c '
import json, sys
t = {x["topic"]: x for x in json.load(sys.stdin)}["a.dlq"]
assert t["records"] == 10 and t["oldest_ms"] == 1700000000000 and t["newest_ms"] == 1700000000009, t
assert {x["reason"]: x["records"] for x in t["reasons"]} == {"no JSON": 5, "too large": 5}, t'
    run "$R" dlq list a.dlq
    [[ "$output" == *"a.dlq"*10*"no JSON 5, too large 5"* ]]
    run "$R" dlq list no-such-topic.dlq
    [ "$status" -eq 5 ]
    run "$R" dlq list --scan 3
    [[ "$output" == *"of the first 3"* ]]
}

@test "list: reasons that would do something to a terminal or are cut inside a character" {
    "$R" topic create hostile.dlq -p 1
    python3 - <<'END' | "$R" produce hostile.dlq -f json
import json
for reason in ("\x1b[2J\x07bell \u009b31m del\x7f", "e" + "\u00e9" * 60):
    print(json.dumps({"value": "v", "headers": [{"key": "rollway.dlq.reason", "value": reason}]}))
END
    "$R" dlq list hostile.dlq >text
    "$R" dlq list hostile.dlq --json >json
    python3 - <<'END'
import json, unicodedata
text = open("text", encoding="utf-8").read()
assert "bell" in text and not any(unicodedata.category(c) == "Cc" and c != "\n" for c in text), ascii(text)
reasons = [r["reason"] for r in json.load(open("json", encoding="utf-8"))[0]["reasons"]]
assert reasons[1] == "e" + "\u00e9" * 31, ascii(reasons)
END
    "$R" dlq show hostile.dlq >shown
    grep -qF 'bell \u009b31m' shown
    python3 -c 'import unicodedata; t = open("shown", encoding="utf-8").read(); assert not any(unicodedata.category(c) == "Cc" and c != "\n" for c in t), ascii(t)'
    for wrong in "list --scan -1" "show -n -5" "replay -n -1" "replay --from -1" "replay --until -1"; do
        run "$R" dlq $wrong hostile.dlq
        [ "$status" -eq 2 ]
        [[ "$output" == *"0 or more"* ]]
    done
}

@test "show: each with its reason and source, as text and as JSON" {
    letters b
    run "$R" dlq show b.dlq -n 1
    [[ "$output" == *"reason   no JSON (code parse)"*"source   b-1 offset 0  given up 2023-11-14T22:13:29.000Z"*'value    "value 0"'*"header   mine = kept"* ]]
    [[ "$output" != *"value 1"* ]]
    "$R" dlq show b.dlq --json -o 8: | python3 -c '
import json, sys
r = [json.loads(line) for line in sys.stdin]
assert [x["offset"] for x in r] == [8, 9], r
assert r[0]["source"] == {"topic": "b", "partition": 1, "offset": 8, "time_ms": 1700000009000} and r[1]["code"] == "10", r'
    run "$R" dlq show b.dlq -o -1
    [[ "$output" == *"value 9"* && "$output" != *"value 8"* ]]
}

@test "replay: back to their topic and partition, with key, time and headers, once" {
    letters c
    run "$R" dlq replay c.dlq --dry-run
    [ "$status" -eq 0 ]
    [[ "$output" == *"c.dlq-0 offset 0 to c-1"*"would replay 10 of c.dlq" ]]
    [ "$("$R" consume c -e | wc -l)" -eq 0 ]
    run "$R" dlq replay c.dlq --where code=parse --from 2
    [ "$status" -eq 0 ]
    [ "$output" = "replayed 4 of c.dlq" ]
    run "$R" dlq replay c.dlq
    [ "$output" = "replayed 6 of c.dlq, 4 were replayed before" ]
    run "$R" dlq replay c.dlq --json
    [ "$output" = '{"replayed":0,"already_replayed":10,"without_source":0,"failed":0}' ]
    "$R" consume c -e --json | python3 -c '
import json, sys
r = [json.loads(line) for line in sys.stdin]
assert sorted(x["value"] for x in r) == ["value %d" % i for i in range(10)], r
for x in r:
    n = int(x["value"].split()[1])
    assert x["key"] == "k%d" % n and x["timestamp"] == 1700000000000 + n and x["partition"] == (n + 1) % 2, x
    assert x["headers"] == [{"key": "mine", "value": "kept"}, {"key": "rollway.dlq.replayed", "value": "1"}], x
assert [x["value"] for x in r if x["partition"] == 0] == ["value %d" % i for i in (1, 3, 5, 7, 9)]'
}

@test "replay --again counts; --to goes elsewhere; --remove deletes what was replayed" {
    letters d
    "$R" topic create elsewhere -p 2
    run "$R" dlq replay d.dlq --to elsewhere -n 3
    [ "$output" = "replayed 3 of d.dlq" ]
    run "$R" dlq replay d.dlq --to elsewhere --again --remove --where offset=4
    [ "$output" = "replayed 1 of d.dlq" ]
    "$R" dlq list d.dlq --json | python3 -c 'import json, sys; assert json.load(sys.stdin)[0]["records"] == 7'
    "$R" dlq replay d.dlq --remove
    "$R" dlq list d.dlq --json | python3 -c 'import json, sys; assert json.load(sys.stdin)[0]["records"] == 0'
    [ "$("$R" consume elsewhere -e | wc -l)" -eq 4 ]
    # A letter that comes back says how often.
    printf '{"value":"x","headers":[{"key":"rollway.dlq.replayed","value":"1"},{"key":"rollway.dlq.topic","value":"elsewhere"}]}\n' |
        "$R" produce d.dlq -f json
    run "$R" dlq show d.dlq
    [[ "$output" == *"replayed 1 times, and came back"* ]]
    "$R" dlq replay d.dlq
    run "$R" consume elsewhere -o -1 -e -f '%h{%k=%v}\n'
    [[ "$output" == *"rollway.dlq.replayed=2"* ]]
}

@test "replay says what can not be: no source, no such topic, a wrong condition, two at once" {
    echo '{"value":"lost"}' | "$R" produce strange -f json
    run "$R" dlq replay strange
    [ "$status" -eq 7 ]
    [[ "$output" == *"do not say where they came from"* ]]
    letter gone 0 r c 0 | "$R" produce gone.dlq -f json
    run "$R" dlq replay gone.dlq
    [ "$status" -eq 5 ]
    [[ "$output" == *gone* ]]
    run "$R" dlq replay gone.dlq --where cod=1
    [ "$status" -eq 2 ]
    letters e
    "$R" dlq replay e.dlq -n 1
    flock -w 1 -x "$(echo state/rollway/dlq/*/e.dlq.*.lock)" true
    echo garbage >"$(find state -name 'e.dlq.*' ! -name '*.lock')"
    run "$R" dlq replay e.dlq
    [ "$status" -eq 1 ]
    [[ "$output" == *"the note of what was replayed"*corrupt* ]]
}

@test "the dead letters that a spool keeps" {
    "$R" topic create spooled
    mkdir -p spools/app-central/dead/spooled.dlq-0
    echo '{"type":"x"}' | "$R" -q log import spools/app-central/dead/spooled.dlq-0 2>/dev/null
    run "$R" dlq list --spool spools
    [[ "$output" == *"spools/app-central/dead/spooled.dlq-0"*1* ]]
    run "$R" dlq show --spool spools/app-central
    [[ "$output" == *'type'* ]]
    run "$R" dlq replay spooled.dlq --spool spools --remove
    [ "$output" = "replayed 1 of spooled.dlq" ]
    run "$R" dlq replay spooled.dlq --spool spools
    [[ "$output" == "replayed 0 of spooled.dlq"* ]]
    [ "$("$R" consume spooled -e)" = '{"type":"x"}' ]
    run "$R" dlq list --spool spools nothing.dlq
    [ "$status" -eq 5 ]
}

@test "a topic of other records is shown, with a remark" {
    echo hello | "$R" produce ordinary
    run bash -c "\"$R\" dlq show ordinary 2>err"
    [ "$status" -eq 0 ]
    grep -q hello <<<"$output"
    [ "$(cat err)" = "none of these records says why: these may be no dead letters" ]
}

@test "a killed replay repeats no more than one round" {
    "$R" topic create f
    seq 20000 | sed 's/.*/{"value":"&","headers":[{"key":"rollway.dlq.topic","value":"f"}]}/' | "$R" produce f.dlq -f json
    for i in 1 2 3; do
        timeout -s KILL "0.0$((i * 2))" "$R" dlq replay f.dlq >/dev/null 2>&1 || true
    done
    "$R" dlq replay f.dlq
    "$R" consume f -e >out
    [ "$(sort -un out | wc -l)" -eq 20000 ]
    [ "$(wc -l <out)" -le 23000 ]
}
