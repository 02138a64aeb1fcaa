package io.cdcagent.flink.drift.machine;

import io.cdcagent.flink.drift.json.JsonLine;

/** What comes of an input: a verdict for the audit trail, or what holds of a row from now on. */
public final class Said {
    private final String key;
    private final Verdict verdict;
    private final boolean isCurrent;

    private Said(String key, Verdict verdict, boolean isCurrent) {
        this.key = key;
        this.verdict = verdict;
        this.isCurrent = isCurrent;
    }

    static Said verdict(Verdict verdict) {
        return new Said(verdict.key, verdict, false);
    }

    /** Key null: of the job; verdict null: nothing is wrong any more. */
    static Said current(String key, Verdict verdict) {
        return new Said(key, verdict, true);
    }

    /** Whether it is about what holds, and belongs to the compacted topic. */
    public boolean isCurrent() {
        return isCurrent;
    }

    /** What is said; null when nothing is wrong any more. */
    public Verdict verdict() {
        return verdict;
    }

    /** Key of the row, compact JSON; null: the job as a whole. */
    public String rowKey() {
        return key;
    }

    /** Key of the record. */
    public String recordKey(String table) {
        return new JsonLine().text("table", table).json("key", key).toString();
    }

    /** Value of the record; null is a tombstone. */
    public String recordValue(String table) {
        return verdict == null ? null : verdict.toJson(table);
    }
}
