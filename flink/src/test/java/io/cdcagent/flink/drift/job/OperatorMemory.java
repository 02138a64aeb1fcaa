package io.cdcagent.flink.drift.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.DriftCases;
import io.cdcagent.flink.drift.machine.Side;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.table.data.RowData;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

/**
 * What a million rows cost in the operator; src/jobs/drift/measure.rs measures the same of the
 * embedded engine. Named so that no run of all tests has it: `mvn -f flink/pom.xml -Dtest.heap=8g
 * -Dtest=OperatorMemory surefire:test`.
 */
class OperatorMemory {
    private static final int ROWS = Integer.getInteger("drift.rows", 1_000_000);
    private static final int SHARDS = 32;
    private static final long T0_US = 1_700_000_000_000_000L;
    private static final String COLUMNS =
            "{\"amount\":\"double\",\"note\":\"text\",\"at\":\"timestamp\",\"state\":\"text\"}";

    private final JobOptions job;
    private final Map<Side, SideRecords> sources = new HashMap<>();
    private final KeyedOneInputStreamOperatorTestHarness<Integer, Routed, RowData> task;

    OperatorMemory() throws Exception {
        JsonNode drift = DriftCases.vectors().get(0);
        Map<String, String> options = CaseOptions.of(drift, SHARDS);
        options.put("key", "[\"id\"]");
        options.put("clustering", "[]");
        options.put("columns", COLUMNS);
        options.put("mode", "event_id");
        options.put("write-matches", "false");
        options.put("silence", "300 s");
        for (String name : List.of("onprem.hosts", "cloud.hosts")) {
            options.put(name, "any");
        }
        // Shards are not all of one size.
        for (String name : List.of("max-rows", "max-event-ids", "max-waiting")) {
            options.put(name, "" + ROWS * 2L);
        }
        job = new JobOptions(options);
        for (Side side : Side.values()) {
            sources.put(side, new SideRecords(job, side, SideRecords.Kind.RECORDS));
        }
        task =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new KeyedProcessOperator<>(new DriftFunction(job, (kafka, topic) -> 1)),
                        routed -> routed.shardKey,
                        Types.INT,
                        SHARDS,
                        1,
                        0);
    }

    private void take(Side side, String value) throws Exception {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        List<Routed> found = new ArrayList<>();
        sources.get(side)
                .deserialize(
                        new ConsumerRecord<>("t", 0, 0, null, bytes), new ListCollector<>(found));
        for (Routed routed : found) {
            task.processElement(routed, 0);
        }
    }

    private void beat(long wmUs) throws Exception {
        for (Side side : Side.values()) {
            String value =
                    "{\"op\":\"m\",\"ts_ms\":%d,\"wm_us\":%d,\"source\":{\"host_id\":\"%s\"}}";
            take(side, String.format(value, wmUs / 1000, wmUs, side.word()));
        }
    }

    /** A row that is written whole, as an agent tells of it. */
    private static String record(int row) {
        long tsUs = T0_US + row;
        return String.format(
                "{\"op\":\"c\",\"ts_ms\":%d,\"before\":null,\"after\":{\"id\":\"order-%08d\","
                        + "\"amount\":12.5,\"note\":\"twenty characters ..\",\"at\":%d,"
                        + "\"state\":\"sent\"},\"row_hash\":\"%064x\",\"hash_kind\":\"full\","
                        + "\"hash_def\":\"0a0b0c0d\",\"event_id\":\"%032x\",\"source\":{\"ts_us\":%d,"
                        + "\"host_id\":\"6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47\","
                        + "\"file\":\"CommitLog-7-1700000000000.log\",\"pos\":%d}}",
                tsUs / 1000, row, tsUs / 1000, row, row, tsUs, row);
    }

    private static long usedMib() {
        for (int number = 0; number < 3; number++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        return (runtime.totalMemory() - runtime.freeMemory()) >> 20;
    }

    private void tell(Side side) throws Exception {
        long begin = System.nanoTime();
        for (int row = 0; row < ROWS; row++) {
            take(side, record(row));
        }
        long millis = (System.nanoTime() - begin) / 1_000_000;
        System.out.printf("%d rows of %s: %d ms, %d MiB%n", ROWS, side.word(), millis, usedMib());
    }

    @Test
    void aMillionRows() throws Exception {
        task.open();
        long begin = T0_US - 1_000_000_000;
        beat(begin);
        beat(begin + 500_000_000);
        System.out.printf("empty: %d MiB%n", usedMib());
        tell(Side.ONPREM);
        tell(Side.CLOUD);
        beat(T0_US + 2_000_000_000L);
        task.getOutput().clear();
        System.out.printf("decided: %d MiB%n", usedMib());
        task.close();
    }
}
