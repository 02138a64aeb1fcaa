package io.cdcagent.flink.drift.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.NotJsonException;
import io.cdcagent.flink.drift.machine.GapNotice;
import io.cdcagent.flink.drift.machine.Input;
import io.cdcagent.flink.drift.machine.InputWire;
import io.cdcagent.flink.drift.machine.RowEvent;
import io.cdcagent.flink.drift.machine.Side;
import io.cdcagent.flink.drift.record.ChangeRecord;
import io.cdcagent.flink.drift.record.ControlRecord;
import io.cdcagent.flink.drift.record.HashEvent;
import io.cdcagent.flink.drift.record.Layout;
import io.cdcagent.flink.drift.record.NoRecordException;
import io.cdcagent.flink.drift.record.ReadAt;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * Records of one topic of a side as inputs. An event, or a gap in the records of one row, goes to
 * the machine of its shard, heartbeats and other gaps to every one; from a partition to a machine
 * they all take the same way, so that a heartbeat stays behind what it speaks of.
 */
final class SideRecords implements KafkaRecordDeserializationSchema<Routed> {
    private static final long serialVersionUID = 1L;

    /** In the header of hash events: the topic that they come from. */
    private static final String SOURCE_TOPIC = "source_topic";

    /** What a topic has. */
    enum Kind {
        RECORDS,
        CONTROL,
        DEAD_LETTERS
    }

    private final JobOptions job;
    private final Side side;
    private final Kind kind;

    private transient Layout layout;
    private transient boolean readsHashes;
    private transient Shards shards;
    private transient String source;
    private transient Counter tombstones;
    private transient Counter strange;
    private transient Counter truncations;

    SideRecords(JobOptions job, Side side, Kind kind) {
        this.job = job;
        this.side = side;
        this.kind = kind;
    }

    @Override
    public void open(DeserializationSchema.InitializationContext context) {
        prepare(context.getMetricGroup());
    }

    private void prepare(MetricGroup metrics) {
        tombstones = metrics.counter("drift_tombstones_total");
        strange = metrics.counter("drift_strange_total");
        truncations = metrics.counter("drift_truncations_total");
        layout = job.layout();
        readsHashes = job.readsHashes();
        shards = new Shards(job.shards());
        source = job.cdcTopic(side);
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Routed> out) {
        if (layout == null) {
            prepare(new UnregisteredMetricsGroup());
        }
        if (record.value() == null) {
            tombstones.inc();
            return;
        }
        try {
            Input input = input(record);
            if (input != null) {
                route(input, record.timestamp(), out);
            }
        } catch (NotJsonException | NoRecordException error) {
            strange.inc();
        }
    }

    private Input input(ConsumerRecord<byte[], byte[]> record)
            throws NotJsonException, NoRecordException {
        JsonNode value = Json.read(record.value());
        ReadAt read =
                new ReadAt(
                        side,
                        record.topic(),
                        record.partition(),
                        record.offset(),
                        record.timestamp());
        switch (kind) {
            case CONTROL:
                if (ControlRecord.isTruncation(value, layout)) {
                    truncations.inc();
                }
                return ControlRecord.input(value, layout, read);
            case DEAD_LETTERS:
                return ControlRecord.deadLetter(value, record.key(), source, layout, read);
            default:
                return readsHashes
                        ? hashEvent(record, value, read)
                        : ChangeRecord.input(value, layout, read);
        }
    }

    private Input hashEvent(ConsumerRecord<byte[], byte[]> record, JsonNode value, ReadAt read)
            throws NoRecordException {
        byte[] of = sourceOf(record);
        // One topic of hash events has those of all tables.
        if (of != null && !Arrays.equals(of, source.getBytes(StandardCharsets.UTF_8))) {
            return null;
        }
        if (of == null && "m".equals(Json.text(value, "op"))) {
            throw new NoRecordException("a heartbeat that does not say of which topic it tells");
        }
        return HashEvent.input(value, layout, read);
    }

    /** The topic that a hash event comes from; null where it does not say so. */
    private static byte[] sourceOf(ConsumerRecord<byte[], byte[]> record) {
        Iterator<Header> found = record.headers().headers(SOURCE_TOPIC).iterator();
        return found.hasNext() ? found.next().value() : null;
    }

    private void route(Input input, long timestampMs, Collector<Routed> out) {
        byte[] bytes = InputWire.bytes(input);
        String partitionKey = partitionKey(input);
        if (partitionKey != null) {
            out.collect(new Routed(shards.keyOf(partitionKey), bytes, timestampMs));
            return;
        }
        for (int key : shards.keys()) {
            out.collect(new Routed(key, bytes, timestampMs));
        }
    }

    /** Of what is about one partition of the table; null of all else. */
    private static String partitionKey(Input input) {
        if (input instanceof RowEvent) {
            return ((RowEvent) input).partitionKey();
        }
        return input instanceof GapNotice ? ((GapNotice) input).partitionKey() : null;
    }

    @Override
    public TypeInformation<Routed> getProducedType() {
        return TypeInformation.of(Routed.class);
    }
}
