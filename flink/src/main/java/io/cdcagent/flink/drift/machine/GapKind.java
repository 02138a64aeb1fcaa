package io.cdcagent.flink.drift.machine;

/** What a gap takes away. */
public enum GapKind {
    /** Since the last heartbeat before: events of the side may be missing. */
    LOST,
    /** The same, and the node has forgotten some that were published. */
    FORGOTTEN,
    /** From the last heartbeat before on, until {@link #ON}: events are missing. */
    OFF,
    /** The end of {@link #OFF}. */
    ON,
    /** All that was before: the table was truncated, so that what was published may be gone. */
    TRUNCATED
}
