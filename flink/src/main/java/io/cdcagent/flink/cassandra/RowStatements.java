package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.time.TimestampGenerator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.flink.table.data.RowData;
import org.apache.flink.types.RowKind;

/** Rows as statements: INSERT for what is there, DELETE for what is not. */
final class RowStatements {
    private static final String TIME = " USING TIMESTAMP ?";

    private final List<TableColumn> columns;
    private final List<TableColumn> key;
    private final PreparedStatement insert;
    private final PreparedStatement delete;
    private final boolean nullsAreWritten;

    /** Null when the sink counts the time by itself, with `clock`. */
    private final WriteTime writeTime;

    private final TimestampGenerator clock;

    RowStatements(SinkConfig config, List<TableColumn> columns, CqlSession session) {
        this.columns = columns;
        this.key = columns.stream().filter(column -> column.isKey).collect(Collectors.toList());
        this.nullsAreWritten = config.nullsAreWritten;
        this.writeTime = WriteTime.of(config);
        this.clock = session.getContext().getTimestampGenerator();
        String table =
                CqlIdentifier.fromInternal(config.keyspace).asCql(false)
                        + "."
                        + CqlIdentifier.fromInternal(config.table).asCql(false);
        String time = writeTime == null ? "" : TIME;
        insert =
                session.prepare(
                        String.format(
                                "INSERT INTO %s (%s) VALUES (%s)%s",
                                table,
                                joined(columns, ", ", TableColumn::quoted),
                                joined(columns, ", ", column -> "?"),
                                time));
        delete =
                session.prepare(
                        String.format(
                                "DELETE FROM %s%s WHERE %s",
                                table,
                                time,
                                joined(key, " AND ", column -> column.quoted() + " = ?")));
    }

    private static String joined(
            List<TableColumn> columns, String between, Function<TableColumn, String> text) {
        return columns.stream().map(text).collect(Collectors.joining(between));
    }

    /**
     * The statement of a row; null for UPDATE_BEFORE, which an upsert does without.
     *
     * @throws RefusedException when the row can never be written
     */
    BoundStatement of(RowData row) {
        RowKind kind = row.getRowKind();
        if (kind == RowKind.UPDATE_BEFORE) {
            return null;
        }
        boolean isDelete = kind == RowKind.DELETE;
        BoundStatementBuilder builder =
                (isDelete ? delete : insert).boundStatementBuilder().setIdempotence(true);
        int at = 0;
        if (isDelete && writeTime != null) {
            builder.setLong(at++, writeTime.micros(row));
        }
        for (TableColumn column : isDelete ? key : columns) {
            bind(builder, at++, column, column.value(row));
        }
        if (writeTime == null) {
            // Fixed here, in the order of the rows: a retry must not come later than the row behind
            // it.
            builder.setQueryTimestamp(clock.next());
        } else if (!isDelete) {
            builder.setLong(at, writeTime.micros(row));
        }
        return builder.build();
    }

    private void bind(BoundStatementBuilder builder, int at, TableColumn column, Object value) {
        if (value != null) {
            try {
                builder.set(at, value, column.codec());
            } catch (IllegalArgumentException | ArithmeticException error) {
                throw column.unfit(error);
            }
        } else if (column.isKey) {
            throw new RefusedException(
                    String.format(
                            "Column %s of the primary key is NULL. Leave such rows out, as the rule %s.not_null does.",
                            column.name, column.name));
        } else if (nullsAreWritten) {
            builder.setToNull(at);
        }
    }
}
