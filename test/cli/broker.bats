#!/usr/bin/env bats
# The broker as a process: start, stop, kill, what it says when it can not start, HTTP.

load ../../script/lib.sh

setup() {
    [ -x "$RW_BIN" ] || skip "no $RW_BIN"
    DIR=$BATS_TEST_TMPDIR/broker
    unset RW_PORT RW_HTTP_PORT
}

teardown() { rw_broker_stop KILL || true; }

produce() { kcat -q -b "$RW_BROKER" -P -X message.timeout.ms=20000 "$@"; }
consume() { timeout 30 kcat -q -b "${RW_BROKER:-}" -C -e -o beginning "$@"; }

@test "a clean stop leaves the clean-shutdown mark, and the records" {
    rw_broker_start "$DIR"
    seq 1000 | produce -t t
    rw_broker_stop TERM
    [ -e "$DIR/data/.kafka_cleanshutdown" ]
    rw_broker_start "$DIR"
    [ ! -e "$DIR/data/.kafka_cleanshutdown" ]
    [ "$(consume -t t | cksum)" = "$(seq 1000 | cksum)" ]
}

@test "kill -9: every acknowledged record is there afterwards" {
    rw_broker_start "$DIR"
    seq 5000 | produce -t t -z lz4
    rw_broker_stop KILL || true
    [ ! -e "$DIR/data/.kafka_cleanshutdown" ]
    rw_broker_start "$DIR"
    [ "$(consume -t t | cksum)" = "$(seq 5000 | cksum)" ]
}

@test "a broker that is started with its standard files closed writes its messages nowhere" {
    mkdir -p "$DIR"
    port=$(rw_free_port)
    "$RW_BIN" dev --set "listeners=PLAINTEXT://127.0.0.1:$port" --set rollway.http.listen=off \
        --set "log.dirs=$DIR/data" <&- >&- 2>&- 3>&- &
    pid=$!
    for _ in $(seq 100); do
        "$RW_BIN" topic list -b "127.0.0.1:$port" >/dev/null 2>&1 && break
        sleep 0.1
    done
    readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" >"$BATS_TEST_TMPDIR/files"
    kill -TERM "$pid"
    wait "$pid"
    [ "$(sort -u "$BATS_TEST_TMPDIR/files")" = /dev/null ]
}

# A program in a directory whose name a shell must not see bare, and its arguments.
dev_elsewhere() {
    mkdir -p "$DIR" "$BATS_TEST_TMPDIR/it's here"
    ln -s "$(realpath "$RW_BIN")" "$BATS_TEST_TMPDIR/it's here/rollway"
    DEV=("$BATS_TEST_TMPDIR/it's here/rollway" dev --data "$DIR/data" --set "listeners=PLAINTEXT://127.0.0.1:0"
        --set "rollway.http.listen=off")
}

@test "what dev says to try can be pasted, whatever the program's path" {
    dev_elsewhere
    "${DEV[@]}" >"$DIR/out" 2>"$DIR/broker.log" 3>&- &
    RW_PID=$!
    rw_wait_ready "$DIR/broker.log" 0 "$RW_PID"
    for _ in {1..100}; do ! grep -q '^try it:' "$DIR/out" || break; sleep 0.1; done
    run bash -c "$(sed -n 's/^try it: *//p' "$DIR/out")"
    echo "$output"
    [ "$status" = 0 ]
    [ "$(consume -b "$(sed -n 's/^ *kafka *//p' "$DIR/out")" -t greetings)" = hello ]
}

@test "a terminal is told once that the broker is ready" {
    local terminal=$BATS_TEST_TMPDIR/terminal
    dev_elsewhere
    script -qefc "echo \$\$ >'$terminal.pid'; exec $(printf '%q ' "${DEV[@]}")" "$terminal" >/dev/null 2>&1 </dev/null 3>&- &
    RW_PID=$!
    for _ in {1..600}; do ! grep -q '^try it:' "$terminal" || break; sleep 0.1; done
    kill "$(cat "$terminal.pid")"
    wait "$RW_PID" || true
    RW_PID=
    cat "$terminal"
    [ "$(grep -c ready "$terminal")" = 1 ]
}

@test "a port that is taken is named" {
    rw_broker_start "$DIR"
    run timeout 20 "$RW_BIN" dev --set "listeners=PLAINTEXT://$RW_BROKER" --set rollway.http.listen=off \
        --set "log.dirs=$BATS_TEST_TMPDIR/other"
    echo "$output"
    [ "$status" = 1 ]
    [[ $output == *"$RW_PORT"* ]]
    [[ $output == *"in use"* ]]
}

@test "a data directory that another broker uses is named" {
    rw_broker_start "$DIR"
    run timeout 20 "$RW_BIN" dev --set "listeners=PLAINTEXT://127.0.0.1:$(rw_free_port)" \
        --set rollway.http.listen=off --set "log.dirs=$DIR/data"
    echo "$output"
    [ "$status" = 1 ]
    [[ $output == *"$DIR/data"* ]]
}

@test "a data directory that can not be written is named" {
    echo "a file" >"$BATS_TEST_TMPDIR/file"
    run timeout 20 "$RW_BIN" dev --set "listeners=PLAINTEXT://127.0.0.1:$(rw_free_port)" \
        --set rollway.http.listen=off --set "log.dirs=$BATS_TEST_TMPDIR/file/data"
    echo "$output"
    [ "$status" = 1 ]
    [[ $output == *"$BATS_TEST_TMPDIR/file"* ]]
}

@test "a wrong value and an unknown key are errors with words" {
    run timeout 20 "$RW_BIN" server --set log.segment.bytes=many --check-config
    echo "$output"
    [ "$status" != 0 ]
    [[ $output == *"log.segment.bytes"* ]]
    run timeout 20 "$RW_BIN" server --set log.segmnt.bytes=1000000 --check-config
    echo "$output"
    [ "$status" != 0 ]
    [[ $output == *"log.segment.bytes"* ]]
}

@test "all mistakes are named, one line each" {
    printf 'num.partitions=many\nbroken\nlog.retention.hour=1\nrollway.disk.throttle.percent=70\n' \
        >"$BATS_TEST_TMPDIR/p"
    ROLLWAY_LOG_SEGMENT_BYTES=7 run timeout 20 "$RW_BIN" server --config "$BATS_TEST_TMPDIR/p" \
        --set nonsense --set "listeners=A://x,PLAINTEXT://:1,B" --set rollway.http.listen=here \
        --set advertised.listeners=PLAINTEXT://:9092 --check-config
    echo "$output"
    [ "$status" -eq 2 ]
    for what in "/p:1: Invalid value 'many' for num.partitions" "/p:2: 'broken' without a value" "ROLLWAY_LOG_SEGMENT_BYTES: Invalid value" \
        "--set nonsense: write KEY=VALUE" "/p:3: unknown configuration key 'log.retention.hour'" \
        "rollway.disk.warn.percent" "listeners: 'A://x' is not" "listeners: 'B' is not" \
        "advertised.listeners: clients can not connect to ''" "rollway.http.listen: 'here' is not host:port"; do
        [ "$(grep -cF -- "$what" <<<"$output")" = 1 ] || { echo "not once: $what"; false; }
    done
    [ "$(wc -l <<<"$output")" = 10 ]
    # A start does not go further than that, either.
    run timeout 20 "$RW_BIN" server --set num.partitions=0 --set node.id=-1
    [ "$status" -eq 2 ]
    [[ $output == *num.partitions*node.id*"hint: --check-config"* ]]
}

@test "a mistake in a configuration file is named with its line" {
    printf 'node.id=1\nbroken\n' >"$BATS_TEST_TMPDIR/p"
    run timeout 20 "$RW_BIN" server --config "$BATS_TEST_TMPDIR/p"
    [ "$status" -eq 2 ]
    [[ $output == *"/p:2: 'broken' without a value"* ]]
    printf '# fine\nnode.id=1\\u00\n' >"$BATS_TEST_TMPDIR/p"
    run timeout 20 "$RW_BIN" server --config "$BATS_TEST_TMPDIR/p"
    [ "$status" -eq 2 ]
    [[ $output == *"/p, line 2: "* ]]
    printf 'log.retention.hour=1\n' >"$BATS_TEST_TMPDIR/p"
    run timeout 20 "$RW_BIN" server --config "$BATS_TEST_TMPDIR/p" --strict
    [ "$status" -eq 2 ]
    [[ $output == *"/p:1"*"did you mean 'log.retention.hours'?"* ]]
}

@test "--check-config prints values and where they come from" {
    printf 'log.retention.hours=24\n' >"$BATS_TEST_TMPDIR/p"
    ROLLWAY_NUM_PARTITIONS=7 run timeout 20 "$RW_BIN" server --config "$BATS_TEST_TMPDIR/p" \
        --set node.id=5 --check-config
    [ "$status" = 0 ]
    for line in "log.retention.hours.*24" "num.partitions.*7" "node.id.*5"; do
        grep -E "$line" <<<"$output"
    done
}

@test "metrics, /livez, /readyz" {
    rw_broker_start "$DIR"
    echo x | produce -t t
    consume -t t
    http=http://127.0.0.1:$RW_HTTP_PORT
    curl -sf "$http/livez"
    curl -sf "$http/readyz"
    curl -sf "$http/metrics" >"$BATS_TEST_TMPDIR/metrics"
    grep -q '^rollway_' "$BATS_TEST_TMPDIR/metrics"
    command -v promtool || skip "promtool is missing"
    promtool check metrics <"$BATS_TEST_TMPDIR/metrics"
    curl -sf "$http/metrics?detail=partition" | promtool check metrics
    # One name of Apache Kafka's is not what promtool calls good style.
    curl -sf "$http/metrics/kafka" | grep -v '^\(# [A-Z]* \)\?kafka_server_socket_server_metrics_connection_count' | promtool check metrics
}

@test "an idle broker is small" {
    rw_broker_start "$DIR"
    kb=$(awk '/^VmRSS/ { print $2 }' "/proc/$RW_PID/status")
    echo "resident: $kb KiB"
    # 20 MB is the aim; sanitizers and coverage need more.
    if nm "$RW_BIN" 2>/dev/null | grep -qE '__asan_init|__tsan_init|__gcov_init'; then skip "instrumented"; fi
    [ "$kb" -lt 20480 ]
}
