package io.cdcagent.flink.drift.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.DriftCases;
import io.cdcagent.flink.drift.json.JsonText;
import io.cdcagent.flink.drift.machine.Side;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.RowData;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

/**
 * The operator in Flink's own harness: the oracle's verdicts, over checkpoints and other scales.
 */
class DriftFunctionTest {
    private static final int SHARDS = 4;

    /** Of records in the test. */
    private static final long TIMESTAMP_MS = ConsumerRecord.NO_TIMESTAMP;

    private static JobOptions options(JsonNode drift) {
        return new JobOptions(CaseOptions.of(drift, SHARDS));
    }

    /** The operator with so many tasks, which begin with what was saved of `before`. */
    private static final class Tasks implements AutoCloseable {
        private final JobOptions job;
        private final JsonNode partitions;
        private final List<String> audit;
        private List<KeyedOneInputStreamOperatorTestHarness<Integer, Routed, RowData>> tasks =
                new ArrayList<>();

        Tasks(JobOptions job, JsonNode partitions, List<String> audit) throws Exception {
            this.job = job;
            this.partitions = partitions;
            this.audit = audit;
            tasks.add(task(1, 0, null));
        }

        private KeyedOneInputStreamOperatorTestHarness<Integer, Routed, RowData> task(
                int count, int number, OperatorSubtaskState saved) throws Exception {
            int onprem = partitions.get("onprem").asInt();
            int cloud = partitions.get("cloud").asInt();
            PartitionCounts counts =
                    (kafka, topic) ->
                            kafka.get("bootstrap.servers").equals("onprem") ? onprem : cloud;
            KeyedOneInputStreamOperatorTestHarness<Integer, Routed, RowData> task =
                    new KeyedOneInputStreamOperatorTestHarness<>(
                            new KeyedProcessOperator<>(new DriftFunction(job, counts)),
                            routed -> routed.shardKey,
                            Types.INT,
                            SHARDS,
                            count,
                            number);
            if (saved != null) {
                task.initializeState(
                        AbstractStreamOperatorTestHarness.repartitionOperatorState(
                                saved, SHARDS, tasks.size(), count, number));
            }
            task.open();
            return task;
        }

        void take(Routed routed) throws Exception {
            int number =
                    KeyGroupRangeAssignment.assignKeyToParallelOperator(
                            routed.shardKey, SHARDS, tasks.size());
            tasks.get(number).processElement(routed, 0);
        }

        /** Saves all, ends, and starts so many tasks with it. */
        void restart(int count) throws Exception {
            List<OperatorSubtaskState> saved = new ArrayList<>();
            for (KeyedOneInputStreamOperatorTestHarness<Integer, Routed, RowData> task : tasks) {
                saved.add(task.snapshot(0, 0));
            }
            drain();
            OperatorSubtaskState all =
                    AbstractStreamOperatorTestHarness.repackageState(
                            saved.toArray(new OperatorSubtaskState[0]));
            List<KeyedOneInputStreamOperatorTestHarness<Integer, Routed, RowData>> next =
                    new ArrayList<>();
            for (int number = 0; number < count; number++) {
                next.add(task(count, number, all));
            }
            tasks = next;
        }

        private void drain() throws Exception {
            for (KeyedOneInputStreamOperatorTestHarness<Integer, Routed, RowData> task : tasks) {
                for (RowData row : task.extractOutputValues()) {
                    if (row.getString(VerdictRow.TOPIC).toString().equals("audit")) {
                        String value = row.getString(VerdictRow.VALUE).toString();
                        audit.add(value);
                        JsonNode decidedUs = DriftCases.parsed(value).get("decided_us");
                        long expected =
                                decidedUs.isNull() ? TIMESTAMP_MS : decidedUs.asLong() / 1000;
                        assertEquals(expected, row.getLong(VerdictRow.TIMESTAMP_MS));
                    }
                }
                task.close();
            }
        }

        @Override
        public void close() throws Exception {
            drain();
        }
    }

    private static List<String> run(JsonNode drift, int restartEvery) throws Exception {
        JobOptions job = options(drift);
        JsonNode partitions = drift.get("options").get("partitions");
        List<String> audit = new ArrayList<>();
        try (Tasks tasks = new Tasks(job, partitions, audit)) {
            int number = 0;
            for (JsonNode record : drift.get("records")) {
                for (Routed routed : routed(job, record)) {
                    tasks.take(routed);
                }
                if (++number % restartEvery == 0) {
                    tasks.restart(1 + number / restartEvery % 2);
                }
            }
        }
        return audit;
    }

    private static List<Routed> routed(JobOptions job, JsonNode record) {
        Side side = record.get("side").asText().equals("cloud") ? Side.CLOUD : Side.ONPREM;
        String topic = record.get("topic").asText();
        byte[] value = JsonText.of(record.get("value")).getBytes(StandardCharsets.UTF_8);
        SideRecords.Kind kind =
                topic.equals("control")
                        ? SideRecords.Kind.CONTROL
                        : topic.equals("cdc")
                                ? SideRecords.Kind.RECORDS
                                : SideRecords.Kind.DEAD_LETTERS;
        List<Routed> found = new ArrayList<>();
        int partition = record.get("partition").asInt();
        new SideRecords(job, side, kind)
                .deserialize(
                        new ConsumerRecord<>(topic, partition, 0, DriftCases.key(record), value),
                        new ListCollector<>(found));
        return found;
    }

    @Test
    void verdictsOverCheckpointsAndOtherScales() throws Exception {
        int number = 0;
        for (JsonNode drift : DriftCases.vectors()) {
            List<String> audit = run(drift, 20 + number++);
            assertEquals(
                    DriftCases.expected(drift), DriftCases.told(audit), drift.get("name").asText());
        }
    }

    @Test
    void shardsHaveKeyGroupsOfTheirOwn() {
        for (int count : new int[] {1, 4, 32}) {
            int[] keys = new Shards(count).keys();
            assertEquals(count, keys.length);
            for (int shard = 0; shard < count; shard++) {
                assertEquals(shard, KeyGroupRangeAssignment.assignToKeyGroup(keys[shard], count));
            }
        }
    }

    @Test
    void whatNoAgentWroteIsPassedOver() throws Exception {
        JsonNode drift = DriftCases.vectors().get(0);
        JobOptions job = options(drift);
        SideRecords records = new SideRecords(job, Side.ONPREM, SideRecords.Kind.RECORDS);
        List<Routed> found = new ArrayList<>();
        for (String value : new String[] {"", "{", "[]", "{\"op\":\"m\"}", null}) {
            byte[] bytes = value == null ? null : value.getBytes(StandardCharsets.UTF_8);
            records.deserialize(
                    new ConsumerRecord<>("cdc", 0, 0, null, bytes), new ListCollector<>(found));
        }
        assertTrue(found.isEmpty());
    }

    @Test
    void aHeartbeatOfHashEventsSaysOfWhichTopicItTells() throws Exception {
        Map<String, String> options = CaseOptions.of(DriftCases.vectors().get(0), SHARDS);
        options.put("input", "hash");
        SideRecords records =
                new SideRecords(new JobOptions(options), Side.ONPREM, SideRecords.Kind.RECORDS);
        byte[] beat =
                "{\"op\":\"m\",\"host_id\":\"h\",\"partition\":0,\"wm_us\":5,\"source_dc\":\"d\"}"
                        .getBytes(StandardCharsets.UTF_8);
        Map<String, Integer> routed = new HashMap<>();
        for (String source : new String[] {"", "onprem.cdc.shop.notes", "onprem.cdc.shop.orders"}) {
            ConsumerRecord<byte[], byte[]> record =
                    new ConsumerRecord<>("onprem_hash_events", 0, 0, null, beat);
            if (!source.isEmpty()) {
                record.headers().add("source_topic", source.getBytes(StandardCharsets.UTF_8));
            }
            List<Routed> found = new ArrayList<>();
            records.deserialize(record, new ListCollector<>(found));
            routed.put(source, found.size());
        }
        assertEquals(
                Map.of("", 0, "onprem.cdc.shop.notes", 0, "onprem.cdc.shop.orders", SHARDS),
                routed);
    }

    @Test
    void whatIsMissingOrWrongAmongTheOptionsIsNamed() throws Exception {
        Map<String, String> right = CaseOptions.of(DriftCases.vectors().get(0), SHARDS);
        new JobOptions(right).validate();
        for (String name : right.keySet()) {
            Map<String, String> without = new HashMap<>(right);
            without.remove(name);
            assertTrue(told(without).contains("'" + name + "' is missing"), name);
        }
        for (String[] wrong :
                new String[][] {
                    {"shards", "0"},
                    {"max-rows", "many"},
                    {"mode", "both"},
                    {"tolerance", "soon"},
                    {"key", "id"},
                    {"cloud.hosts", "some"},
                    {"clustering", "[{\"kind\":\"duration\",\"descending\":false}]"},
                }) {
            Map<String, String> with = new HashMap<>(right);
            with.put(wrong[0], wrong[1]);
            assertTrue(told(with).contains("'" + wrong[0] + "':"), wrong[0]);
        }
    }

    private static String told(Map<String, String> options) {
        JobOptions job = new JobOptions(options);
        return assertThrows(ValidationException.class, job::validate).getMessage();
    }
}
