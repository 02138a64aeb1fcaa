#!/bin/sh
# Writes vectors/accepted.jsonl: bytes that a client can and cannot write as a value (AcceptedValues). 4.1 and 5.0 must agree.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
for version in 4.1 5.0; do
    "$here/run.sh" "$version" cdc.oracle.values.AcceptedValues >"$temporary/$version"
done
cmp "$temporary/4.1" "$temporary/5.0"
mv "$temporary/5.0" "$here/vectors/accepted.jsonl"
wc -l "$here/vectors/accepted.jsonl"
