package io.cdcagent.flink.drift.json;

/** What should be JSON is not. */
public final class NotJsonException extends Exception {
    private static final long serialVersionUID = 1L;

    NotJsonException(String why) {
        super("it is no JSON: " + why);
    }
}
