package cdc.oracle.writer;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A table as the generator knows it, with the key values it draws from, so that statements meet in the same rows. */
final class Table {
    static final class Column {
        /** Quoted. */
        final String name;
        final CqlType type;

        Column(String name, CqlType type) {
            this.name = name;
            this.type = type;
        }
    }

    /** Keyspace and table as CQL writes them. */
    final String qualifiedName;
    final List<Column> partitionKey = new ArrayList<>();
    final List<Column> clustering = new ArrayList<>();
    final List<Column> statics = new ArrayList<>();
    final List<Column> regulars = new ArrayList<>();
    /** Whether the clustering column of the same place runs backwards. */
    final List<Boolean> descending = new ArrayList<>();
    final PartitionKeys keys;
    /** For each clustering column some values. */
    final List<List<String>> clusteringValues = new ArrayList<>();
    boolean counter;
    boolean compact;
    boolean cdc;
    int defaultTtl;

    Table(String qualifiedName, PartitionKeys keys) {
        this.qualifiedName = qualifiedName;
        this.keys = keys;
    }

    /** The partition keys that several tables of a keyspace share: a batch over them is one mutation. */
    static final class PartitionKeys {
        final List<CqlType> types;
        final List<List<String>> values = new ArrayList<>();

        PartitionKeys(List<CqlType> types) {
            this.types = types;
        }
    }

    String ddl() {
        List<Column> all = new ArrayList<>(partitionKey);
        all.addAll(clustering);
        all.addAll(regulars);
        String columns = all.stream().map(c -> c.name + " " + c.type.cql()).collect(Collectors.joining(", "));
        String fixed = statics.stream().map(c -> ", " + c.name + " " + c.type.cql() + " static").collect(Collectors.joining());
        String key = "(" + names(partitionKey) + ")" + (clustering.isEmpty() ? "" : ", " + names(clustering));
        List<String> with = new ArrayList<>();
        if (compact) {
            with.add("COMPACT STORAGE");
        }
        if (!clustering.isEmpty()) {
            List<String> order = new ArrayList<>();
            for (int i = 0; i < clustering.size(); i++) {
                order.add(clustering.get(i).name + (descending.get(i) ? " DESC" : " ASC"));
            }
            with.add("CLUSTERING ORDER BY (" + String.join(", ", order) + ")");
        }
        with.add("cdc = " + cdc);
        if (defaultTtl > 0) {
            with.add("default_time_to_live = " + defaultTtl);
        }
        return "CREATE TABLE " + qualifiedName + " (" + columns + fixed + ", PRIMARY KEY (" + key + ")) WITH "
            + String.join(" AND ", with);
    }

    static String names(List<Column> columns) {
        return columns.stream().map(c -> c.name).collect(Collectors.joining(", "));
    }
}
