package io.cdcagent.flink.drift.record;

import io.cdcagent.flink.drift.machine.Place;
import io.cdcagent.flink.drift.machine.Side;

/** Where a record was read. */
public final class ReadAt {
    final Side side;
    final String topic;
    final int partition;
    final long offset;

    /** Kafka timestamp, milliseconds. */
    final long timestampMs;

    public ReadAt(Side side, String topic, int partition, long offset, long timestampMs) {
        this.side = side;
        this.topic = topic;
        this.partition = partition;
        this.offset = offset;
        this.timestampMs = timestampMs;
    }

    Place place(String file, Long pos) {
        return new Place(topic, partition, offset, file, pos);
    }
}
