package io.cdcagent.flink.cassandra;

import java.util.concurrent.TimeUnit;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** The write time of a row, from the column that is its version. Microseconds since the epoch. */
final class WriteTime {
    private final Column column;
    private final boolean inMillis;

    WriteTime(Column column, boolean inMillis) {
        this.column = column;
        this.inMillis = inMillis;
    }

    /** Null when the options name no column. */
    static WriteTime of(SinkConfig config) {
        return config.columns.stream()
                .filter(column -> column.name.equals(config.writeTimestampColumn))
                .findFirst()
                .map(column -> new WriteTime(column, config.writeTimestampInMillis))
                .orElse(null);
    }

    /**
     * Of a row.
     *
     * @throws RefusedException when the row has none, or one that Cassandra does not take
     */
    long micros(RowData row) {
        if (row.isNullAt(column.position)) {
            throw new RefusedException(
                    String.format(
                            "A row has no write time: column %s is NULL. Leave such rows out, as the rule %s.not_null does.",
                            column.name, column.name));
        }
        try {
            long micros = read(row);
            if (micros != Long.MIN_VALUE) { // Cassandra's mark of no time at all
                return micros;
            }
        } catch (ArithmeticException error) {
            // beyond 64 bits: told of below
        }
        throw new RefusedException(
                String.format(
                        "A row has no write time: column %s does not fit into 64 bits of microseconds.",
                        column.name));
    }

    private long read(RowData row) {
        if (column.type.getTypeRoot() == LogicalTypeRoot.BIGINT) {
            long given = row.getLong(column.position);
            return inMillis ? Math.multiplyExact(given, 1000L) : given;
        }
        TimestampData time =
                row.getTimestamp(column.position, LogicalTypeChecks.getPrecision(column.type));
        return Math.addExact(
                Math.multiplyExact(time.getMillisecond(), 1000L),
                TimeUnit.NANOSECONDS.toMicros(time.getNanoOfMillisecond()));
    }
}
