package io.cdcagent.flink.drift.machine;

import java.util.Comparator;
import java.util.Objects;

/** A row and a time: when it was touched, or when something of it must be looked at. */
final class RowTime implements Comparable<RowTime> {
    private static final Comparator<RowTime> ORDER =
            Comparator.<RowTime>comparingLong(time -> time.us)
                    .thenComparing(time -> time.row)
                    .thenComparingLong(time -> time.versionUs);

    final long us;
    final RowId row;

    /** The version that must be looked at; 0 where it is the whole row. */
    final long versionUs;

    RowTime(long us, RowId row, long versionUs) {
        this.us = us;
        this.row = row;
        this.versionUs = versionUs;
    }

    @Override
    public int compareTo(RowTime other) {
        return ORDER.compare(this, other);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RowTime && compareTo((RowTime) other) == 0;
    }

    @Override
    public int hashCode() {
        return Objects.hash(us, row, versionUs);
    }
}
