package cdc.oracle.writer;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Random data statements over a schema. */
final class Statements {
    private static final int LONGEST_TTL = 20 * 365 * 24 * 60 * 60;

    private final Dice dice;
    private final Literals literals;
    private final Columns columns;
    private final RandomSchema schema;
    /** In a batch about one row of each table: its clustering values. Otherwise empty. */
    private final Map<Table, List<String>> pinnedRows = new IdentityHashMap<>();

    Statements(Dice dice, Literals literals, RandomSchema schema) {
        this.dice = dice;
        this.literals = literals;
        this.columns = new Columns(dice, literals);
        this.schema = schema;
    }

    /** The next statement: one table, or a batch. */
    String next() {
        RandomSchema.Keyspace keyspace = dice.pick(schema.keyspaces);
        if (dice.chance(0.2)) {
            return batch(keyspace);
        }
        Table table = dice.pick(keyspace.tables);
        return single(table, dice.pick(table.keys.values), true);
    }

    private String batch(RandomSchema.Keyspace keyspace) {
        Table first = dice.pick(keyspace.tables);
        List<String> key = dice.pick(first.keys.values);
        if (!first.clustering.isEmpty() && !first.counter && dice.chance(0.3)) {
            return wrap(first.counter, meetingRanges(first, key));
        }
        List<Table> together = keyspace.tables.stream()
            .filter(table -> table.keys == first.keys && table.counter == first.counter).collect(Collectors.toList());
        if (dice.chance(0.35)) {
            together.forEach(table -> pinnedRows.put(table, randomRow(table)));
        }
        List<String> statements = new ArrayList<>();
        for (int i = dice.few(6, 25); i >= 0; i--) {
            List<String> used = dice.chance(0.85) ? key : dice.pick(first.keys.values);
            statements.add(single(dice.pick(together), used, false));
        }
        pinnedRows.clear();
        return wrap(first.counter, statements);
    }

    private static String wrap(boolean counter, List<String> statements) {
        return "BEGIN " + (counter ? "COUNTER" : "UNLOGGED") + " BATCH " + String.join("; ", statements) + "; APPLY BATCH";
    }

    /** Ranges of one partition that touch and overlap, written at different times, with rows between them. */
    private List<String> meetingRanges(Table table, List<String> key) {
        List<String> prefix = new ArrayList<>();
        int depth = dice.between(0, table.clustering.size() - 1);
        String where = where(table.partitionKey, key);
        for (int i = 0; i < depth; i++) {
            String value = dice.pick(table.clusteringValues.get(i));
            prefix.add(value);
            where += " AND " + table.clustering.get(i).name + " = " + value;
        }
        String column = table.clustering.get(depth).name;
        List<String> statements = new ArrayList<>();
        String from = dice.pick(table.clusteringValues.get(depth));
        for (int i = dice.between(2, 6); i > 0; i--) {
            String to = dice.pick(table.clusteringValues.get(depth));
            boolean closed = dice.chance(0.5);
            statements.add("DELETE FROM " + table.qualifiedName + " USING TIMESTAMP " + dice.between(1, 6) + " WHERE " + where
                + " AND " + column + (closed ? " >= " : " > ") + from + " AND " + column + dice.of(" < ", " <= ") + to);
            from = to;
            if (dice.chance(0.4)) {
                statements.add(insert(table, key, false));
            }
        }
        return statements;
    }

    private String single(Table table, List<String> key, boolean alone) {
        int kind = dice.between(0, 99);
        if (table.counter) {
            return kind < 80 && !alone || kind < 85 ? update(table, key, alone) : delete(table, key, alone);
        }
        if (kind < 40) {
            return insert(table, key, alone);
        }
        return kind < 75 && !(table.regulars.isEmpty() && table.statics.isEmpty())
            ? update(table, key, alone) : delete(table, key, alone);
    }

    private String insert(Table table, List<String> key, boolean alone) {
        List<String> names = new ArrayList<>();
        List<String> values = new ArrayList<>(key);
        table.partitionKey.forEach(column -> names.add(column.name));
        boolean staticOnly = !table.statics.isEmpty() && dice.chance(0.15);
        if (!staticOnly) {
            table.clustering.forEach(column -> names.add(column.name));
            values.addAll(aRow(table));
        }
        List<Table.Column> given = new ArrayList<>();
        if (!staticOnly && !table.regulars.isEmpty() && (table.compact || dice.chance(0.93))) {
            given.addAll(columns.some(table.regulars));
        }
        if (staticOnly || (!table.statics.isEmpty() && dice.chance(0.3))) {
            given.addAll(columns.some(table.statics));
        }
        for (Table.Column column : given) {
            names.add(column.name);
            values.add(columns.valueOrNull(column.type));
        }
        boolean conditional = alone && dice.chance(0.02);
        String how = conditional ? " IF NOT EXISTS" : using(true);
        return "INSERT INTO " + table.qualifiedName + " (" + String.join(", ", names) + ") VALUES ("
            + String.join(", ", values) + ")" + how;
    }

    private String update(Table table, List<String> key, boolean alone) {
        boolean staticOnly = !table.statics.isEmpty() && (table.regulars.isEmpty() || dice.chance(0.2));
        List<Table.Column> changed = new ArrayList<>();
        if (!staticOnly) {
            changed.addAll(columns.some(table.regulars));
        }
        if (staticOnly || (!table.statics.isEmpty() && dice.chance(0.15))) {
            changed.addAll(columns.some(table.statics));
        }
        String set = changed.stream().map(columns::assignment).collect(Collectors.joining(", "));
        String where = partition(table, key, alone) + (staticOnly ? "" : row(table));
        boolean conditional = alone && !table.counter && dice.chance(0.02);
        return "UPDATE " + table.qualifiedName + (table.counter || conditional ? "" : using(true)) + " SET " + set
            + " WHERE " + where + (conditional && !where.contains(" IN ") ? " IF EXISTS" : "");
    }

    private String delete(Table table, List<String> key, boolean alone) {
        String head = "DELETE ";
        String where = partition(table, key, alone);
        int kind = dice.between(0, 99);
        if (kind < 30 && !table.regulars.isEmpty()) {
            head += selections(table.regulars);
            where += row(table);
        } else if (kind < 38 && !table.statics.isEmpty()) {
            head += selections(table.statics);
        } else if (kind < 55) {
            where += row(table);
        } else if (kind < 88) {
            where += range(table);
        }
        return head + "FROM " + table.qualifiedName + (table.counter ? "" : using(false)) + " WHERE " + where;
    }

    private String selections(List<Table.Column> from) {
        return columns.some(from).stream().map(columns::selection).collect(Collectors.joining(", ")) + " ";
    }

    /** The partition, or several of them where the statement stands alone. */
    private String partition(Table table, List<String> key, boolean alone) {
        if (alone && key.size() == 1 && !table.counter && dice.chance(0.03)) {
            return table.partitionKey.get(0).name + " IN (" + key.get(0) + ", " + dice.pick(table.keys.values).get(0) + ")";
        }
        return where(table.partitionKey, key);
    }

    private static String where(List<Table.Column> key, List<String> values) {
        List<String> conditions = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            conditions.add(key.get(i).name + " = " + values.get(i));
        }
        return String.join(" AND ", conditions);
    }

    private String row(Table table) {
        return equalities(table, table.clustering.size());
    }

    private String equalities(Table table, int count) {
        return count == 0 ? "" : " AND " + where(table.clustering, aRow(table).subList(0, count));
    }

    private List<String> aRow(Table table) {
        List<String> pinned = pinnedRows.get(table);
        return pinned == null ? randomRow(table) : pinned;
    }

    private List<String> randomRow(Table table) {
        return table.clusteringValues.stream().map(dice::pick).collect(Collectors.toList());
    }

    /** A prefix of the clustering columns, then a slice over one or several of the rest, or nothing. */
    private String range(Table table) {
        if (table.clustering.isEmpty()) {
            return "";
        }
        int depth = dice.between(0, table.clustering.size() - 1);
        String where = equalities(table, depth);
        if (dice.chance(0.15)) {
            return where;
        }
        int width = dice.chance(0.25) ? dice.between(1, table.clustering.size() - depth) : 1;
        List<Table.Column> sliced = table.clustering.subList(depth, depth + width);
        String subject = width == 1 ? sliced.get(0).name : "(" + Table.names(sliced) + ")";
        if (dice.chance(0.7)) {
            where += " AND " + subject + dice.of(" > ", " >= ") + bound(table, depth, width);
        }
        if (dice.chance(0.7)) {
            where += " AND " + subject + dice.of(" < ", " <= ") + bound(table, depth, width);
        }
        return where;
    }

    private String bound(Table table, int depth, int width) {
        if (width == 1) {
            return dice.pick(table.clusteringValues.get(depth));
        }
        List<String> values = new ArrayList<>();
        for (int i = depth; i < depth + width; i++) {
            values.add(dice.pick(table.clusteringValues.get(i)));
        }
        return "(" + String.join(", ", values) + ")";
    }

    private String using(boolean withTtl) {
        List<String> parts = new ArrayList<>();
        if (withTtl && dice.chance(0.2)) {
            parts.add("TTL " + (dice.chance(0.2) ? dice.of(0, 1, LONGEST_TTL) : dice.between(1, 10_000_000)));
        }
        if (!withTtl && !pinnedRows.isEmpty() && dice.chance(0.7)) {
            parts.add("TIMESTAMP " + dice.between(1, 1_000_000)); // older than the rest: both stay in the row
        } else if (dice.chance(0.3)) {
            parts.add("TIMESTAMP " + timestamp());
        }
        return parts.isEmpty() ? "" : " USING " + String.join(" AND ", parts);
    }

    private String timestamp() {
        if (dice.chance(0.1)) {
            return dice.of("9223372036854775807", "-9223372036854775807", "9223372036854775806", "-9223372036854775806");
        }
        if (dice.chance(0.3)) {
            return dice.of("0", "-1", "1", "1442880000000000", "1442879999999999", "5");
        }
        return Long.toString(1_700_000_000_000_000L + dice.anyInt());
    }
}
