package io.cdcagent.flink.drift.machine;

/** An event of a row, of a static row, or of a range, on one side. */
public final class RowEvent extends Input {
    /** Partition whose heartbeats stand between its events; null where any may. */
    final Integer partition;

    final RowKey key;

    /**
     * Which version of the row it is, microseconds; when it was logged, of one that does not say.
     */
    final long versionUs;

    /** Latest time at which it may have been logged, by the node's clock, microseconds. */
    final long loggedUs;

    final Content content;
    final Told told;

    public RowEvent(
            Side side,
            Integer partition,
            String hostId,
            RowKey key,
            long versionUs,
            long loggedUs,
            Content content,
            Told told) {
        super(side, hostId);
        this.partition = partition;
        this.key = key;
        this.versionUs = versionUs;
        this.loggedUs = loggedUs;
        this.content = content;
        this.told = told;
    }

    /** The same as one of a version. */
    RowEvent ofVersion(long version) {
        Content of = content.ofVersion(version);
        return new RowEvent(side, partition, hostId, key, version, loggedUs, of, told);
    }

    /** The columns of the partition key, compact JSON. */
    public String partitionKey() {
        return key.partition;
    }

    /** What a snapshot read is no write: it says what is there, and is not waited for. */
    boolean isRead() {
        return told.op.equals("r");
    }
}
