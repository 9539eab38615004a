#!/usr/bin/env bash
# Files against Apache Kafka, in both directions: a real broker (KRaft, one node) writes a data directory
# with every codec, headers and idempotent producers, which we verify, read, append to and hand back to
# its dump tool and to the broker itself; and its dump tool reads what we wrote from scratch.
#
#   run.sh [--libs DIR] ROLLWAY
#
# Needs Java 17, kcat, and the Kafka jars: in DIR, or fetched with Maven.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
libs=
port=${RW_INTEROP_PORT:-21210}
if [ "${1:-}" = --libs ]; then
    libs=$2
    shift 2
fi
rollway=$(realpath "$1")
work=$(mktemp -d)
pid=
finish() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
say() { printf 'files: %s\n' "$*"; }
die() {
    printf 'files: FAILED: %s\n' "$*" >&2
    exit 1
}

if [ -z "$libs" ]; then
    libs=$work/libs
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$libs" >"$work/mvn.log" 2>&1 ||
        die "the Kafka jars can not be fetched: $(tail -n 1 "$work/mvn.log")"
fi
kafka() { java -Xmx512m -Dlog4j.configuration= -cp "$libs/*" "$@"; }

cat >"$work/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$work/data
offsets.topic.replication.factor=1
num.partitions=1
log.segment.bytes=200000
log.index.interval.bytes=1000
END
start_broker() {
    java -Xmx512m -cp "$libs/*" kafka.Kafka "$work/server.properties" >"$work/server.log" 2>&1 &
    pid=$!
    for _ in $(seq 60); do
        ! kcat -b "127.0.0.1:$port" -L -m 1 >/dev/null 2>&1 || return 0
        sleep 0.5
    done
    die "the broker did not start: $(tail -n 3 "$work/server.log")"
}
stop_broker() {
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    pid=
}

kafka kafka.tools.StorageTool format -t "$(kafka kafka.tools.StorageTool random-uuid 2>/dev/null | tail -n 1)" \
    -c "$work/server.properties" >"$work/format.log" 2>&1 || die "format: $(cat "$work/format.log")"
start_broker
lines=20000
seq "$lines" | awk '{ printf "key%d:line %d of the input, with some more text %s\n", $1, $1, $1 * 7919 % 10007 }' >"$work/input"
cut -d: -f2- "$work/input" >"$work/values"
for codec in none gzip snappy lz4 zstd; do
    kcat -b "127.0.0.1:$port" -t "t$codec" -P -K: -z "$codec" -H app=x -H other= \
        -X enable.idempotence=true -X batch.size=20000 <"$work/input" 2>"$work/kcat.log" ||
        die "kcat: $(tail -n 1 "$work/kcat.log")"
done

say "beside the running broker"
"$rollway" log verify --quiet "$work/data" || die "verify beside the broker"
stop_broker
say "after its clean shutdown"
"$rollway" log verify "$work/data" || die "verify"
for codec in none gzip snappy lz4 zstd; do
    dir=$work/data/t$codec-0
    "$rollway" log export "$dir" | cmp - "$work/values" || die "$codec: values differ"
    [ "$("$rollway" log export -f json -n 1 "$dir" | grep -c '"key":"key1".*"headers":\[{"key":"app","value":"x"}')" = 1 ] ||
        die "$codec: key or headers differ"
    "$rollway" log dump "$dir"/*.snapshot >"$work/snapshots"
    grep -q '"last_sequence":19999' "$work/snapshots" || die "$codec: producer snapshot: $(cat "$work/snapshots")"
done

say "appending to its directories, reading them with its tool"
dump() {
    kafka kafka.tools.DumpLogSegments --deep-iteration --print-data-log --files "$1" 2>&1 | grep -v '^log4j:' >"$work/dump"
    ! grep -iE 'exception|invalid|mismatch|isvalid: false|not consecutive' "$work/dump" || die "Kafka's tool: $1"
}
for codec in none zstd; do
    dir=$work/data/t$codec-0
    printf 'from rollway 1\nfrom rollway 2\n' | "$rollway" log import -z "$codec" "$dir" 2>/dev/null
    for file in "$dir"/*.log "$dir"/*.index "$dir"/*.timeindex; do dump "$file"; done
    last=
    for last in "$dir"/*.log; do :; done
    dump "$last"
    grep -q 'payload: from rollway 2' "$work/dump" || die "$codec: our record is not in the dump"
done

say "the broker itself on what we appended to"
start_broker
for codec in none zstd; do
    kcat -b "127.0.0.1:$port" -t "t$codec" -C -e -q -o beginning >"$work/out" 2>/dev/null
    { cat "$work/values" && printf 'from rollway 1\nfrom rollway 2\n'; } | cmp - "$work/out" || die "$codec: the broker reads something else"
done
stop_broker

say "a log of our own"
for codec in none gzip snappy lz4 zstd; do
    "$rollway" log import -z "$codec" "$work/own-0" <"$work/values" 2>/dev/null
done
for file in "$work"/own-0/*.log "$work"/own-0/*.index "$work"/own-0/*.timeindex "$work"/own-0/*.snapshot; do dump "$file"; done
for file in "$work"/own-0/*.log; do
    dump "$file"
    cat "$work/dump"
done | grep -c 'payload: line' | grep -qx $((5 * lines)) || die "the number of records differs"
say "ok"
