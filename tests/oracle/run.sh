#!/bin/sh
# Runs a class of this project: run.sh 4.1|5.0|connector|kafka CLASS [ARGUMENT…]; builds first when a source is newer than the jar.
# 4.1 runs on JDK 11 (which compose/native/fetch.sh finds or fetches), the others on JDK 17. JAVA_OPTS is passed on (default -Xmx512m);
# ORACLE_JAVA replaces the java program.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$1
class=$2
shift 2
target=$here/target/$version
case $version in
    4.1) profile=cassandra-4.1 sources="$here/src/main $here/src/cassandra-4.1" ;;
    5.0) profile=cassandra-5.0 sources="$here/src/main $here/src/cassandra-5.0" ;;
    connector) profile=connector sources="$here/src/main $here/src/cassandra-4.1 $here/src/connector" ;;
    kafka) profile=kafka sources=$here/src/kafka ;;
    *) echo "run.sh: unknown version $version: 4.1, 5.0, connector or kafka" >&2; exit 2 ;;
esac
extra= more=
if [ "$version" = connector ]; then
    extra=$("$here/connector-jar.sh")
    more=-Dconnector.jar=$extra
fi
mkdir -p "$here/target"
(
    flock 9
    # shellcheck disable=SC2086 # the list of folders is meant to be split
    if [ ! -e "$target/built" ] || [ -n "$(find $sources "$here/pom.xml" -newer "$target/built" -type f | head -n 1)" ]; then
        (cd "$here" && mvn -q -B -P"$profile" ${more:+"$more"} clean package) >&2
        touch "$target/built"
    fi
) 9>"$here/target/$version.lock"

case $version in
    4.1) java=$("$here/../../compose/native/fetch.sh" jdk-11)/bin/java ;;
    *) java=$("$here/../../compose/native/fetch.sh" jdk-17)/bin/java ;;
esac
opens="java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref java.base/jdk.internal.reflect
    java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.util.jar
    jdk.management/com.sun.management.internal"
exports="java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch
    java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql"
if [ "$version" != 4.1 ]; then
    exports="$exports java.base/java.lang.ref java.base/java.lang.reflect jdk.unsupported/sun.misc"
    opens="$opens java.base/sun.nio.ch java.base/java.io java.base/java.nio java.base/java.lang java.base/java.lang.reflect
        java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic"
fi
flags="-Djdk.attach.allowAttachSelf=true -Dio.netty.tryReflectionSetAccessible=true"
for package in $exports; do flags="$flags --add-exports=$package=ALL-UNNAMED"; done
for package in $opens; do flags="$flags --add-opens=$package=ALL-UNNAMED"; done
# shellcheck disable=SC2086 # flags and JAVA_OPTS are lists
exec "${ORACLE_JAVA:-$java}" $flags ${JAVA_OPTS:--Xmx512m} -Dlogback.configurationFile="$here/logback.xml" \
    -cp "$target/classes:$target/lib/*${extra:+:$extra}" "$class" "$@"
