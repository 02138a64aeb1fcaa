#!/bin/sh
# Prints the path of the JVM connector's jar with all its libraries inside, fetched from Maven when it is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# the newest version that resolves
version=3.5.0.Final
mkdir -p "$here/../../.cache/peers"
peers=$(cd "$here/../../.cache/peers" && pwd)
jar=$peers/debezium-connector-cassandra-4-$version-jar-with-dependencies.jar
(
    flock 9
    if [ ! -e "$jar" ]; then
        # the old plugin does not insist on the parent pom, which is not published
        (cd "$peers" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:2.8:copy -DoutputDirectory=. \
            -Dartifact="io.debezium:debezium-connector-cassandra-4:$version:jar:jar-with-dependencies") >&2
    fi
) 9>"$peers/jar.lock"
echo "$jar"
