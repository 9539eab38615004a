#!/usr/bin/env bash
# Checks every message in every version against the classes of Kafka's own Java libraries, in both
# directions: bytes, and what the bytes mean. Needs a JDK, Maven and Maven Central (or a filled
# ~/.m2), which is why it is not among the tests that every change runs; those replay the golden files
# that this script writes with --golden.
#
#   run-check.sh [--golden] [BUILD_DIR] [ROUNDS] [SEED]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
golden=
if [ "${1:-}" = --golden ]; then
    golden=1
    shift
fi
build=${1:-$top/build} rounds=${2:-20} seed=${3:-$RANDOM}
kafka=4.3.0 slf4j=1.7.36
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

repo=${MAVEN_REPOSITORY:-$HOME/.m2/repository}
classpath=$tmp/classes
jar() { # group artifact version
    local path=$repo/${1//.//}/$2/$3/$2-$3.jar
    [ -f "$path" ] || mvn -q -B -Dmaven.repo.local="$repo" dependency:get -Dtransitive=false -Dartifact="$1:$2:$3"
    classpath=$classpath:$path
}
for artifact in kafka-clients kafka-metadata kafka-group-coordinator kafka-transaction-coordinator; do
    jar org.apache.kafka "$artifact" "$kafka"
done
jar org.slf4j slf4j-api "$slf4j"

ninja -C "$build" test/interop/wire/wire_check >/dev/null
c=$build/test/interop/wire/wire_check
mkdir "$tmp/classes"
javac -d "$tmp/classes" -cp "$classpath" "$here/WireCheck.java"
java=(java -cp "$classpath" WireCheck)

"$c" list >"$tmp/list"
if [ "$golden" ]; then
    "${java[@]}" generate 1 3 2 <"$tmp/list" >"$tmp/golden"
    "$c" check <"$tmp/golden"
    for kind in request response other; do
        {
            echo "# Written by test/interop/wire/run-check.sh --golden: Kafka $kafka's own encoding of random"
            echo "# messages. Each line: message, version, bytes."
            case $kind in
            other) awk '$1 !~ /_(request|response)$/ { print $1, $2, $3 }' "$tmp/golden" ;;
            *) awk -v end="_$kind\$" '$1 ~ end { print $1, $2, $3 }' "$tmp/golden" ;;
            esac
        } >"$top/test/golden/wire/$kind.txt"
    done
    exit
fi
echo "seed $seed, $rounds rounds"
"${java[@]}" generate "$seed" "$rounds" 3 <"$tmp/list" >"$tmp/java"
"$c" check <"$tmp/java"
"$c" generate "$seed" "$rounds" 3 >"$tmp/c"
"${java[@]}" check <"$tmp/c"
