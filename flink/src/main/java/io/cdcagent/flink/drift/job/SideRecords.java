package io.cdcagent.flink.drift.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.NotJsonException;
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
 * Records of one topic of a side as inputs. An event goes to the machine of its shard, heartbeats
 * and gaps to every one; from a partition to a machine they all take the same way, so that a
 * heartbeat stays behind what it speaks of.
 */
final class SideRecords implements KafkaRecordDeserializationSchema<Routed> {
    private static final long serialVersionUID = 1L;

    /** In the header of hash events: the topic that they come from. */
    private static final String SOURCE_TOPIC = "source_topic";

    private final JobOptions job;
    private final Side side;
    private final boolean isControl;

    private transient Layout layout;
    private transient boolean readsHashes;
    private transient Shards shards;
    private transient byte[] source;
    private transient Counter tombstones;
    private transient Counter strange;
    private transient Counter truncations;

    SideRecords(JobOptions job, Side side, boolean isControl) {
        this.job = job;
        this.side = side;
        this.isControl = isControl;
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
        source = job.cdcTopic(side).getBytes(StandardCharsets.UTF_8);
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
        if (isControl) {
            if (ControlRecord.isTruncation(value, layout)) {
                truncations.inc();
            }
            return ControlRecord.input(value, read);
        }
        if (!readsHashes) {
            return ChangeRecord.input(value, layout, read);
        }
        // One topic of hash events has those of all tables.
        return isOfTable(record) ? HashEvent.input(value, layout, read) : null;
    }

    /** Whether a record says that it comes from this table's topic, or does not say from where. */
    private boolean isOfTable(ConsumerRecord<byte[], byte[]> record) {
        for (Header header : record.headers().headers(SOURCE_TOPIC)) {
            return header.value() == null || Arrays.equals(header.value(), source);
        }
        return true;
    }

    private void route(Input input, long timestampMs, Collector<Routed> out) {
        byte[] bytes = InputWire.bytes(input);
        if (input instanceof RowEvent) {
            int key = shards.keyOf(((RowEvent) input).partitionKey());
            out.collect(new Routed(key, bytes, timestampMs));
            return;
        }
        for (int key : shards.keys()) {
            out.collect(new Routed(key, bytes, timestampMs));
        }
    }

    @Override
    public TypeInformation<Routed> getProducedType() {
        return TypeInformation.of(Routed.class);
    }
}
