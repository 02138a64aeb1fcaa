package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/** What one side holds of a row, the newest of every cell; and what it lacks of a write. */
final class SideRow {
    /** Stands for the row's existence among columns that differ. */
    static final String ROW = "(row)";

    /** Stands for the deletion of a range among columns that differ. */
    private static final String RANGE = "(range)";

    /** The newest deletion of the row, microseconds. */
    Long deletedUs;

    /**
     * Every column was written then: what is older of them shows no more. It says nothing of the
     * row's liveness, which an UPDATE does not write.
     */
    Long fullUs;

    /** By their paths. */
    final Map<String, Cell> cells = new HashMap<>();

    /** Merges a write, in any order. */
    void apply(Content content) {
        deletedUs = Micros.max(deletedUs, content.rowDeletionUs);
        if (content.isFull) {
            fullUs = Micros.max(fullUs, content.oldestUs());
        }
        for (PathCell written : content.cells) {
            Cell held = cells.get(written.path);
            if (held == null || written.cell.compare(held) > 0) {
                cells.put(written.path, written.cell);
            }
        }
        List<String> covered = new ArrayList<>();
        cells.forEach(
                (path, cell) -> {
                    if (Micros.compare(coveredUs(path, null), cell.tsUs) >= 0) {
                        covered.add(path);
                    }
                });
        covered.forEach(cells::remove);
    }

    /**
     * The columns that this side lacks of a write of the other side: what it neither holds nor has
     * anything newer for.
     */
    SortedSet<String> lacks(Content content, Around around) {
        SortedSet<String> lacking = new TreeSet<>(Texts.ORDER);
        Long above = Micros.max(deletedUs, around.deletedUs());
        Long deletion = content.rowDeletionUs;
        if (deletion != null && Micros.compare(above, deletion) < 0 && !isWrittenOver(deletion)) {
            lacking.add(ROW);
        }
        if (content.range != null
                && !RangeDeletion.areCovering(around.ranges, content.range, around.orders)) {
            lacking.add(RANGE);
        }
        for (PathCell written : content.cells) {
            if (lacksCell(written.path, written.cell, above, around)) {
                String column = CellPath.column(written.path);
                lacking.add(column.isEmpty() ? ROW : column);
            }
        }
        return lacking;
    }

    private boolean lacksCell(String path, Cell cell, Long above, Around around) {
        Long covered = coveredUs(path, above);
        boolean isWrittenOver =
                !path.equals(CellPath.LIVENESS) && Micros.compare(fullUs, cell.tsUs) > 0;
        if (Micros.compare(covered, cell.tsUs) >= 0 || isWrittenOver) {
            return false;
        }
        Cell held = cells.get(path);
        if (held != null && Micros.compare(covered, held.tsUs) >= 0) {
            held = null;
        }
        if (held != null
                && (cell.compare(held) <= 0
                        || cell.isSame(held, around.nowUs, around.toleranceUs))) {
            return false;
        }
        // What has expired is missed only where it hid something that shows without it.
        return !cell.isExpired(around.nowUs) || (held != null && !held.isDead(around.nowUs));
    }

    /**
     * Whether all that a deletion of the row takes away was written anew since: every column, and
     * the row's liveness.
     */
    private boolean isWrittenOver(long deletionUs) {
        Cell live = cells.get(CellPath.LIVENESS);
        return live != null && live.tsUs > deletionUs && Micros.compare(fullUs, deletionUs) > 0;
    }

    /** Time of the newest deletion over a path; `above` is that of the row, ranges included. */
    private Long coveredUs(String path, Long above) {
        String deletion = CellPath.deletionOf(path);
        Cell complex = deletion == null ? null : cells.get(deletion);
        Long complexUs = complex == null ? null : (Long) complex.tsUs;
        return Micros.max(Micros.max(deletedUs, above), complexUs);
    }

    /** Whether all columns were written, or the row deleted, at some time. */
    boolean isWhole() {
        return fullUs != null;
    }

    /** Whether all columns that are older than this time are out of sight on this side. */
    boolean hides(long tsUs, Around around) {
        return Micros.compare(fullUs, tsUs) > 0
                || Micros.compare(Micros.max(deletedUs, around.deletedUs()), tsUs) >= 0;
    }
}
