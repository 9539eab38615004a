#!/usr/bin/env bash
# Rollway against the command line tools of Apache Kafka: java/tools.sh HOST:PORT CLASSPATH
# kafka-consumer-perf-test needs consumer groups: it is skipped until Rollway has them.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/tap.sh"
broker=$1
classpath=$2
topic=it-tools-$(date +%s)-$$
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() {
    timeout 90 java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$classpath" "$@" 2>"$work/stderr" || {
        cat "$work/stderr"
        return 1
    }
}
topics() { run org.apache.kafka.tools.TopicCommand --bootstrap-server "$broker" "$@"; }
get_offsets() { run org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$broker" --topic "$topic" "$@" | sort; }
consume() {
    run org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$broker" --topic "$topic" \
        --partition 0 --timeout-ms 15000 "$@"
}

t_create() {
    topics --create --topic "$topic" --partitions 3 --config retention.ms=123456
    topics --create --if-not-exists --topic "$topic" --partitions 3
    topics --list | grep -qx "$topic"
    topics --describe --topic "$topic" >"$work/described"
    grep -q 'PartitionCount: 3' "$work/described"
    grep -q 'retention.ms=123456' "$work/described"
    [ "$(grep -c 'Leader: [0-9]' "$work/described")" = 3 ]
}
t_alter() {
    topics --alter --topic "$topic" --partitions 4
    topics --describe --topic "$topic" | grep -q 'PartitionCount: 4'
}
t_configs() {
    run kafka.admin.ConfigCommand --bootstrap-server "$broker" --describe --all --topic "$topic" >"$work/configs"
    grep -q 'retention.ms=123456 sensitive=false' "$work/configs"
    grep -q 'max.message.bytes=1048588' "$work/configs"
}
brokers_config() { run kafka.admin.ConfigCommand --bootstrap-server "$broker" --entity-type brokers "$@"; }
t_broker_configs() {
    brokers_config --entity-default --alter --add-config log.cleaner.delete.retention.ms=7654321
    brokers_config --entity-default --describe | grep -q 'log.cleaner.delete.retention.ms=7654321.*DYNAMIC_DEFAULT_BROKER_CONFIG'
    local id
    id=$(brokers_config --describe | sed -n 's/^Dynamic configs for broker \([0-9]*\) are:/\1/p' | head -n 1)
    brokers_config --entity-name "$id" --alter --add-config log.cleaner.delete.retention.ms=1234567
    brokers_config --entity-name "$id" --describe >"$work/configs"
    grep -q 'retention.ms=1234567 .*{DYNAMIC_BROKER_CONFIG:.*=1234567, DYNAMIC_DEFAULT_BROKER_CONFIG:.*=7654321, DEFAULT_CONFIG:.*=86400000}' \
        "$work/configs"
    ! brokers_config --entity-name "$id" --alter --add-config num.partitions=9 2>"$work/refused" || return 1
    brokers_config --entity-name "$id" --alter --delete-config log.cleaner.delete.retention.ms
    brokers_config --entity-default --alter --delete-config log.cleaner.delete.retention.ms
    ! brokers_config --entity-default --describe | grep -q 'log.cleaner.delete.retention.ms='
}
t_console() {
    seq 500 >"$work/in"
    run org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$broker" --topic "$topic-console" \
        --compression-codec lz4 <"$work/in"
    local topic=$topic-console
    consume --offset earliest --max-messages 500 | cmp "$work/in" -
}
t_perf() {
    topics --create --topic "$topic-perf" --partitions 6
    run org.apache.kafka.tools.ProducerPerformance --topic "$topic-perf" --num-records 100000 --record-size 200 \
        --throughput -1 --producer-props "bootstrap.servers=$broker" compression.type=zstd | tail -n 1
    local topic=$topic-perf
    same 100000 "$(get_offsets | awk -F: '{ n += $3 } END { print n }')"
}
t_verifiable() {
    run org.apache.kafka.tools.VerifiableProducer --bootstrap-server "$broker" --topic "$topic-verified" \
        --max-messages 1000 --acks -1 >"$work/verified"
    grep -q '"sent":1000,"acked":1000' "$work/verified"
}
t_get_offsets() {
    local topic=$topic-verified
    same "$topic:0:1000" "$(get_offsets --time latest)"
    same "$topic:0:0" "$(get_offsets --time earliest)"
    # The first of those with the largest timestamp: not always the last record.
    get_offsets --time max-timestamp | grep -qE ":0:[0-9]{3}$"
}
t_delete_records() {
    printf '{"version":1,"partitions":[{"topic":"%s","partition":0,"offset":400}]}' "$topic-verified" >"$work/delete.json"
    run org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$broker" --offset-json-file "$work/delete.json"
    local topic=$topic-verified
    same "$topic:0:400" "$(get_offsets --time earliest)"
}
t_api_versions() {
    run org.apache.kafka.tools.BrokerApiVersionsCommand --bootstrap-server "$broker" >"$work/apis" ||
        run kafka.admin.BrokerApiVersionsCommand --bootstrap-server "$broker" >"$work/apis"
    grep -q 'Produce(0): 0 to 13' "$work/apis"
    grep -q 'Fetch(1): 4 to 18' "$work/apis"
}
t_delete() {
    topics --delete --topic "$topic"
    for _ in 1 2 3 4 5; do
        if ! topics --list | grep -qx "$topic"; then return 0; fi
        sleep 1
    done
    return 1
}

t "kafka-topics --create, --list, --describe" t_create
t "kafka-topics --alter" t_alter
t "kafka-configs --describe --all" t_configs
t "kafka-configs --entity-type brokers --alter" t_broker_configs
t "kafka-console-producer and -consumer" t_console
t "kafka-producer-perf-test" t_perf
skip "kafka-consumer-perf-test" "it needs consumer groups"
t "kafka-verifiable-producer" t_verifiable
t "kafka-get-offsets" t_get_offsets
t "kafka-delete-records" t_delete_records
t "kafka-broker-api-versions" t_api_versions
t "kafka-topics --delete" t_delete
tap_end
