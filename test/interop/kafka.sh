#!/usr/bin/env bash
# Our own commands against Apache Kafka's broker: kafka.sh CLASSPATH. What only it has: consumer groups and transactions.
set -uo pipefail
. "$(dirname "$0")/../../script/lib.sh"
. "$(dirname "$0")/tap.sh"
classpath=$1
rollway=${RW_BIN:-$RW_TOP/build/rollway}
dir=$(mktemp -d)
port=$(rw_free_port)
controller=$(rw_free_port)
export ROLLWAY_BROKERS=127.0.0.1:$port XDG_STATE_HOME=$dir/state

kafka() { java -Xmx512m -cp "$classpath" "$@"; }

cat >"$dir/properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.dirs=$dir/data
END
id=$(kafka kafka.tools.StorageTool random-uuid 2>/dev/null | tail -n 1)
kafka kafka.tools.StorageTool format -t "$id" -c "$dir/properties" >"$dir/log" 2>&1
java -Xmx512m -cp "$classpath" kafka.Kafka "$dir/properties" >>"$dir/log" 2>&1 &
pid=$!
trap 'kill $pid; wait $pid 2>/dev/null; rm -rf "$dir"' EXIT
for _ in $(seq 120); do
    ! "$rollway" cluster info >/dev/null 2>&1 || break
    sleep 0.5
done

committed() { # GROUP: the sum over the partitions, as Kafka's own tool tells it
    kafka org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$ROLLWAY_BROKERS" --describe --group "$1" \
        2>/dev/null | awk '$2 == "a" { n += $4 } END { print n + 0 }'
}

begins_where_the_group_is() {
    "$rollway" topic create a -p 3 && seq 1 100 | "$rollway" produce a
    [ "$("$rollway" pipe a -g one -e | wc -l)" = 100 ]
    seq 101 120 | "$rollway" produce a
    [ "$("$rollway" pipe a -g one -e | sort -n | head -n 1)" = 101 ]
    [ "$("$rollway" pipe a -g one -e | wc -l)" = 0 ] && [ "$(committed one)" = 120 ]
}

commits_what_is_in_the_file() {
    "$rollway" pipe a -g two -e --to-file "$dir/out"
    [ "$(sort -n "$dir/out" | cksum)" = "$(seq 1 120 | cksum)" ] && [ "$(committed two)" = 120 ]
}

another_topic_of_the_same_broker() {
    "$rollway" topic create b -p 3 && "$rollway" pipe a -g three -e --to-topic b
    [ "$("$rollway" consume b -o start -e | sort -n | cksum)" = "$(seq 1 120 | cksum)" ] && [ "$(committed three)" = 120 ] &&
        [ ! -e "$dir/state/pipe" ]
}

two_of_one_group() {
    local one rc=0
    "$rollway" pipe a -g four >"$dir/one" 2>"$dir/one.err" &
    one=$!
    for _ in $(seq 100); do
        [ "$(committed four)" != 120 ] || break
        sleep 0.2
    done
    seq 121 130 | "$rollway" produce a
    for _ in $(seq 100); do
        [ "$(wc -l <"$dir/one")" != 130 ] || break
        sleep 0.2
    done
    # Another one has been here, and was further behind.
    kafka org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$ROLLWAY_BROKERS" --group four --topic a \
        --reset-offsets --to-earliest --execute >"$dir/reset" 2>&1
    seq 131 140 | "$rollway" produce a
    wait "$one" || rc=$?
    [ "$rc" = 6 ] && grep -q "somebody else commits offsets of group four: a, partition" "$dir/one.err" && [ "$(committed four)" = 0 ]
}

committed_alone() {
    "$rollway" topic create tx -p 1
    mkfifo "$dir/held"
    /usr/bin/python3 "$(dirname "$0")/transactions.py" "$ROLLWAY_BROKERS" tx <"$dir/held" >"$dir/tx" 2>"$dir/tx.err" &
    exec 9>"$dir/held"
    for _ in $(seq 150); do
        [ ! -s "$dir/tx" ] || break
        sleep 0.2
    done
    timeout 20 "$rollway" pipe tx -e >"$dir/out.tx"
    exec 9>&-
    [ "$(grep -c '^committed ' "$dir/out.tx")" = 500 ] && [ "$(wc -l <"$dir/out.tx")" = 500 ]
}

t "a pipe begins where its group is, and commits" begins_where_the_group_is
t "a pipe into a file commits what is in the file" commits_what_is_in_the_file
t "a pipe into a topic needs nothing but its group" another_topic_of_the_same_broker
t "a pipe ends when somebody else commits offsets of its group" two_of_one_group
if /usr/bin/python3 -c 'import confluent_kafka' 2>/dev/null; then
    t "what a transaction took back is not read, and one that is open ends what is there now" committed_alone
else
    skip "transactions" "python3-confluent-kafka is not installed"
fi
tap_end
