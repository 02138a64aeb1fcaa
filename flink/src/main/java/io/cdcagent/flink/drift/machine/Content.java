package io.cdcagent.flink.drift.machine;

import java.util.List;

/** What an event writes. Times are write times, microseconds. */
public final class Content {
    final List<PathCell> cells;

    /** The deletion of the row (of a table without clustering columns: of the partition). */
    final Long rowDeletionUs;

    /** The deletion of a range. */
    final RangeDeletion range;

    /**
     * Every column is written or deleted: what is older of them shows no more. The row's liveness
     * is a cell of its own.
     */
    final boolean isFull;

    /** In place of the time of what does not say which version of its row it belongs to. */
    public static final long UNVERSIONED = Long.MAX_VALUE;

    /**
     * What is written is not all told, so that only the event's id can be compared: its time, or
     * {@link #UNVERSIONED}.
     */
    final Long opaqueUs;

    Content(
            List<PathCell> cells,
            Long rowDeletionUs,
            RangeDeletion range,
            boolean isFull,
            Long opaqueUs) {
        this.cells = cells;
        this.rowDeletionUs = rowDeletionUs;
        this.range = range;
        this.isFull = isFull;
        this.opaqueUs = opaqueUs;
    }

    /** Cells, as far as they are told. */
    public static Content cells(List<PathCell> cells, boolean isFull, Long opaqueUs) {
        return new Content(cells, null, null, isFull, opaqueUs);
    }

    /** The deletion of a row. */
    public static Content rowDeletion(long tsUs) {
        return new Content(List.of(), tsUs, null, true, null);
    }

    /** The deletion of a range. */
    public static Content rangeDeletion(RangeDeletion range) {
        return new Content(List.of(), null, range, false, null);
    }

    /** Whether it does not say which version of its row it belongs to. */
    boolean isUnversioned() {
        return opaqueUs != null && opaqueUs == UNVERSIONED;
    }

    /** What is not all told, as of a version. */
    Content ofVersion(long versionUs) {
        return new Content(cells, rowDeletionUs, range, isFull, versionUs);
    }

    /** Time of the oldest part. */
    Long oldestUs() {
        Long oldest = rowDeletionUs;
        for (PathCell written : cells) {
            oldest = Micros.firstOf(oldest, written.cell.tsUs);
        }
        return oldest;
    }

    /**
     * With times of cells moved: data centres that are written by themselves may write the same
     * version at two times.
     */
    public Content shifted(long byUs) {
        if (byUs == 0) {
            return this;
        }
        List<PathCell> moved =
                cells.stream()
                        .map(
                                old ->
                                        new PathCell(
                                                old.path,
                                                old.cell.at(Micros.add(old.cell.tsUs, byUs))))
                        .collect(java.util.stream.Collectors.toList());
        Long opaque = opaqueUs == null ? null : (Long) Micros.add(opaqueUs, byUs);
        return new Content(moved, rowDeletionUs, range, isFull, opaque);
    }
}
