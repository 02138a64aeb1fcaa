package io.cdcagent.flink.drift.machine;

/** What was counted, from the beginning on. */
public final class Counts {
    /** Verdicts by status. */
    final long[] verdicts = new long[Status.values().length];

    /** Events that were taken. */
    long events;

    /** Further copies of events, of other replicas. */
    long repeats;

    /** Events that do not say which version of their row they belong to. */
    long unversioned;

    /** Differing versions from before the stream of a side begins: no verdict. */
    long beforeStart;

    final Forgotten forgotten = new Forgotten();

    void add(Status status) {
        verdicts[status.ordinal()]++;
    }

    /** How many verdicts there were of a status. */
    public long of(Status status) {
        return verdicts[status.ordinal()];
    }

    public long events() {
        return events;
    }

    public long repeats() {
        return repeats;
    }

    public long unversioned() {
        return unversioned;
    }

    public long beforeStart() {
        return beforeStart;
    }

    /** What was forgotten because there was too much. */
    public Forgotten forgotten() {
        return forgotten;
    }
}
