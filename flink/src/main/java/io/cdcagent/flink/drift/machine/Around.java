package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** What the other side holds beside the row itself. */
final class Around {
    /** Deletions of ranges of its partition. */
    final List<RangeDeletion> ranges;

    /** Where the row is in its partition; null as in {@link RowKey}. */
    final List<JsonNode> clustering;

    final List<KeyOrder> orders;

    /** The time that decides what has expired, microseconds. */
    final long nowUs;

    /** How far clocks may differ, microseconds. */
    final long toleranceUs;

    Around(
            List<RangeDeletion> ranges,
            List<JsonNode> clustering,
            List<KeyOrder> orders,
            long nowUs,
            long toleranceUs) {
        this.ranges = ranges;
        this.clustering = clustering;
        this.orders = orders;
        this.nowUs = nowUs;
        this.toleranceUs = toleranceUs;
    }

    /** The newest deletion of a range that covers the row; null when none does. */
    Long deletedUs() {
        Long newest = null;
        for (RangeDeletion range : ranges) {
            if (range.coversRow(clustering, orders)) {
                newest = Micros.max(newest, range.tsUs);
            }
        }
        return newest;
    }
}
