#!/usr/bin/env bats
# rollway log backup and restore: what comes back, and what is left when they are interrupted.

load ../../script/lib.sh
load log_files

# every_kind DIR: a log with all that the format knows, compressed with every codec.
every_kind() {
    for codec in snappy lz4 zstd; do
        seq 100 | "$RW_BIN" -q log import -z "$codec" "codec-$codec"
    done
    python3 "$RW_TOP/test/support/segment.py" "$1" codec-*/"$FIRST.log"
}

# killed N COMMAND...: runs it with files limited to N KiB: the kernel kills it at the byte behind.
killed() {
    local limit=$1
    shift
    (
        ulimit -c 0
        ulimit -f "$limit"
        exec "$@"
    )
}

# refused N COMMAND...: the same, but the write fails.
refused() {
    local limit=$1
    shift
    (
        trap '' XFSZ
        ulimit -f "$limit"
        exec "$@"
    )
}

@test "backup takes what is new, restore brings it back" {
    make_log a
    "$RW_BIN" log backup a saved
    make_log a
    "$RW_BIN" log backup a saved
    "$RW_BIN" log restore saved back
    cmp "a/$FIRST.log" "back/$FIRST.log"
    [ "$("$RW_BIN" log export back | wc -l)" -eq 6000 ]
    "$RW_BIN" log verify back
    make_log back
    [ "$("$RW_BIN" log export back | wc -l)" -eq 9000 ]
    run "$RW_BIN" log restore saved back
    [ "$status" -eq 6 ]
    # Nothing is copied twice, and what is no longer needed is gone.
    "$RW_BIN" log backup --json a saved | python 'assert d[0]["copied"] == 0 and d[0]["end_offset"] == 6000'
    [ "$(find saved -name '*.log.*' | wc -l)" -eq 1 ]
}

@test "everything that the format knows comes back byte by byte" {
    every_kind a
    "$RW_BIN" log backup a saved
    "$RW_BIN" log restore saved back
    for f in a/*.log a/leader-epoch-checkpoint; do cmp "$f" "back/${f##*/}"; done
    [ "$(find back -name '*.log' | wc -l)" -eq 2 ]
    "$RW_BIN" log verify --json a >before
    "$RW_BIN" log verify --json back | sed 's/"back"/"a"/' | cmp before -
    python 'assert d[0]["ok"] and d[0]["batches"] == 17 and d[0]["end_offset"] == 1006' <before
    "$RW_BIN" log dump --json back/*1006.snapshot | python 'assert {x["producer_id"] for x in d} == {7, 9, 11}'
    # A copy of the copy is the same.
    "$RW_BIN" log backup back saved-again
    "$RW_BIN" log restore saved-again once-more
    for f in a/*.log a/leader-epoch-checkpoint; do cmp "$f" "once-more/${f##*/}"; done
}

@test "other records of the same size are not taken for those of the last backup" {
    echo aaaa | "$RW_BIN" -q log import a
    "$RW_BIN" log backup a saved
    "$RW_BIN" log truncate --to 0 --yes a
    echo bbbb | "$RW_BIN" -q log import a
    "$RW_BIN" log backup a saved
    "$RW_BIN" log restore saved back
    [ "$("$RW_BIN" log export back)" = bbbb ]
}

@test "a file of the backup that has rotted is copied again" {
    make_log a
    "$RW_BIN" log backup a saved
    flip saved/"$FIRST".log.* 200
    "$RW_BIN" log backup a saved
    "$RW_BIN" log restore saved back
    cmp "a/$FIRST.log" "back/$FIRST.log"
}

@test "an interrupted backup leaves the one before" {
    make_log a
    "$RW_BIN" log backup a saved
    cp "a/$FIRST.log" before.log
    make_log a
    size=$(($(stat -c %s before.log) / 1024 + 8))
    for how in killed refused; do
        run $how $size "$RW_BIN" log backup a saved
        echo "$how: $status $output"
        [ "$status" -ne 0 ]
        "$RW_BIN" log restore saved "back-$how"
        cmp before.log "back-$how/$FIRST.log"
        [ "$("$RW_BIN" log export "back-$how" | wc -l)" -eq 3000 ]
    done
    "$RW_BIN" log backup a saved
    [ "$(find saved -name '*.tmp' | wc -l)" -eq 0 ]
    "$RW_BIN" log restore saved back
    [ "$("$RW_BIN" log export back | wc -l)" -eq 6000 ]
}

@test "a backup that is cut off, or whose manifest was changed, is not restored" {
    make_log a
    "$RW_BIN" log backup a saved
    for change in 's/^end 3000/end 2999/' 's/^start 0/start 1/' '$d' '3d'; do
        rm -rf changed
        cp -r saved changed
        sed -i "$change" changed/rollway-backup.manifest
        run "$RW_BIN" log restore changed back
        [ "$status" -eq 1 ]
        [ ! -e back ]
    done
    sed -i 's/^rollway-backup 2/rollway-backup 3/' saved/rollway-backup.manifest
    run "$RW_BIN" log restore saved back
    [ "$status" -eq 1 ]
    [[ "$output" == *"another version"* ]]
    run "$RW_BIN" log backup a saved
    [ "$status" -eq 6 ]
}

@test "a damaged backup is not restored" {
    make_log a
    "$RW_BIN" log backup a saved
    flip saved/"$FIRST".log.* 200
    run "$RW_BIN" log restore saved back
    echo "$output"
    [ "$status" -eq 8 ]
    [[ "$output" == *"saved/$FIRST.log."* ]]
    [ ! -e back ]
    rm saved/"$FIRST".log.*
    run "$RW_BIN" log restore saved back
    [ "$status" -eq 8 ]
    [ ! -e back ]
}

@test "an interrupted restore leaves nothing that opens as a log, and can be done again" {
    make_log a
    make_log a
    "$RW_BIN" log backup a saved
    for how in killed refused; do
        run $how 16 "$RW_BIN" log restore saved back
        echo "$how: $status $output"
        [ "$status" -ne 0 ]
        [ ! -e back ]
        run "$RW_BIN" log verify .
        [[ "$output" != *restoring* ]]
    done
    "$RW_BIN" log restore saved back
    cmp "a/$FIRST.log" "back/$FIRST.log"
    [ -z "$(find . -name '*restoring*')" ]
}

@test "damage is copied with everything healthy, told, and comes back so" {
    for i in 1 2 3 4 5; do echo "rec$i" | "$RW_BIN" -q log import a; done
    flip "a/$FIRST.log" 214 # in the value of the third record
    run "$RW_BIN" log backup a saved
    echo "$output"
    [ "$status" -eq 8 ]
    [[ "$output" == *"damage"* ]]
    run "$RW_BIN" log restore saved back
    [ "$status" -eq 8 ]
    cmp "a/$FIRST.log" "back/$FIRST.log"
    # Also after a writer had it open, which would cut off what a crash left torn.
    echo rec6 | "$RW_BIN" -q log import back
    run "$RW_BIN" --quiet log export back
    [ "$status" -eq 8 ]
    [[ "$output" == *rec1*rec2*rec4*rec5*rec6* ]]
    [[ "$output" != *rec3* ]]
}

@test "damage at the end, in an older segment, or behind a recovery point that is too low" {
    for i in 1 2 3 4 5; do echo "rec$i" | "$RW_BIN" -q log import end; done
    flip "end/$FIRST.log" 310 # the last batch, which was durable
    run "$RW_BIN" log backup end saved-end
    [ "$status" -eq 8 ]
    run "$RW_BIN" log restore saved-end back-end
    [ "$status" -eq 8 ]
    cmp "end/$FIRST.log" "back-end/$FIRST.log"
    # Its offset is not given again.
    echo rec6 | "$RW_BIN" -q log import back-end
    run "$RW_BIN" --quiet log export -f json back-end
    [[ "$output" == *'"offset":5,'*rec6* ]]

    every_kind old
    flip "old/$FIRST.log" 100
    run "$RW_BIN" log backup old saved-old
    [ "$status" -eq 8 ]
    run "$RW_BIN" log restore saved-old back-old
    [ "$status" -eq 8 ]
    for f in old/*.log; do cmp "$f" "back-old/${f##*/}"; done

    for i in 1 2 3 4 5; do echo "rec$i" | "$RW_BIN" -q log import low; done
    rm low/*checkpoint low/.rollway-clean # as after a crash, or beside a broker
    flip "low/$FIRST.log" 214
    run "$RW_BIN" log backup low saved-low
    [ "$status" -eq 8 ]
    run "$RW_BIN" log restore saved-low back-low
    run "$RW_BIN" --quiet log export back-low
    [[ "$output" == *rec2*rec4*rec5* ]]
}

@test "a torn end and zeros behind the end are no damage" {
    make_log a
    cp "a/$FIRST.log" whole.log
    head -c 40 /dev/urandom >>"a/$FIRST.log"
    rm -f a/.rollway-clean
    "$RW_BIN" log backup a saved
    "$RW_BIN" log restore saved back
    cmp whole.log "back/$FIRST.log"
    make_log b
    truncate -s +100000 "b/$FIRST.log"
    "$RW_BIN" log backup b saved-b
    "$RW_BIN" log restore saved-b back-b
    cmp whole.log "back-b/$FIRST.log" || [ "$(stat -c %s whole.log)" -eq "$(stat -c %s "back-b/$FIRST.log")" ]
}

@test "where the log begins comes back, whatever the directory is called" {
    for i in 1 2 3 4 5 6; do echo "rec$i" | "$RW_BIN" -q log import a; done
    printf '0\n1\na 0 4\n' >a/log-start-offset-checkpoint
    "$RW_BIN" log backup a saved
    "$RW_BIN" log restore saved "other name"
    [ "$("$RW_BIN" log export "other name" | head -n 1)" = rec5 ]
    (cd a && "$RW_BIN" log backup . ../saved-dot && "$RW_BIN" log backup ../a ../saved-dot)
    grep -q '^start 4$' saved-dot/rollway-backup.manifest
}

@test "a backup is not put over something else" {
    make_log a
    make_log b
    "$RW_BIN" log backup a saved
    run "$RW_BIN" log backup b saved
    [ "$status" -eq 6 ]
    run "$RW_BIN" log backup a b
    [ "$status" -eq 6 ]
    mkdir several
    cp -r a b several
    run "$RW_BIN" log backup several saved
    [ "$status" -eq 6 ]
    "$RW_BIN" log restore saved back
    mkdir full
    echo x >full/file
    run "$RW_BIN" log restore saved full
    [ "$status" -eq 6 ]
    [ "$(ls full)" = file ]
    mkdir empty
    "$RW_BIN" log restore saved empty
    cmp "a/$FIRST.log" "empty/$FIRST.log"
}

@test "the logs of a directory: one is dropped, one is damaged, one is restored alone" {
    mkdir logs
    for l in x y z; do make_log "logs/$l"; done
    "$RW_BIN" log backup logs saved
    rm -r logs/x
    flip "logs/y/$FIRST.log" 200
    run "$RW_BIN" log backup logs saved
    [ "$status" -eq 8 ]
    [ ! -e saved/x ]
    run "$RW_BIN" log restore saved all
    [ "$status" -eq 8 ]
    [ "$(ls all)" = "y
z" ]
    cmp "logs/y/$FIRST.log" "all/y/$FIRST.log"
    "$RW_BIN" log restore saved/z alone
    cmp "logs/z/$FIRST.log" "alone/$FIRST.log"
}

@test "a data directory comes back: topics, records, producers; what was deleted stays deleted" {
    command -v kcat || skip "kcat is missing"
    rw_broker_start broker
    export ROLLWAY_BROKERS=$RW_BROKER
    "$RW_BIN" topic create t -c segment.bytes=20000
    seq 5000 | kcat -q -b "$RW_BROKER" -P -t t -X enable.idempotence=true -X batch.size=5000
    "$RW_BIN" topic trim t -o 2500 --yes
    "$RW_BIN" log backup broker/data saved # beside the running broker
    echo later | "$RW_BIN" produce t
    rw_broker_stop KILL || true
    mkdir again
    "$RW_BIN" log restore saved again/data
    cmp broker/data/meta.properties again/data/meta.properties
    "$RW_BIN" log dump --json again/data/t-0/*5000.snapshot | python 'assert len(d) == 1 and d[0]["last_sequence"] == 4999'
    rw_broker_start again
    "$RW_BIN" consume t -e >out
    seq 2501 5000 | cmp - out
    [ "$("$RW_BIN" topic describe t -p --plain | cut -f 6)" = 2500 ]
}

@test "backups beside a writer are whole, each of them" {
    rw_broker_start broker
    export ROLLWAY_BROKERS=$RW_BROKER
    "$RW_BIN" topic create t -c segment.bytes=100000
    (for i in $(seq 20); do seq -f "$i-%.0f" 2000 | "$RW_BIN" produce t || exit 1; done) 3>&- &
    writer=$!
    for i in 1 2 3 4; do
        "$RW_BIN" log backup broker/data saved
        "$RW_BIN" log restore saved/t-0 "back-$i"
        "$RW_BIN" log verify "back-$i"
    done
    wait "$writer"
    "$RW_BIN" log backup broker/data saved
    "$RW_BIN" log restore saved/t-0 back
    [ "$("$RW_BIN" log export back | wc -l)" -eq 40000 ]
    for f in broker/data/t-0/*.log; do
        # The last segment may have zeros ahead of its end while it is written.
        cmp -n "$(stat -c %s "back/${f##*/}")" "$f" "back/${f##*/}"
    done
}

@test "a broker refuses a data directory whose restore was interrupted; a partition goes back into one" {
    rw_broker_start broker
    seq 9000 | "$RW_BIN" produce -b "$RW_BROKER" t
    "$RW_BIN" topic trim t -b "$RW_BROKER" -o 100 --yes
    "$RW_BIN" log backup broker/data saved
    rw_broker_stop TERM
    mkdir again
    run killed 16 "$RW_BIN" log restore saved again/data
    [ "$status" -ne 0 ]
    run timeout 20 "$RW_BIN" server --data again/data
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$status" -ne 124 ]
    [[ "$output" == *"meta.properties"* ]]
    "$RW_BIN" log restore saved again/data
    cmp "broker/data/t-0/$FIRST.log" "again/data/t-0/$FIRST.log"

    rm -r broker/data/t-0
    rm broker/data/*checkpoint
    "$RW_BIN" log restore saved/t-0 broker/data/t-0
    unset RW_PORT RW_HTTP_PORT
    rw_broker_start broker
    [ "$("$RW_BIN" consume -b "$RW_BROKER" t -e | head -n 1)" = 101 ]
    run "$RW_BIN" log restore saved/t-0 broker/data/t-1
    [ "$status" -eq 6 ]
    [[ "$output" == *"stop the broker"* ]]
}
