package io.cdcagent.flink.drift.job;

import io.cdcagent.flink.drift.job.SideRecords.Kind;
import io.cdcagent.flink.drift.machine.Side;
import java.time.Duration;
import java.util.regex.Pattern;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSink;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;

/** The drift job: topics of two sides, the machines, the topics of verdicts (docs/drift.md). */
final class Pipeline {
    /** How far one partition may be read ahead of the others, in Kafka time: the rest waits. */
    private static final Duration AHEAD = Duration.ofSeconds(60);

    /** A partition that says nothing for so long holds nobody back. */
    private static final Duration IDLE = Duration.ofSeconds(10);

    private static final Duration ALIGNED_EVERY = Duration.ofSeconds(1);

    /** How often it is looked whether there are dead letters. */
    private static final String DISCOVERED_EVERY_MS = "30000";

    private Pipeline() {}

    /** What the machines say. */
    static DataStream<RowData> verdicts(
            StreamExecutionEnvironment env, JobOptions job, TypeInformation<RowData> type) {
        DataStream<Routed> inputs =
                records(env, job, Side.ONPREM)
                        .union(
                                control(env, job, Side.ONPREM),
                                deadLetters(env, job, Side.ONPREM),
                                records(env, job, Side.CLOUD),
                                control(env, job, Side.CLOUD),
                                deadLetters(env, job, Side.CLOUD));
        return inputs.keyBy(routed -> routed.shardKey, Types.INT)
                .process(new DriftFunction(job, PartitionCounts::ask), type)
                .uid("drift-machines")
                .setParallelism(Math.min(env.getParallelism(), job.shards()))
                // A key group for each shard: a state with other shards is refused.
                .setMaxParallelism(job.shards());
    }

    private static DataStream<Routed> records(
            StreamExecutionEnvironment env, JobOptions job, Side side) {
        // What one side told is remembered until the other could: neither may run ahead.
        WatermarkStrategy<Routed> aligned =
                WatermarkStrategy.<Routed>forMonotonousTimestamps()
                        .withIdleness(IDLE)
                        .withWatermarkAlignment("sides", AHEAD, ALIGNED_EVERY);
        String topic = job.topic(side);
        OffsetsInitializer group =
                OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST);
        KafkaSource<Routed> source =
                source(job, side, Kind.RECORDS, group).setTopics(topic).build();
        return env.fromSource(source, aligned, topic).uid("drift-" + side.word() + "-records");
    }

    private static DataStream<Routed> control(
            StreamExecutionEnvironment env, JobOptions job, Side side) {
        String topic = job.controlTopic(side);
        // All of it: a gap that was told of before may be one of what is read now.
        KafkaSource<Routed> source =
                source(job, side, Kind.CONTROL, OffsetsInitializer.earliest())
                        .setTopics(topic)
                        .build();
        return env.fromSource(source, WatermarkStrategy.noWatermarks(), topic)
                .uid("drift-" + side.word() + "-control")
                .setParallelism(1);
    }

    private static DataStream<Routed> deadLetters(
            StreamExecutionEnvironment env, JobOptions job, Side side) {
        String topic = job.deadLetterTopic(side);
        // An agent makes it when it has to point to something: a name that must not be there yet
        // can only be given as a pattern.
        KafkaSource<Routed> source =
                source(job, side, Kind.DEAD_LETTERS, OffsetsInitializer.earliest())
                        .setTopicPattern(Pattern.compile(Pattern.quote(topic)))
                        .setProperty("partition.discovery.interval.ms", DISCOVERED_EVERY_MS)
                        .build();
        return env.fromSource(source, WatermarkStrategy.noWatermarks(), topic)
                .uid("drift-" + side.word() + "-dead-letters")
                .setParallelism(1);
    }

    private static KafkaSourceBuilder<Routed> source(
            JobOptions job, Side side, Kind kind, OffsetsInitializer from) {
        return KafkaSource.<Routed>builder()
                .setProperties(job.kafka(side.word() + "."))
                .setProperty("isolation.level", "read_committed")
                .setStartingOffsets(from)
                .setDeserializer(new SideRecords(job, side, kind));
    }

    /** Exactly once: records of both topics in the same transactions. */
    static DataStreamSink<RowData> write(DataStream<RowData> verdicts, JobOptions out) {
        KafkaSink<RowData> sink =
                KafkaSink.<RowData>builder()
                        .setKafkaProducerConfig(out.kafka(""))
                        .setBootstrapServers(out.text("properties.bootstrap.servers"))
                        .setRecordSerializer(new VerdictRecords())
                        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                        .setTransactionalIdPrefix(out.text("transactional-id-prefix"))
                        .build();
        return verdicts.sinkTo(sink)
                .name("verdicts")
                .uid("drift-verdicts")
                // As many as before: what is said of a row stays in its order.
                .setParallelism(verdicts.getParallelism());
    }
}
