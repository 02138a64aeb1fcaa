package io.cdcagent.flink.drift.machine;

/** What was compared, of one side. */
public final class Told {
    final String eventId;
    final String op;

    /** The row hash, or null. */
    final String rowHash;

    /** The definition of the row hash, or null. */
    final String hashDef;

    final Place place;

    public Told(String eventId, String op, String rowHash, String hashDef, Place place) {
        this.eventId = eventId;
        this.op = op;
        this.rowHash = rowHash;
        this.hashDef = hashDef;
        this.place = place;
    }
}
