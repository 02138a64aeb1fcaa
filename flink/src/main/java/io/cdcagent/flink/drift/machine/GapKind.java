package io.cdcagent.flink.drift.machine;

/** What a gap takes away. */
public enum GapKind {
    /** Events of the side may be missing. */
    LOST,
    /** Events of the side may be missing, and the node has forgotten some that were published. */
    FORGOTTEN
}
