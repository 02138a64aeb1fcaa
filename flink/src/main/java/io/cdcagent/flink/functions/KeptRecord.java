package io.cdcagent.flink.functions;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * `KEPT_RECORD(left_out)`: whether a record is looked at. NULL: it is. Else the word for why it is
 * left out, under which it is counted in the metric `dq_<word>_count` of the operator: nothing is
 * left out silently.
 */
public final class KeptRecord extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** What records of an agents' topic can be beside changes of rows. */
    private static final List<String> WORDS =
            List.of("strange", "tombstone", "heartbeat", "snapshot_row");

    private transient Map<String, Counter> counters;

    @Override
    public void open(FunctionContext context) {
        counters = new HashMap<>();
        for (String word : WORDS) {
            counters.put(word, context.getMetricGroup().counter("dq_" + word + "_count"));
        }
    }

    public boolean eval(String leftOut) {
        if (leftOut == null) {
            return true;
        }
        Counter counter = counters.get(leftOut);
        if (counter == null) {
            throw new IllegalArgumentException("KEPT_RECORD knows no " + leftOut);
        }
        counter.inc();
        return false;
    }

    /** It has an effect: the planner must call it once for each record. */
    @Override
    public boolean isDeterministic() {
        return false;
    }
}
