package io.cdcagent.flink.functions;

import org.apache.flink.metrics.Counter;
import org.apache.flink.table.functions.FunctionContext;

/**
 * `REPEATED_EVENT(…)`: as {@link Repeated}, for the ids of events; counts repeats in the metric
 * `dq_repeat_count` of the operator.
 */
public final class RepeatedEvent extends Repeated {
    private static final long serialVersionUID = 1L;

    private transient Counter repeats;

    @Override
    public void open(FunctionContext context) {
        super.open(context);
        repeats = context.getMetricGroup().counter("dq_repeat_count");
    }

    @Override
    public void accumulate(Memory memory, String values, Long kafkaMs, Long withinMs, Long most)
            throws Exception {
        super.accumulate(memory, values, kafkaMs, withinMs, most);
        if (memory.repeat) {
            repeats.inc();
        }
    }
}
