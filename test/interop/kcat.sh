#!/usr/bin/env bash
# kcat (librdkafka): test/interop/kcat.sh HOST:PORT
# Topics are made by Debian's python3-confluent-kafka, hence /usr/bin/python3.
# Produces and fetches with every codec; keys, headers, nulls, timestamps, limits, ListOffsets.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
broker=$1
prefix=it-kcat-$(date +%s)-$$
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# -q: no chatter. The time-outs keep a broken broker from hanging the suite.
produce() { timeout 60 kcat -q -b "$broker" -P -X message.timeout.ms=20000 "$@"; }
consume() { timeout 60 kcat -q -b "$broker" -C -e "$@"; }
# query TOPIC:PARTITION:TIME -> offset. kcat prints "topic [0] offset 12".
query() { timeout 30 kcat -b "$broker" -Q -t "$1" | sed 's/.* offset //'; }
create() { timeout 60 /usr/bin/python3 "$here/topic.py" "$broker" create "$@"; }

metadata() {
    timeout 30 kcat -b "$broker" -L -J >"$work/meta.json"
    jq -e '.brokers | length >= 1' "$work/meta.json"
    jq -e '.controllerid >= 0' "$work/meta.json"
}

auto_created() {
    echo hello | produce -t "$prefix-auto"
    same hello "$(consume -t "$prefix-auto" -o beginning)"
    timeout 30 kcat -b "$broker" -L -J -t "$prefix-auto" |
        jq -e --arg t "$prefix-auto" '.topics[] | select(.topic == $t) | .partitions | length >= 1'
}

# 20,000 lines of which many repeat, so that compression does something.
lines() {
    awk 'BEGIN { for (i = 0; i < 20000; i++) printf "%d 2026-01-01 12:00:%02d INFO worker-%d request %d done\n", i, i % 60, i % 7, i }'
}

codec() {
    lines >"$work/in"
    create "$prefix-$1" 1
    produce -t "$prefix-$1" -p 0 -z "$1" -X linger.ms=50 -X batch.num.messages=2000 <"$work/in"
    consume -t "$prefix-$1" -p 0 -o beginning >"$work/out"
    cmp "$work/in" "$work/out"
    same 20000 "$(query "$prefix-$1:0:-1")"
}

# CRCs of everything are checked by the consumer, too.
codec_checked() {
    consume -t "$prefix-$1" -p 0 -o beginning -X check.crcs=true | cmp "$work/in" -
}

many_partitions() {
    create "$prefix-parts" 12
    lines >"$work/in"
    produce -t "$prefix-parts" -z lz4 -K ' ' <"$work/in"
    consume -t "$prefix-parts" -o beginning -f '%k %s\n' | sort -n >"$work/out"
    cmp "$work/in" "$work/out"
    # A key always goes to the same partition.
    consume -t "$prefix-parts" -o beginning -f '%p\n' | sort -u | wc -l >"$work/used"
    same 12 "$(cat "$work/used")"
}

keys_headers_nulls() {
    create "$prefix-rec" 1
    printf 'k1:v1\n' | produce -t "$prefix-rec" -p 0 -K : -H a=1 -H b= -H a=2
    printf 'k2:\n' | produce -t "$prefix-rec" -p 0 -K : -Z
    printf ':v3\n' | produce -t "$prefix-rec" -p 0 -K : -Z
    printf 'k4:\n' | produce -t "$prefix-rec" -p 0 -K :
    consume -t "$prefix-rec" -p 0 -o beginning -J >"$work/out"
    same '["a","1","b","","a","2"]' "$(jq -c 'select(.offset == 0).headers' "$work/out")"
    same '["k1","v1"]' "$(jq -c 'select(.offset == 0) | [.key, .payload]' "$work/out")"
    same '["k2",null]' "$(jq -c 'select(.offset == 1) | [.key, .payload]' "$work/out")"
    same '[null,"v3"]' "$(jq -c 'select(.offset == 2) | [.key, .payload]' "$work/out")"
    # A null and an empty value are not the same: %S is -1 and 0.
    same '2 -1 2 0' "$(consume -t "$prefix-rec" -p 0 -o beginning -f '%K %S ' | awk '{print $3, $4, $7, $8}')"
}

offsets() {
    local topic=$prefix-none
    same 0 "$(query "$topic:0:-2")"
    same 20000 "$(query "$topic:0:-1")"
    same "$(sed -n 501p "$work/in")" "$(consume -t "$topic" -p 0 -o 500 -c 1)"
    same "$(tail -n 3 "$work/in")" "$(consume -t "$topic" -p 0 -o -3)"
    same '' "$(consume -t "$topic" -p 0 -o end)"
}

by_time() {
    local topic=$prefix-time between
    create "$topic" 1
    echo one | produce -t "$topic" -p 0
    sleep 0.05
    between=$(date +%s%3N)
    sleep 0.05
    echo two | produce -t "$topic" -p 0
    echo three | produce -t "$topic" -p 0
    same 1 "$(query "$topic:0:$between")"
    same 0 "$(query "$topic:0:1000")"
    same $'two\nthree' "$(consume -t "$topic" -p 0 -o "s@$between")"
    # Nothing is that young: librdkafka says END, which is -1.
    same -1 "$(query "$topic:0:$((between + 3600000))")"
    consume -t "$topic" -p 0 -o beginning -f '%T\n' >"$work/stamps"
    [ "$(head -n 1 "$work/stamps")" -lt "$between" ]
    [ "$(sed -n 2p "$work/stamps")" -ge "$between" ]
}

large() {
    create "$prefix-large" 1
    head -c 750000 /dev/urandom | base64 -w 0 | head -c 1000000 >"$work/big"
    for _ in 1 2 3; do
        produce -t "$prefix-large" -p 0 -X message.max.bytes=2000000 "$work/big"
    done
    consume -t "$prefix-large" -p 0 -o beginning -D '' >"$work/out"
    cat "$work/big" "$work/big" "$work/big" | cmp - "$work/out"
}

# Whole batches come even when they are larger than what was asked for (KIP-74).
large_small_fetch() {
    consume -t "$prefix-large" -p 0 -o beginning -D '' -X fetch.message.max.bytes=10000 \
        -X fetch.max.bytes=2000000 >"$work/out"
    cat "$work/big" "$work/big" "$work/big" | cmp - "$work/out"
}

too_large() {
    head -c 1200000 /dev/zero | tr '\0' x >"$work/huge"
    ! timeout 60 kcat -b "$broker" -P -t "$prefix-large" -p 0 -X message.timeout.ms=20000 \
        -X message.max.bytes=2000000 "$work/huge" 2>"$work/err" || return 1
    grep -iE 'too large|MSG_SIZE' "$work/err"
    same 3 "$(query "$prefix-large:0:-1")"
}

acks() {
    create "$prefix-acks$1" 1
    seq 1000 | produce -t "$prefix-acks$1" -p 0 -X "acks=$1"
    # Without acknowledgement nothing says when the records have arrived.
    for _ in $(seq 50); do
        [ "$(query "$prefix-acks$1:0:-1")" = 1000 ] && break
        sleep 0.1
    done
    same "$(seq 1000 | cksum)" "$(consume -t "$prefix-acks$1" -p 0 -o beginning | cksum)"
}

idempotent() {
    create "$prefix-idem" 4
    lines >"$work/in"
    produce -t "$prefix-idem" -z zstd -X enable.idempotence=true -X linger.ms=1 <"$work/in"
    consume -t "$prefix-idem" -o beginning | sort -n | cmp "$work/in" -
}

follow() {
    create "$prefix-follow" 1
    timeout 30 kcat -q -b "$broker" -C -t "$prefix-follow" -p 0 -o beginning -c 3 -u >"$work/followed" &
    local reader=$!
    for i in 1 2 3; do
        sleep 0.2
        echo "$i" | produce -t "$prefix-follow" -p 0
    done
    wait "$reader"
    same $'1\n2\n3' "$(cat "$work/followed")"
}

unknown_topic() {
    ! timeout 30 kcat -b "$broker" -C -e -t "$prefix-nowhere" -p 7 -o beginning \
        -X allow.auto.create.topics=false 2>"$work/err" || return 1
    grep -i 'unknown' "$work/err"
}

t "metadata names a broker and a controller" metadata
t "produce creates the topic" auto_created
for c in none gzip snappy lz4 zstd; do
    t "$c: 20,000 records there and back" codec "$c"
    t "$c: with CRCs checked by the consumer" codec_checked "$c"
done
t "12 partitions by key" many_partitions
t "keys, headers, null and empty values" keys_headers_nulls
t "earliest, latest, from an offset, the last N" offsets
t "ListOffsets and consume by time" by_time
t "records of 1,000,000 bytes" large
t "records larger than the fetch size" large_small_fetch
t "a batch above max.message.bytes is refused" too_large
for a in 0 1 all; do t "acks=$a" acks "$a"; done
t "idempotent producer" idempotent
t "a waiting consumer gets what arrives" follow
t "an unknown topic is an error" unknown_topic
tap_end
