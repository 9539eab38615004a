#!/usr/bin/env bash
# What a data directory holds, as text: for each log its checksum and every record.
#
#   test/golden/data/manifest.sh ROLLWAY DIR
set -euo pipefail
for log in "$2"/*-[0-9]*/; do
    name=$(basename "$log")
    [ "$name" != __cluster_metadata-0 ] || continue
    segments=$(find "$log" -name '*.log' | wc -l)
    "$1" log verify --json "$log" | jq -cS --arg log "$name" --argjson segments "$segments" \
        'if type == "array" then .[] else . end | {log: $log, segments: $segments, batches, records, bad_batches, checksum}'
    "$1" log export -f json "$log"
done
