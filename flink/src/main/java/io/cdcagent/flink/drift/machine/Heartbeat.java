package io.cdcagent.flink.drift.machine;

/** Everything that a node logged before is published, and stands before this in this partition. */
public final class Heartbeat extends Input {
    final int partition;

    /** The low watermark, microseconds. */
    final long wmUs;

    /** When the agent said so, milliseconds. */
    final long tsMs;

    public Heartbeat(Side side, int partition, String hostId, long wmUs, long tsMs) {
        super(side, hostId);
        this.partition = partition;
        this.wmUs = wmUs;
        this.tsMs = tsMs;
    }
}
