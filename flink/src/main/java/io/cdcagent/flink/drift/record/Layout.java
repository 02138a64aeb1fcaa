package io.cdcagent.flink.drift.record;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cdcagent.flink.time.AgentTimestamp;
import java.util.List;
import java.util.Map;

/** What a table's records hold, by its rules. */
public final class Layout {
    /** `keyspace.table` */
    final String table;

    /** Columns of the primary key in their order. */
    final List<String> key;

    /** How many of them are the partition key. */
    final int partitionKey;

    /** The other columns with their CQL types. */
    final Map<String, String> columns;

    /** Columns of type timestamp, of the key and others. */
    private final List<String> timestamps;

    /** The column that holds the version; null: the write time is. */
    final String versionColumn;

    /** How many microseconds are one of the version. */
    final long versionUnitUs;

    public Layout(
            String table,
            List<String> key,
            int partitionKey,
            Map<String, String> columns,
            List<String> timestamps,
            String versionColumn,
            long versionUnitUs) {
        this.table = table;
        this.key = key;
        this.partitionKey = partitionKey;
        this.columns = columns;
        this.timestamps = timestamps;
        this.versionColumn = versionColumn;
        this.versionUnitUs = versionUnitUs;
    }

    /** `keyspace.table` */
    public String table() {
        return table;
    }

    /**
     * Columns of a row, or of a bound, with timestamps as numbers, whichever form the agent writes:
     * the row is the same. What is no timestamp stays as it is: a column may be masked.
     */
    ObjectNode inNumbers(ObjectNode row) {
        ObjectNode found = row;
        for (String name : timestamps) {
            JsonNode value = row.get(name);
            Long millis =
                    value != null && value.isTextual()
                            ? AgentTimestamp.millis(value.textValue())
                            : null;
            if (millis != null && found == row) {
                found = row.objectNode();
                found.setAll(row);
            }
            if (millis != null) {
                found.set(name, LongNode.valueOf(millis));
            }
        }
        return found;
    }

    List<String> partitionColumns() {
        return key.subList(0, partitionKey);
    }

    List<String> clusteringColumns() {
        return key.subList(partitionKey, key.size());
    }
}
