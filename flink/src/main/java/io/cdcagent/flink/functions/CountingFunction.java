package io.cdcagent.flink.functions;

import org.apache.flink.metrics.Counter;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** Counts its calls in a metric of the operator and returns its argument. */
public abstract class CountingFunction extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    private final String metric;
    private transient Counter calls;

    CountingFunction(String metric) {
        this.metric = metric;
    }

    @Override
    public void open(FunctionContext context) {
        calls = context.getMetricGroup().counter(metric);
    }

    /** Counts NULL too. */
    public String eval(String text) {
        calls.inc();
        return text;
    }

    /** It has an effect: the planner must call it once for each row. */
    @Override
    public boolean isDeterministic() {
        return false;
    }
}
