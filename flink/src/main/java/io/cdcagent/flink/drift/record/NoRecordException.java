package io.cdcagent.flink.drift.record;

/** No agent wrote this. */
public final class NoRecordException extends Exception {
    private static final long serialVersionUID = 1L;

    public NoRecordException(String why) {
        super(why);
    }
}
