#!/usr/bin/env bash
# Data directories that released versions wrote must open and hold the same: read-only, by a broker
# after a clean stop, and by a broker that has to recover.
#
#   test/golden/data/check.sh ROLLWAY
set -euo pipefail
. "$(dirname "$0")/../../../script/lib.sh"
RW_BIN=$1
here=$RW_TOP/test/golden/data
work=$(rw_tmp golden)
trap 'rw_broker_stop KILL || true; rm -rf "$work"' EXIT

die() { echo "golden data $version: $*" >&2; exit 1; }
same() { diff -u "$here/$version.manifest" - >&2 || die "$1: the content differs"; }
sums() { (cd "$1" && find . -type f ! -name .lock -exec sha256sum {} + | sort -k 2); }

count=0
for archive in "$here"/*.tar.gz; do
    version=$(basename "$archive" .tar.gz)
    dir=$work/$version/data
    mkdir -p "$dir"
    tar -C "$dir" -xzf "$archive"

    before=$(sums "$dir")
    "$here/manifest.sh" "$RW_BIN" "$dir" | same "read-only"
    [ "$before" = "$(sums "$dir")" ] || die "reading changed the files"

    for how in clean recover; do
        [ "$how" = clean ] || rm -f "$dir/.kafka_cleanshutdown" "$dir"/*/*.index
        rw_broker_start "$work/$version" || die "$how: the broker does not start"
        topics=$("$RW_BIN" topic list --plain -b "$RW_BROKER" | cut -f 1 | sort | tr '\n' ' ')
        [ "$topics" = "empty gzip lz4 none snappy zstd " ] || die "$how: topics $topics"
        for codec in none gzip snappy lz4 zstd; do
            read=$("$RW_BIN" consume "$codec" -o start -e -f '%o %k %v\n' -b "$RW_BROKER" | sha256sum)
            offline=$("$RW_BIN" log export -f json "$dir/$codec-0" |
                jq -r '"\(.offset) \(.key // "") \(.value // "")"' | sha256sum)
            [ "$read" = "$offline" ] || die "$how: $codec: a consumer reads something else"
        done
        rw_broker_stop TERM || die "$how: the broker does not stop cleanly"
        "$here/manifest.sh" "$RW_BIN" "$dir" | same "$how"
    done
    count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no data directories" >&2; exit 1; }
echo "$count versions"
