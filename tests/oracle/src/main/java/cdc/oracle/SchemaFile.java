package cdc.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.cassandra.auth.AuthKeyspace;
import org.apache.cassandra.cql3.ColumnIdentifier;
import org.apache.cassandra.db.marshal.AbstractType;
import org.apache.cassandra.db.marshal.ReversedType;
import org.apache.cassandra.db.marshal.TimestampType;
import org.apache.cassandra.schema.CQLTypeParser;
import org.apache.cassandra.schema.ColumnMetadata;
import org.apache.cassandra.schema.DroppedColumn;
import org.apache.cassandra.schema.KeyspaceMetadata;
import org.apache.cassandra.schema.KeyspaceParams;
import org.apache.cassandra.schema.Keyspaces;
import org.apache.cassandra.schema.Schema;
import org.apache.cassandra.schema.SchemaConstants;
import org.apache.cassandra.schema.SystemDistributedKeyspace;
import org.apache.cassandra.schema.TableId;
import org.apache.cassandra.schema.TableMetadata;
import org.apache.cassandra.schema.TableParams;
import org.apache.cassandra.schema.Tables;
import org.apache.cassandra.schema.Types;
import org.apache.cassandra.tracing.TraceKeyspace;
import org.apache.cassandra.utils.ByteBufferUtil;

/**
 * A schema file (rows of system_schema as JSON) as Cassandra's own metadata. Keyspaces that Cassandra defines itself are
 * taken from Cassandra, not from the file.
 */
public final class SchemaFile {
    private final JsonNode root;
    private final boolean ignoreDropped;

    /**
     * @param ignoreDropped register dropped columns as dropped before every timestamp, so that Cassandra's reader gives
     *     out their cells instead of discarding them
     */
    public SchemaFile(File file, boolean ignoreDropped) throws IOException {
        this.root = new ObjectMapper().readTree(file);
        this.ignoreDropped = ignoreDropped;
    }

    /** Makes the file's keyspaces, and the replicated keyspaces of Cassandra, known to this JVM's Schema.instance. */
    public void register() {
        Keyspaces.Builder keyspaces = Keyspaces.builder();
        keyspaces.add(TraceKeyspace.metadata());
        keyspaces.add(SystemDistributedKeyspace.metadata());
        keyspaces.add(AuthKeyspace.metadata());
        for (KeyspaceMetadata keyspace : keyspaces()) {
            keyspaces.add(keyspace);
        }
        Keyspaces all = keyspaces.build();
        Schema.instance.transform(before -> all);
    }

    /** The file's keyspaces without those that Cassandra defines itself. */
    public List<KeyspaceMetadata> keyspaces() {
        Set<String> names = new TreeSet<>();
        for (String array : List.of("keyspaces", "tables", "views")) {
            for (JsonNode row : rows(array)) {
                names.add(text(row, "keyspace_name"));
            }
        }
        List<KeyspaceMetadata> keyspaces = new ArrayList<>();
        for (String name : names) {
            if (!SchemaConstants.isSystemKeyspace(name)) {
                keyspaces.add(keyspace(name));
            }
        }
        return keyspaces;
    }

    private KeyspaceMetadata keyspace(String keyspace) {
        Types.RawBuilder rawTypes = Types.rawBuilder(keyspace);
        for (JsonNode row : rows("types")) {
            if (keyspace.equals(text(row, "keyspace_name"))) {
                rawTypes.add(text(row, "type_name"), texts(row, "field_names"), texts(row, "field_types"));
            }
        }
        Types types = rawTypes.build();
        Tables.Builder tables = Tables.builder();
        for (JsonNode row : rows("tables")) {
            if (keyspace.equals(text(row, "keyspace_name"))) {
                tables.add(table(keyspace, text(row, "table_name"), row, TableMetadata.Kind.REGULAR, types));
            }
        }
        // what a view's updates look like depends on its columns alone: it needs no definition over a base table here
        for (JsonNode row : rows("views")) {
            if (keyspace.equals(text(row, "keyspace_name"))) {
                tables.add(table(keyspace, text(row, "view_name"), row, TableMetadata.Kind.VIEW, types));
            }
        }
        return KeyspaceMetadata.create(keyspace, KeyspaceParams.simple(1), tables.build()).withSwapped(types);
    }

    private TableMetadata table(String keyspace, String table, JsonNode row, TableMetadata.Kind kind, Types types) {
        TableMetadata.Builder builder =
                TableMetadata.builder(keyspace, table, TableId.fromString(text(row, "id"))).kind(kind);
        Set<TableMetadata.Flag> flags = EnumSet.noneOf(TableMetadata.Flag.class);
        for (String flag : row.hasNonNull("flags") ? texts(row, "flags") : List.of("compound")) {
            flags.add(TableMetadata.Flag.valueOf(flag.toUpperCase(Locale.ROOT)));
        }
        boolean cdc = row.path("cdc").asBoolean(false);
        builder.flags(flags).params(TableParams.builder().cdc(cdc).build());
        List<ColumnMetadata> columns = columns(keyspace, table, types);
        columns.sort(Comparator.comparing((ColumnMetadata c) -> c.kind).thenComparing(c -> c.position()));
        return builder.addColumns(columns).droppedColumns(droppedColumns(keyspace, table)).build();
    }

    private List<ColumnMetadata> columns(String keyspace, String table, Types types) {
        List<ColumnMetadata> columns = new ArrayList<>();
        for (JsonNode row : rows("columns", keyspace, table)) {
            AbstractType<?> type = CQLTypeParser.parse(keyspace, text(row, "type"), types);
            if (text(row, "clustering_order").equalsIgnoreCase("desc")) {
                type = ReversedType.getInstance(type);
            }
            columns.add(Version.column(
                    keyspace, table, columnName(row), type, row.path("position").asInt(), kind(row)));
        }
        if (columns.isEmpty()) {
            throw new IllegalArgumentException("the schema file has no columns for " + keyspace + "." + table);
        }
        return columns;
    }

    private Map<ByteBuffer, DroppedColumn> droppedColumns(String keyspace, String table) {
        Map<ByteBuffer, DroppedColumn> dropped = new HashMap<>();
        for (JsonNode row : rows("dropped_columns", keyspace, table)) {
            // user types of dropped columns are stored as tuples
            AbstractType<?> type = CQLTypeParser.parse(keyspace, text(row, "type"), Types.none());
            ColumnIdentifier name = ColumnIdentifier.getInterned(text(row, "column_name"), true);
            ColumnMetadata.Kind kind = row.hasNonNull("kind") ? kind(row) : ColumnMetadata.Kind.REGULAR;
            ColumnMetadata column = Version.column(keyspace, table, name, type, ColumnMetadata.NO_POSITION, kind);
            dropped.put(name.bytes, new DroppedColumn(column, ignoreDropped ? Long.MIN_VALUE : droppedTime(row)));
        }
        return dropped;
    }

    /** In microseconds, as the timestamps of cells. */
    private static long droppedTime(JsonNode row) {
        JsonNode time = row.path("dropped_time");
        long millis = time.isIntegralNumber()
                ? time.asLong()
                : TimestampType.instance
                        .compose(TimestampType.instance.fromString(time.asText()))
                        .getTime();
        return TimeUnit.MILLISECONDS.toMicros(millis);
    }

    private static ColumnIdentifier columnName(JsonNode row) {
        String text = text(row, "column_name");
        String bytes = row.path("column_name_bytes").asText("");
        return bytes.isEmpty()
                ? ColumnIdentifier.getInterned(text, true)
                : new ColumnIdentifier(ByteBufferUtil.hexToBytes(bytes.substring("0x".length())), text);
    }

    private static ColumnMetadata.Kind kind(JsonNode row) {
        return ColumnMetadata.Kind.valueOf(text(row, "kind").toUpperCase(Locale.ROOT));
    }

    private Iterable<JsonNode> rows(String array) {
        return root.path(array);
    }

    private List<JsonNode> rows(String array, String keyspace, String table) {
        List<JsonNode> found = new ArrayList<>();
        for (JsonNode row : rows(array)) {
            if (keyspace.equals(text(row, "keyspace_name")) && table.equals(text(row, "table_name"))) {
                found.add(row);
            }
        }
        return found;
    }

    private static String text(JsonNode row, String field) {
        JsonNode value = row.get(field);
        if (value == null || value.isNull()) {
            throw new IllegalArgumentException("a row of the schema file has no " + field + ": " + row);
        }
        return value.asText();
    }

    private static List<String> texts(JsonNode row, String field) {
        List<String> texts = new ArrayList<>();
        row.path(field).forEach(value -> texts.add(value.asText()));
        return texts;
    }
}
