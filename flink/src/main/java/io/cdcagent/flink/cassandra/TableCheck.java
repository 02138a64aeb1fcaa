package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.metadata.Metadata;
import com.datastax.oss.driver.api.core.metadata.schema.ColumnMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.KeyspaceMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.type.DataTypes;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Compares the DDL with the table. */
final class TableCheck {
    private TableCheck() {}

    /**
     * The keyspace of the options.
     *
     * @throws RefusedException when there is none
     */
    static KeyspaceMetadata keyspace(SinkConfig config, Metadata metadata) {
        return metadata.getKeyspace(CqlIdentifier.fromInternal(config.keyspace))
                .orElseThrow(() -> missing(config));
    }

    /**
     * The table of the options.
     *
     * @throws RefusedException when there is none
     */
    static TableMetadata table(SinkConfig config, KeyspaceMetadata keyspace) {
        CqlIdentifier name = CqlIdentifier.fromInternal(config.table);
        if (keyspace.getView(name).isPresent()) {
            throw new RefusedException(
                    String.format(
                            "%s.%s is a materialized view; write to its base table.",
                            config.keyspace, config.table));
        }
        return keyspace.getTable(name).orElseThrow(() -> missing(config));
    }

    static RefusedException missing(SinkConfig config) {
        return new RefusedException(
                String.format(
                        "There is no table %s.%s, or the user may not see it. Create it, or correct 'keyspace' and 'table' (names as"
                                + " Cassandra holds them).",
                        config.keyspace, config.table));
    }

    /**
     * The columns that are written. The write timestamp's column is not among them where the table
     * lacks it.
     *
     * @throws RefusedException with every difference, one a line
     */
    static List<TableColumn> columns(SinkConfig config, TableMetadata table) {
        List<String> problems = new ArrayList<>();
        List<TableColumn> found = new ArrayList<>();
        Set<String> key = new LinkedHashSet<>();
        table.getPrimaryKey().forEach(column -> key.add(column.getName().asInternal()));
        if (isOfCounters(table)) {
            problems.add("the table is one of counters, whose changes cannot be repeated");
        }
        for (Column column : config.columns) {
            ColumnMetadata there =
                    table.getColumn(CqlIdentifier.fromInternal(column.name)).orElse(null);
            if (there == null) {
                if (!column.name.equals(config.writeTimestampColumn)) {
                    problems.add(
                            String.format(
                                    "%s: %s in the DDL, not in the table",
                                    column.name, column.type.asSummaryString()));
                }
                continue;
            }
            UnaryOperator<Object> converter = Converters.between(column.type, there.getType());
            if (there.isStatic()) {
                problems.add(column.name + ": static in the table, and of no single row");
            } else if (converter == null) {
                problems.add(
                        String.format(
                                "%s: %s in the DDL, %s in the table",
                                column.name,
                                column.type.asSummaryString(),
                                there.getType().asCql(true, true)));
            } else {
                boolean isKey = key.contains(column.name);
                found.add(new TableColumn(column, isKey, there.getType(), converter));
            }
        }
        if (!key.equals(config.primaryKey)) {
            problems.add(
                    String.format(
                            "PRIMARY KEY: (%s) in the DDL, (%s) in the table",
                            String.join(", ", config.primaryKey), String.join(", ", key)));
        }
        if (!problems.isEmpty()) {
            throw new RefusedException(
                    String.format(
                            "The DDL of the sink does not fit %s.%s; change one of them:%n  %s",
                            config.keyspace,
                            config.table,
                            String.join(System.lineSeparator() + "  ", problems)));
        }
        return found;
    }

    private static boolean isOfCounters(TableMetadata table) {
        return table.getColumns().values().stream()
                .anyMatch(column -> column.getType().equals(DataTypes.COUNTER));
    }
}
