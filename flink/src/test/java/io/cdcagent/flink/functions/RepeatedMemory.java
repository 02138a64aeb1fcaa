package io.cdcagent.flink.functions;

import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.runtime.state.storage.JobManagerCheckpointStorage;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.runtime.dataview.PerKeyStateDataViewStore;
import org.apache.flink.table.runtime.typeutils.ExternalSerializer;
import org.apache.flink.table.types.DataType;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.Test;

/**
 * What a full memory of event ids costs a task: the views of `REPEATED_EVENT` on Flink's state of
 * maps, as the planner makes them, on the heap. Named so that no run of all tests has it: `mvn -f
 * flink/pom.xml -Dtest.heap=2g -Dtest=RepeatedMemory test-compile surefire:test`.
 */
class RepeatedMemory {
    private static final int IDS = Integer.getInteger("repeats.ids", 1_000_000);
    private static final long DAY_MS = 86_400_000;

    /** The memory of one Kafka partition; a record is its number. */
    private static final class Remembering extends KeyedProcessFunction<Integer, Long, Boolean> {
        private static final long serialVersionUID = 1L;

        private transient Repeated repeated;
        private transient Repeated.Memory memory;

        @Override
        @SuppressWarnings("deprecation") // its successor is not in Flink 1.17
        public void open(Configuration parameters) throws Exception {
            PerKeyStateDataViewStore store = new PerKeyStateDataViewStore(getRuntimeContext());
            repeated = new Repeated();
            memory = repeated.createAccumulator();
            memory.first = view(store, "first", DataTypes.STRING(), DataTypes.BIGINT());
            memory.order = view(store, "order", DataTypes.BIGINT(), DataTypes.STRING());
            memory.since = view(store, "since", DataTypes.BIGINT(), DataTypes.BIGINT());
        }

        private static <K, V> MapView<K, V> view(
                PerKeyStateDataViewStore store, String name, DataType key, DataType value)
                throws Exception {
            return store.getStateMapView(
                    name, false, ExternalSerializer.of(key), ExternalSerializer.of(value));
        }

        @Override
        public void processElement(Long number, Context context, Collector<Boolean> out)
                throws Exception {
            repeated.accumulate(memory, String.format("%032x", number), number, DAY_MS, (long) IDS);
        }
    }

    private static long usedMib() {
        for (int number = 0; number < 3; number++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        return (runtime.totalMemory() - runtime.freeMemory()) >> 20;
    }

    private static KeyedOneInputStreamOperatorTestHarness<Integer, Long, Boolean> task()
            throws Exception {
        KeyedOneInputStreamOperatorTestHarness<Integer, Long, Boolean> task =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new KeyedProcessOperator<>(new Remembering()), number -> 0, Types.INT);
        task.setStateBackend(new HashMapStateBackend());
        task.setCheckpointStorage(new JobManagerCheckpointStorage(Integer.MAX_VALUE));
        return task;
    }

    @Test
    void aMillionIds() throws Exception {
        long empty = usedMib();
        try (KeyedOneInputStreamOperatorTestHarness<Integer, Long, Boolean> task = task()) {
            task.open();
            long begin = System.nanoTime();
            // A half more than it takes, so that the oldest are forgotten as in a running job.
            for (long number = 0; number < IDS * 3L / 2; number++) {
                task.processElement(number, 0);
            }
            long millis = (System.nanoTime() - begin) / 1_000_000;
            System.out.printf("%d ids: %d MiB, %d ms%n", IDS, usedMib() - empty, millis);
            long saved = task.snapshot(1, 1).getStateSize();
            System.out.printf("checkpoint: %d MiB%n", saved >> 20);
        }
    }
}
