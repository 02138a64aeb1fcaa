package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The keys of an event. */
public final class RowKey {
    /** The columns of the partition key, compact JSON. */
    final String partition;

    /**
     * The columns of the record key, compact JSON. Static rows and ranges have that of their
     * partition.
     */
    final String whole;

    /**
     * The values of the clustering columns; null of a static row, of a range, and where there are
     * none.
     */
    final List<JsonNode> clustering;

    public RowKey(String partition, String whole, List<JsonNode> clustering) {
        this.partition = partition;
        this.whole = whole;
        this.clustering = clustering;
    }

    RowId id() {
        return new RowId(partition, whole);
    }
}
