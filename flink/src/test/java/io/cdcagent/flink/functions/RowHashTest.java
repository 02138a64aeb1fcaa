package io.cdcagent.flink.functions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datastax.oss.driver.api.core.ProtocolVersion;
import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.api.core.type.DataTypes;
import com.datastax.oss.driver.api.core.type.codec.registry.CodecRegistry;
import com.datastax.oss.protocol.internal.util.Bytes;
import io.cdcagent.flink.Vectors;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

/** ROW_HASH against the vectors of docs/identity.md, whose values the driver's codecs read. */
class RowHashTest {
    private static final Map<String, DataType> TYPES =
            Map.ofEntries(
                    Map.entry("text", DataTypes.TEXT),
                    Map.entry("ascii", DataTypes.ASCII),
                    Map.entry("tinyint", DataTypes.TINYINT),
                    Map.entry("smallint", DataTypes.SMALLINT),
                    Map.entry("int", DataTypes.INT),
                    Map.entry("bigint", DataTypes.BIGINT),
                    Map.entry("varint", DataTypes.VARINT),
                    Map.entry("decimal", DataTypes.DECIMAL),
                    Map.entry("boolean", DataTypes.BOOLEAN),
                    Map.entry("float", DataTypes.FLOAT),
                    Map.entry("double", DataTypes.DOUBLE),
                    Map.entry("timestamp", DataTypes.TIMESTAMP),
                    Map.entry("date", DataTypes.DATE),
                    Map.entry("time", DataTypes.TIME),
                    Map.entry("uuid", DataTypes.UUID),
                    Map.entry("timeuuid", DataTypes.TIMEUUID),
                    Map.entry("blob", DataTypes.BLOB));

    @Test
    void everyVectorOfScalars() {
        int compared = 0;
        for (JsonNode vector : Vectors.of("row_hash.jsonl")) {
            Object[] columns = columns(vector);
            if (columns != null) {
                String table = vector.get("keyspace").asText() + "." + vector.get("table").asText();
                assertEquals(
                        vector.get("row_hash").asText(),
                        new RowHash().eval(table, columns),
                        vector.get("name").asText());
                compared++;
            }
        }
        assertTrue(compared >= 150, compared + " vectors were compared");
    }

    @Test
    void theExampleOfTheDocumentation() {
        // Its tags are a set, whose text SQL would bring along.
        assertEquals(
                "d8820d25b793edf63c17e56bb7cfba33de1b2bc6d0c43e00377dfeced9a3142e",
                new RowHash().eval("shop.orders", "A-7", 2, 12.5, "ok", "[\"new\"]"));
    }

    @Test
    void aTableIsNeeded() {
        assertThrows(IllegalArgumentException.class, () -> new RowHash().eval(null, "a"));
    }

    /**
     * The hashed columns as Flink hands them over; null where a type has no SQL type, or a value is
     * withheld or none.
     */
    private static Object[] columns(JsonNode vector) {
        List<JsonNode> hashed = new ArrayList<>();
        List<String> excluded = new ArrayList<>(List.of("record_hash"));
        if (vector.has("exclude")) {
            excluded.clear();
            vector.get("exclude").forEach(name -> excluded.add(name.asText()));
        }
        for (JsonNode column : vector.get("columns")) {
            String kind = column.get("kind").asText();
            if (column.has("cells") || column.has("withheld_ts_us") || kind.equals("static")) {
                return null;
            }
            if (kind.equals("partition_key")
                    || kind.equals("clustering")
                    || !excluded.contains(column.get("name").asText())) {
                hashed.add(column);
            }
        }
        hashed.sort(Comparator.comparing(RowHashTest::rank));
        List<Object> found = new ArrayList<>();
        for (JsonNode column : hashed) {
            DataType type = TYPES.get(column.get("type").asText());
            if (type == null) {
                return null;
            }
            found.add(column.get("value").isNull() ? null : value(type, column));
        }
        return found.toArray();
    }

    /** Keys first, in their order; then the others by the bytes of their names. */
    private static String rank(JsonNode column) {
        switch (column.get("kind").asText()) {
            case "partition_key":
                return "0";
            case "clustering":
                return "1";
            default:
                byte[] name = column.get("name").asText().getBytes(StandardCharsets.UTF_8);
                return "2" + Bytes.toHexString(name);
        }
    }

    private static Object value(DataType type, JsonNode column) {
        ByteBuffer bytes = Bytes.fromHexString("0x" + column.get("value").asText());
        if (!bytes.hasRemaining()
                && !List.of("text", "ascii", "blob").contains(column.get("type").asText())) {
            return null;
        }
        if (type.equals(DataTypes.BLOB)) {
            return Bytes.getArray(bytes);
        }
        Object value = CodecRegistry.DEFAULT.codecFor(type).decode(bytes, ProtocolVersion.DEFAULT);
        return value instanceof UUID
                ? value.toString()
                : value instanceof java.math.BigInteger
                        ? new BigDecimal((java.math.BigInteger) value)
                        : value;
    }
}
