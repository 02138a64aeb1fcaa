package io.cdcagent.flink.functions;

/** `COUNT_VALID(text)`: counts a valid record in the metric `dq_valid_count`. */
public final class CountValid extends CountingFunction {
    private static final long serialVersionUID = 1L;

    /** For SQL. */
    public CountValid() {
        super("dq_valid_count");
    }
}
