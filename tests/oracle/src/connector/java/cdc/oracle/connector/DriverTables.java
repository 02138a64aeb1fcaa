package cdc.oracle.connector;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.metadata.schema.ClusteringOrder;
import com.datastax.oss.driver.api.core.metadata.schema.ColumnMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.internal.core.metadata.schema.DefaultColumnMetadata;
import com.datastax.oss.driver.internal.core.metadata.schema.DefaultTableMetadata;
import com.datastax.oss.driver.internal.core.metadata.schema.parsing.DataTypeCqlNameParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The tables with cdc of a schema file as the driver would describe them after asking a node. No user-defined types. */
final class DriverTables {
    private final JsonNode schema;
    private final DataTypeCqlNameParser types = new DataTypeCqlNameParser();

    DriverTables(Path schemaFile) throws IOException {
        schema = new ObjectMapper().readTree(schemaFile.toFile());
    }

    List<TableMetadata> withCdc() {
        List<TableMetadata> tables = new ArrayList<>();
        for (JsonNode row : schema.get("tables")) {
            if (row.path("cdc").asBoolean()) {
                tables.add(table(row));
            }
        }
        return tables;
    }

    private TableMetadata table(JsonNode row) {
        CqlIdentifier keyspace = CqlIdentifier.fromInternal(row.get("keyspace_name").asText());
        CqlIdentifier name = CqlIdentifier.fromInternal(row.get("table_name").asText());
        List<ColumnMetadata> partitionKey = new ArrayList<>();
        Map<ColumnMetadata, ClusteringOrder> clustering = new LinkedHashMap<>();
        Map<CqlIdentifier, ColumnMetadata> columns = new LinkedHashMap<>();
        for (JsonNode column : columnRows(keyspace, name)) {
            DataType type = types.parse(keyspace, column.get("type").asText(), Map.of(), null);
            CqlIdentifier columnName = CqlIdentifier.fromInternal(column.get("column_name").asText());
            String kind = column.get("kind").asText();
            ColumnMetadata metadata = new DefaultColumnMetadata(keyspace, name, columnName, type, kind.equals("static"));
            columns.put(columnName, metadata);
            if (kind.equals("partition_key")) {
                partitionKey.add(metadata);
            } else if (kind.equals("clustering")) {
                clustering.put(metadata, ClusteringOrder.valueOf(column.get("clustering_order").asText().toUpperCase()));
            }
        }
        return new DefaultTableMetadata(keyspace, name, UUID.fromString(row.get("id").asText()), false, false, partitionKey,
            clustering, columns, Map.of(CqlIdentifier.fromInternal("cdc"), true), Map.of());
    }

    /** Partition key, clustering columns, then the others by name: the driver's order. */
    private List<JsonNode> columnRows(CqlIdentifier keyspace, CqlIdentifier table) {
        List<JsonNode> rows = new ArrayList<>();
        for (JsonNode row : schema.get("columns")) {
            if (row.get("keyspace_name").asText().equals(keyspace.asInternal())
                && row.get("table_name").asText().equals(table.asInternal())) {
                rows.add(row);
            }
        }
        List<String> kinds = List.of("partition_key", "clustering");
        rows.sort(Comparator.comparing((JsonNode row) -> kinds.indexOf(row.get("kind").asText()) & Integer.MAX_VALUE)
            .thenComparing(row -> row.get("position").asInt()).thenComparing(row -> row.get("column_name").asText()));
        return rows;
    }
}
