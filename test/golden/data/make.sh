#!/usr/bin/env bash
# Writes the data directory of the current version: test/golden/data/VERSION.tar and its manifest. Once
# per release; never again for a version that is out, since the point is that old bytes open.
#
#   test/golden/data/make.sh [BUILD_DIR]
set -euo pipefail
. "$(dirname "$0")/../../../script/lib.sh"
RW_BIN=${1:-$RW_TOP/build}/rollway
here=$RW_TOP/test/golden/data
version=$("$RW_BIN" version --plain | sed 's/^rollway //')
[ ! -e "$here/$version.tar.gz" ] || rw_die "$version.tar.gz exists: versions that are out do not change"
work=$(rw_tmp golden)
trap 'rw_broker_stop KILL; rm -rf "$work"' EXIT

rw_broker_start "$work"
export ROLLWAY_BROKERS=$RW_BROKER
for codec in none gzip snappy lz4 zstd; do
    "$RW_BIN" topic create -q "$codec" -p 1 -c segment.ms=200 -c retention.ms=-1
    # Kept for ever, or a broker would delete them a week from now. Keys, headers, an empty value and a null; the idempotent producer leaves its state in snapshots.
    for part in 1 2; do
        {
            for i in 1 2 3 4 5; do printf 'k%d\tvalue %d of part %d, %s\n' "$i" "$i" "$part" "$codec"; done
            printf 'empty\t\n'
        } | "$RW_BIN" produce -q "$codec" -z "$codec" -f '%k\t%v\n' -H "part:$part"
        echo | "$RW_BIN" produce -q "$codec" -z "$codec" -Z -k gone
        sleep 0.4
    done
done
"$RW_BIN" topic create -q empty -p 2
rw_broker_stop TERM
rm -f "$work"/data/.lock
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$work/data" -czf "$here/$version.tar.gz" .
"$here/manifest.sh" "$RW_BIN" "$work/data" >"$here/$version.manifest"
rw_say "$version: $(stat -c %s "$here/$version.tar.gz") bytes, $(wc -l <"$here/$version.manifest") lines"
