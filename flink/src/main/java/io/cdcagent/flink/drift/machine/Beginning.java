package io.cdcagent.flink.drift.machine;

/**
 * A node logged nothing of the table before it was created, and all that it did is in this
 * partition.
 */
public final class Beginning extends Input {
    final int partition;

    /** When the table was created, microseconds since 1970. */
    final long createdUs;

    public Beginning(Side side, int partition, String hostId, long createdUs) {
        super(side, hostId);
        this.partition = partition;
        this.createdUs = createdUs;
    }
}
