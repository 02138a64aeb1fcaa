package io.cdcagent.flink.drift.record;

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

    /** The column that holds the version; null: the write time is. */
    final String versionColumn;

    /** How many microseconds are one of the version. */
    final long versionUnitUs;

    public Layout(
            String table,
            List<String> key,
            int partitionKey,
            Map<String, String> columns,
            String versionColumn,
            long versionUnitUs) {
        this.table = table;
        this.key = key;
        this.partitionKey = partitionKey;
        this.columns = columns;
        this.versionColumn = versionColumn;
        this.versionUnitUs = versionUnitUs;
    }

    /** `keyspace.table` */
    public String table() {
        return table;
    }

    List<String> partitionColumns() {
        return key.subList(0, partitionKey);
    }

    List<String> clusteringColumns() {
        return key.subList(partitionKey, key.size());
    }
}
