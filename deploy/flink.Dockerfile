# syntax=docker/dockerfile:1
# Flink with what the jobs need: the Kafka connector, and the sink and the functions of flink/.
# docker build -f deploy/flink.Dockerfile -t cdc-agent-flink .

FROM maven:3.9-eclipse-temurin-17 AS jars
WORKDIR /source
COPY compose/native/poms/flink-1.20.xml pom.xml
RUN mvn --batch-mode --no-transfer-progress dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=/jars
COPY flink flink
RUN mvn --batch-mode --no-transfer-progress --file flink/pom.xml package -DskipTests

FROM flink:1.20.3-scala_2.12-java17
COPY --from=jars \
    /jars/flink-connector-base-*.jar /jars/flink-connector-kafka-*.jar /jars/kafka-clients-*.jar \
    /jars/lz4-java-*.jar /jars/snappy-java-*.jar /jars/zstd-jni-*.jar \
    /source/flink/target/cdc-agent-flink-*.jar \
    /opt/flink/lib/
# A new volume takes its owner from here: the user flink of the image.
RUN install --directory --owner 9999 --group 9999 --mode 0700 /var/lib/flink
USER 9999:9999
VOLUME /var/lib/flink
