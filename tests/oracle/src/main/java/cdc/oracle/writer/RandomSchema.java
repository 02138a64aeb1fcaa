package cdc.oracle.writer;

import java.util.ArrayList;
import java.util.List;

/** Random keyspaces, user-defined types and tables, and changes to them while statements run. */
final class RandomSchema {
    private static final int KEYS = 5;
    private static final int CLUSTERING_VALUES = 6;
    private static final int MOST_COLUMNS = 130;

    /** What belongs to one keyspace. */
    static final class Keyspace {
        final String name;
        final List<CqlType> userTypes = new ArrayList<>();
        final List<Table> tables = new ArrayList<>();
        final List<Table.PartitionKeys> keys = new ArrayList<>();

        Keyspace(String name) {
            this.name = name;
        }
    }

    final List<Keyspace> keyspaces = new ArrayList<>();
    private final Dice dice;
    private final Names names;
    private final Literals literals;
    private final boolean vectors;
    private final Node node;

    RandomSchema(Dice dice, Literals literals, Node node) {
        this.dice = dice;
        this.names = new Names(dice);
        this.literals = literals;
        this.vectors = node.hasVectors();
        this.node = node;
    }

    /** Creates {@code tables} tables in keyspaces of about six. */
    void create(int tables) {
        for (int made = 0; made < tables; ) {
            Keyspace keyspace = createKeyspace();
            for (int i = 0; i < 6 && made < tables; i++, made++) {
                createTable(keyspace);
            }
        }
    }

    /** Adds a field to a type or a column to a table, so that later bytes differ in shape from earlier ones. */
    void change() {
        Keyspace keyspace = dice.pick(keyspaces);
        TypeDice types = new TypeDice(dice, vectors, List.of());
        String name = names.any();
        CqlType type = types.value(2);
        if (!keyspace.userTypes.isEmpty() && dice.chance(0.5)) {
            CqlType altered = dice.pick(keyspace.userTypes);
            if (node.execute("ALTER TYPE " + keyspace.name + "." + altered.name + " ADD " + name + " " + type.cql())) {
                altered.addField(name, type);
            }
            return;
        }
        Table table = dice.pick(keyspace.tables);
        if (!table.counter && !table.compact
            && node.execute("ALTER TABLE " + table.qualifiedName + " ADD " + name + " " + type.cql())) {
            table.regulars.add(new Table.Column(name, type));
        }
    }

    /** Drops a column, and now and then takes it up again under the same name. */
    void drop() {
        Table table = dice.pick(dice.pick(keyspaces).tables);
        List<Table.Column> columns = !table.statics.isEmpty() && dice.chance(0.3) ? table.statics : table.regulars;
        if (table.counter || table.compact || columns.size() < 2) {
            return;
        }
        Table.Column column = dice.pick(columns);
        if (!node.execute("ALTER TABLE " + table.qualifiedName + " DROP " + column.name)) {
            return;
        }
        columns.remove(column);
        String fixed = columns == table.statics ? " static" : "";
        if (dice.chance(0.4)
            && node.execute("ALTER TABLE " + table.qualifiedName + " ADD " + column.name + " " + column.type.cql() + fixed)) {
            columns.add(column);
        }
    }

    private Keyspace createKeyspace() {
        Keyspace keyspace = new Keyspace(names.word("ks"));
        node.require("CREATE KEYSPACE " + keyspace.name
            + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        keyspaces.add(keyspace);
        TypeDice types = new TypeDice(dice, vectors, keyspace.userTypes);
        for (int i = dice.between(1, 3); i > 0; i--) {
            createUserType(keyspace, types);
        }
        for (int i = 0; i < 2; i++) {
            List<CqlType> parts = new ArrayList<>();
            for (int n = dice.of(1, 1, 1, 2, 3); n > 0; n--) {
                parts.add(types.key());
            }
            Table.PartitionKeys keys = new Table.PartitionKeys(parts);
            for (int n = 0; n < KEYS; n++) {
                List<String> key = new ArrayList<>();
                parts.forEach(part -> key.add(parts.size() > 1 ? literals.of(part) : literals.notEmpty(part)));
                keys.values.add(key);
            }
            keyspace.keys.add(keys);
        }
        return keyspace;
    }

    private void createUserType(Keyspace keyspace, TypeDice types) {
        String name = names.any();
        List<String> fields = new ArrayList<>();
        List<CqlType> parts = new ArrayList<>();
        StringBuilder ddl = new StringBuilder();
        for (int i = dice.between(1, 5); i > 0; i--) {
            String field = names.any();
            CqlType part = types.value(2);
            ddl.append(fields.isEmpty() ? "" : ", ").append(field).append(' ').append(part.cql());
            fields.add(field);
            parts.add(part);
        }
        if (node.execute("CREATE TYPE " + keyspace.name + "." + name + " (" + ddl + ")")) {
            keyspace.userTypes.add(CqlType.udt(name, fields, parts));
        }
    }

    private void createTable(Keyspace keyspace) {
        for (int attempt = 0; attempt < 20; attempt++) {
            Table table = randomTable(keyspace);
            if (node.execute(table.ddl())) {
                keyspace.tables.add(table);
                return;
            }
        }
        throw new IllegalStateException("no random table was accepted in 20 attempts: see the rejected statements above");
    }

    private Table randomTable(Keyspace keyspace) {
        TypeDice types = new TypeDice(dice, vectors, keyspace.userTypes);
        Table table = new Table(keyspace.name + "." + names.word("t"), dice.pick(keyspace.keys));
        table.cdc = dice.chance(0.8);
        table.counter = dice.chance(0.1);
        table.compact = !table.counter && dice.chance(0.08);
        table.defaultTtl = !table.counter && dice.chance(0.1) ? dice.between(1, 1_000_000) : 0;
        table.keys.types.forEach(type -> table.partitionKey.add(new Table.Column(names.any(), type)));
        boolean many = dice.chance(0.04); // clustering values stand in blocks of 32
        for (int i = many ? dice.between(32, 40) : dice.of(0, 0, 1, 1, 2, 3, 4); i > 0; i--) {
            addClustering(table, many ? CqlType.scalar(dice.of("int", "text", "tinyint")) : types.key());
        }
        if (table.compact) {
            addCompactColumns(table, types);
            return table;
        }
        int regulars = dice.chance(0.12) ? dice.between(60, MOST_COLUMNS) : dice.between(table.counter ? 1 : 0, 12);
        for (int i = 0; i < regulars; i++) {
            table.regulars.add(new Table.Column(names.any(), columnType(table, types)));
        }
        if (!table.clustering.isEmpty() && dice.chance(0.5)) {
            for (int i = dice.of(1, 2, 4, 70); i > 0; i--) {
                table.statics.add(new Table.Column(names.any(), columnType(table, types)));
            }
        }
        return table;
    }

    private static CqlType columnType(Table table, TypeDice types) {
        return table.counter ? CqlType.scalar("counter") : types.column();
    }

    private void addCompactColumns(Table table, TypeDice types) {
        int columns = table.clustering.isEmpty() ? dice.between(1, 4) : dice.between(0, 1);
        for (int i = 0; i < columns; i++) {
            table.regulars.add(new Table.Column(names.any(), types.value(2)));
        }
    }

    private void addClustering(Table table, CqlType type) {
        table.clustering.add(new Table.Column(names.any(), type));
        table.descending.add(dice.chance(0.35));
        List<String> values = new ArrayList<>();
        for (int i = 0; i < CLUSTERING_VALUES; i++) {
            values.add(literals.of(type));
        }
        table.clusteringValues.add(values);
    }
}
