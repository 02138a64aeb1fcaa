package io.cdcagent.flink.drift.machine;

import java.util.Comparator;

/** Place of a row: its partition key and its record key. */
final class RowId implements Comparable<RowId> {
    private static final Comparator<RowId> ORDER =
            Comparator.<RowId, String>comparing(id -> id.partition, Texts.ORDER)
                    .thenComparing(id -> id.key, Texts.ORDER);

    final String partition;
    final String key;

    RowId(String partition, String key) {
        this.partition = partition;
        this.key = key;
    }

    @Override
    public int compareTo(RowId other) {
        return ORDER.compare(this, other);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RowId && compareTo((RowId) other) == 0;
    }

    @Override
    public int hashCode() {
        return partition.hashCode() * 31 + key.hashCode();
    }
}
