package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The deletion of the rows between two bounds, and which rows and ranges it covers. */
public final class RangeDeletion {
    /** Where it begins, in clustering order; null is open. Both open: the whole partition. */
    final Bound start;

    /** Where it ends. */
    final Bound end;

    /** Its time, microseconds: it deletes what is as old or older. */
    final long tsUs;

    public RangeDeletion(Bound start, Bound end, long tsUs) {
        this.start = start;
        this.end = end;
        this.tsUs = tsUs;
    }

    /** Whether it takes the whole partition, with its static row. */
    boolean isPartition() {
        return start == null && end == null;
    }

    /** Whether a row is inside; of a static row (null) only the deletion of the partition is. */
    boolean coversRow(List<JsonNode> row, List<KeyOrder> orders) {
        if (isPartition()) {
            return true;
        }
        if (row == null) {
            return false;
        }
        Edge place = Edge.row(row);
        return Edge.start(start).compare(place, orders) < 0
                && place.compare(Edge.end(end), orders) < 0;
    }

    /** Whether these together delete all that `wanted` deletes, as new or newer. */
    static boolean areCovering(
            List<RangeDeletion> ranges, RangeDeletion wanted, List<KeyOrder> orders) {
        List<RangeDeletion> newer = new ArrayList<>();
        for (RangeDeletion range : ranges) {
            if (range.tsUs >= wanted.tsUs) {
                newer.add(range);
            }
        }
        if (newer.stream().anyMatch(RangeDeletion::isPartition)) {
            return true;
        }
        if (wanted.isPartition()) {
            return false;
        }
        // From the start on, each step goes as far as a range leads that covers the place.
        Edge end = Edge.end(wanted.end);
        Edge reached = Edge.start(wanted.start);
        while (reached.compare(end, orders) < 0) {
            Edge furthest = null;
            for (RangeDeletion range : newer) {
                Edge to = Edge.end(range.end);
                boolean covers =
                        Edge.start(range.start).compare(reached, orders) <= 0
                                && to.compare(reached, orders) > 0;
                if (covers && (furthest == null || to.compare(furthest, orders) >= 0)) {
                    furthest = to;
                }
            }
            if (furthest == null) {
                return false;
            }
            reached = furthest;
        }
        return true;
    }
}
