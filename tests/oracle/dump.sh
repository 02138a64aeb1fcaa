#!/bin/sh
# Writes beside each fixture what Cassandra's own reader finds in its segments: dump.sh FIXTURE_FOLDER…
#
#   mutations.jsonl.gz          the user keyspaces
#   system-mutations.jsonl.gz   the system keyspaces, where the fixture keeps their schema
#
# The folder's name begins with the Cassandra version (4.1 when it names none). Cells of dropped columns are kept. 4.1's fixtures go
# through 5.0's reader too, which must say the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
keystore=$here/../../cdc_fixtures/keys/keystore.jceks
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# dump VERSION FOLDER OUT OPTION…
dump() {
    version=$1 folder=$2 out=$3
    shift 3
    rm -rf "$temporary/segments"
    mkdir "$temporary/segments"
    for segment in "$folder"/CommitLog-*.log "$folder"/CommitLog-*.log.gz; do
        case $segment in
            *'*'*) ;; # nothing of this kind
            *.gz) gzip -dc "$segment" >"$temporary/segments/$(basename "$segment" .gz)" ;;
            *) cp "$segment" "$temporary/segments/" ;;
        esac
    done
    "$here/run.sh" "$version" cdc.oracle.dump.SegmentDump --schema "$folder/schema.json" --ignore-dropped \
        --keystore "$keystore" --keystore-password throw-away --key-alias fixture:1 --out "$out" "$@" "$temporary"/segments/*
}

for folder in "$@"; do
    folder=$(cd "$folder" && pwd)
    case $(basename "$folder") in
        5.0*) version=5.0 ;;
        *) version=4.1 ;;
    esac
    dump "$version" "$folder" "$temporary/user" --only user
    if [ "$version" = 4.1 ]; then
        dump 5.0 "$folder" "$temporary/other" --only user
        cmp "$temporary/user" "$temporary/other"
    fi
    gzip -9nc "$temporary/user" >"$folder/mutations.jsonl.gz"
    if [ -e "$folder/system-schema.json" ]; then
        dump "$version" "$folder" "$temporary/system" --only system
        gzip -9nc "$temporary/system" >"$folder/system-mutations.jsonl.gz"
    fi
    grep '^{"segment":"[^"]*","errors"' "$temporary/user"
done
