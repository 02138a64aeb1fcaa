package io.cdcagent.flink.drift.job;

import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/**
 * A record for Kafka, as a row of a table: its topic, key, value (NULL is a tombstone) and time.
 */
final class VerdictRow {
    static final int TOPIC = 0;
    static final int KEY = 1;
    static final int VALUE = 2;
    static final int TIMESTAMP_MS = 3;

    private static final LogicalType TYPE =
            DataTypes.ROW(
                            DataTypes.FIELD("topic", DataTypes.STRING()),
                            DataTypes.FIELD("key", DataTypes.STRING()),
                            DataTypes.FIELD("value", DataTypes.STRING()),
                            DataTypes.FIELD("timestamp_ms", DataTypes.BIGINT()))
                    .getLogicalType();

    private VerdictRow() {}

    static RowData of(String topic, String key, String value, long timestampMs) {
        return GenericRowData.of(
                StringData.fromString(topic),
                StringData.fromString(key),
                StringData.fromString(value),
                timestampMs);
    }

    /** Fails unless a table has exactly these columns. */
    static void check(ResolvedSchema schema) {
        LogicalType given = schema.toPhysicalRowDataType().getLogicalType();
        String expected = ((RowType) TYPE).asSummaryString();
        if (!given.copy(true).asSummaryString().equals(expected)) {
            throw new ValidationException("expected the columns " + expected + ", not " + given);
        }
    }
}
