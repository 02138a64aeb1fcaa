package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A partition of the table. */
final class Partition {
    /** Deletions of ranges that are remembered of each side. */
    private static final int RANGES = 1000;

    final Both<List<RangeDeletion>> ranges = Both.each(ArrayList::new);

    /** By record key. */
    final Map<String, Row> rows = new HashMap<>();

    /** Remembers a deletion; false when an older one had to be forgotten for it. */
    boolean deleteRange(Side side, RangeDeletion deletion, List<KeyOrder> orders) {
        List<RangeDeletion> known = ranges.of(side);
        if (RangeDeletion.areCovering(known, deletion, orders)) {
            return true;
        }
        known.removeIf(old -> RangeDeletion.areCovering(List.of(deletion), old, orders));
        known.add(deletion);
        if (known.size() <= RANGES) {
            return true;
        }
        known.remove(0);
        return false;
    }

    /** Adds the rows of which something is said that still holds. */
    void addOpen(String partitionKey, Set<RowId> found) {
        rows.forEach(
                (key, row) -> {
                    if (row.isOpen()) {
                        found.add(new RowId(partitionKey, key));
                    }
                });
    }
}
