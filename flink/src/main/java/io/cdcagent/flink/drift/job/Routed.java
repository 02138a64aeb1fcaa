package io.cdcagent.flink.drift.job;

/**
 * An input of one shard's machine, on its way there. Fields are as Flink's serialiser wants them.
 */
public class Routed {
    /** Key of the shard. */
    public int shardKey;

    /** The input, as {@link io.cdcagent.flink.drift.machine.InputWire} has it. */
    public byte[] input;

    /** Kafka timestamp of its record, milliseconds. */
    public long timestampMs;

    public Routed() {}

    Routed(int shardKey, byte[] input, long timestampMs) {
        this.shardKey = shardKey;
        this.input = input;
        this.timestampMs = timestampMs;
    }
}
