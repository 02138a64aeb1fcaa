package io.cdcagent.flink.drift.machine;

/** How the values of a type of clustering columns are ordered. */
public enum KeyType {
    /** By the bytes of UTF-8. */
    TEXT,
    /** Integers, timestamp, date, time, double, float. */
    NUMBER,
    BOOLEAN,
    /** Unsigned bytes. */
    BLOB,
    /** By version, then version 1 by time, others by bytes. */
    UUID,
    /** By time, then signed bytes. */
    TIME_UUID,
    /** By bytes. */
    INET;

    /** By the word that options have for it: `time_uuid`. */
    public static KeyType of(String word) {
        return valueOf(word.toUpperCase(java.util.Locale.ROOT));
    }
}
