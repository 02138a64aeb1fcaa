package io.cdcagent.flink.drift.machine;

/** How much was forgotten before its time, because there was too much. */
public final class Forgotten {
    long rows;

    /** Versions about which nothing was decided, or which were not resolved. */
    long undecided;

    long eventIds;
    long ranges;

    public long rows() {
        return rows;
    }

    public long undecided() {
        return undecided;
    }

    public long eventIds() {
        return eventIds;
    }

    public long ranges() {
        return ranges;
    }
}
