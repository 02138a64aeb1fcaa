package io.cdcagent.flink.functions;

/** `COUNT_INVALID(text)`: counts a dead letter in the metric `dq_invalid_count`. */
public final class CountInvalid extends CountingFunction {
    private static final long serialVersionUID = 1L;

    /** For SQL. */
    public CountInvalid() {
        super("dq_invalid_count");
    }
}
