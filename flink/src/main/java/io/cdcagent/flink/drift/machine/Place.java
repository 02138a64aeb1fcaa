package io.cdcagent.flink.drift.machine;

/** Where a record stands: evidence, never looked at. */
public final class Place {
    final String topic;
    final int partition;
    final long offset;

    /** Segment of the commit log, or null. */
    final String file;

    /** Offset in the segment, or null. */
    final Long pos;

    public Place(String topic, int partition, long offset, String file, Long pos) {
        this.topic = topic;
        this.partition = partition;
        this.offset = offset;
        this.file = file;
        this.pos = pos;
    }
}
