package io.cdcagent.flink.drift.machine;

/** How the writes of two sides are compared. */
public enum Mode {
    /** One cluster replicates to both: the same write has the same event id. */
    EVENT_ID,
    /** Each side is written by itself: cells decide. */
    MERGE;

    /** By the word that options have for it: `event_id`. */
    public static Mode of(String word) {
        return valueOf(word.toUpperCase(java.util.Locale.ROOT));
    }
}
