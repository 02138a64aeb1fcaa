package io.cdcagent.flink.drift.machine;

/** What is said about a version of a row; `docs/drift.md` says what each means. */
public enum Status {
    MATCH,
    DRIFT,
    MISSING_ONPREM,
    MISSING_CLOUD,
    RESOLVED,
    INCOMPARABLE,
    UNKNOWN;

    static Status missing(Side side) {
        return side == Side.ONPREM ? MISSING_ONPREM : MISSING_CLOUD;
    }
}
