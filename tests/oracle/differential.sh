#!/bin/sh
# Makes one case of the differential test: differential.sh SEED STATEMENTS [VERSION] [COMPRESSION] [FOLDER]
#   VERSION      4.1 (default), 5.0, 5.0-none (storage compatibility NONE: segment version 8), 5.0-direct (the same, direct I/O)
#   COMPRESSION  none (default), LZ4Compressor, SnappyCompressor, DeflateCompressor, ZstdCompressor, encrypted
#   FOLDER       made anew; default .cache/differential/VERSION-COMPRESSION-SEED. Its name is printed at the end.
# In it: CommitLog-*.log, schema.json, statements.cql, with encryption key.hex and keystore.jceks, and mutations.jsonl,
# which is what Cassandra's own reader finds in the segments (SegmentDump --ignore-dropped, see README.md).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seed=$1
statements=$2
version=${3:-4.1}
compression=${4:-none}
folder=${5:-$here/../../.cache/differential/$version-$compression-$seed}

release=${version%%-*}
set --
case $version in
    4.1 | 5.0) ;;
    5.0-none) set -- --compat NONE ;;
    5.0-direct) set -- --compat NONE --disk-access direct ;;
    *) echo "differential.sh: unknown version $version: 4.1, 5.0, 5.0-none or 5.0-direct" >&2; exit 2 ;;
esac

rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# two short runs: compiling less is faster than running faster
export JAVA_OPTS="${JAVA_OPTS:--Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1}"
"$here/run.sh" "$release" cdc.oracle.writer.RandomWriter --seed "$seed" --statements "$statements" --drops 3 \
    --compression "$compression" --out "$folder" "$@"
set --
if [ "$compression" = encrypted ]; then
    set -- --keystore "$folder/keystore.jceks" --keystore-password cassandra
fi
"$here/run.sh" "$release" cdc.oracle.dump.SegmentDump --ignore-dropped --schema "$folder/schema.json" \
    --out "$folder/mutations.jsonl" "$@" "$folder"/CommitLog-*.log
echo "$folder"
