package io.cdcagent.flink.drift.machine;

/** From here to where its last heartbeat was, the log of a node cannot be relied on. */
public final class GapNotice extends Input {
    /** When the agent said so, milliseconds. */
    final long tsMs;

    final GapKind kind;

    public GapNotice(Side side, String hostId, long tsMs, GapKind kind) {
        super(side, hostId);
        this.tsMs = tsMs;
        this.kind = kind;
    }
}
