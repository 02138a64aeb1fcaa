package io.cdcagent.flink.functions;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.functions.FunctionContext;

/**
 * `REPEATED(values, kafka_ms, within_ms, most) OVER (PARTITION BY … ORDER BY proctime)`: whether
 * the record's values were seen before, at a record whose Kafka timestamp is at most `within_ms`
 * older. When they were not, they are remembered from this record on: a repeat does not make the
 * memory last longer. At most `most` values are remembered in a partition of the window; beyond
 * that the oldest is forgotten, which the metric `dq_forgotten_count` of the operator counts: from
 * then on such a value is new again. NULL is no repeat and is not remembered.
 *
 * <p>Nothing looks at a clock: the same records in the same order have the same answers.
 */
public class Repeated extends AggregateFunction<Boolean, Repeated.Memory> {
    private static final long serialVersionUID = 1L;

    /** Values that were forgotten before their time. Counted by itself until a task opens it. */
    private transient Counter forgotten = new SimpleCounter();

    /** What a partition of the window remembers. */
    public static class Memory {
        /** Value, Kafka timestamp of its first record. */
        public MapView<String, Long> first = new MapView<>();

        /** The values in the order in which they came, by a running number. */
        public MapView<Long, String> order = new MapView<>();

        /** Under which timestamp each of {@link #order} was remembered. */
        public MapView<Long, Long> since = new MapView<>();

        /** Number of the oldest in {@link #order}. */
        public long oldest = 0;

        /** Number of the next one. */
        public long next = 0;

        /** How many values are in {@link #first}. */
        public long count = 0;

        /** The answer on the newest record. */
        public boolean repeat = false;
    }

    @Override
    public void open(FunctionContext context) {
        forgotten = context.getMetricGroup().counter("dq_forgotten_count");
    }

    /** How many values were forgotten before their time, since the task was started. */
    long forgotten() {
        return forgotten.getCount();
    }

    @Override
    public Memory createAccumulator() {
        return new Memory();
    }

    @Override
    public Boolean getValue(Memory memory) {
        return memory.repeat;
    }

    /** Looks at one record. */
    public void accumulate(Memory memory, String values, Long kafkaMs, Long withinMs, Long most)
            throws Exception {
        memory.repeat = false;
        if (values == null || kafkaMs == null) {
            return;
        }
        Long first = memory.first.get(values);
        if (first != null && kafkaMs - first <= withinMs) {
            memory.repeat = true;
            return;
        }
        if (first == null) {
            memory.count++;
        }
        memory.first.put(values, kafkaMs);
        memory.order.put(memory.next, values);
        memory.since.put(memory.next, kafkaMs);
        memory.next++;
        forget(memory, kafkaMs, withinMs, most);
    }

    private void forget(Memory memory, long kafkaMs, long withinMs, long most) throws Exception {
        while (memory.oldest < memory.next) {
            String values = memory.order.get(memory.oldest);
            Long since = memory.since.get(memory.oldest);
            // A value that was remembered anew stands here a second time, further on.
            boolean isNewest = since.equals(memory.first.get(values));
            boolean isOver = kafkaMs - since > withinMs;
            if (isNewest && !isOver && memory.count <= most) {
                return;
            }
            if (isNewest) {
                if (!isOver) {
                    forgotten.inc();
                }
                memory.first.remove(values);
                memory.count--;
            }
            memory.order.remove(memory.oldest);
            memory.since.remove(memory.oldest);
            memory.oldest++;
        }
    }
}
