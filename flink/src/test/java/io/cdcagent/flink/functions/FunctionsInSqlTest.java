package io.cdcagent.flink.functions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cdcagent.flink.Metrics;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.types.Row;
import org.apache.flink.util.CollectionUtil;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The functions as SQL calls them, on the real planner and a local cluster. */
class FunctionsInSqlTest {
    private static TableEnvironment tables;

    @BeforeAll
    static void start() {
        tables = Metrics.tables();
        for (String name :
                List.of(
                        "RowHash",
                        "DoubleText",
                        "FloatText",
                        "DecimalText",
                        "Base64Bytes",
                        "CountValid",
                        "CountInvalid",
                        "Repeated",
                        "KeptRecord",
                        "TimestampUs")) {
            tables.executeSql(
                    String.format(
                            "CREATE TEMPORARY SYSTEM FUNCTION `%s` AS 'io.cdcagent.flink.functions.%s' LANGUAGE JAVA",
                            sqlName(name), name));
        }
    }

    private static String sqlName(String className) {
        return className.replaceAll("(?<=[a-z])(?=[A-Z])|(?<=4)(?=B)", "_").toUpperCase();
    }

    private static Row row(String select) {
        List<Row> rows = CollectionUtil.iteratorToList(tables.executeSql(select).collect());
        assertEquals(1, rows.size());
        return rows.get(0);
    }

    @Test
    void everyTypeHasItsText() throws Exception {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("CAST('a' AS STRING)", "1:a");
        fields.put("CAST('ab' AS CHAR(4))", "4:ab  ");
        fields.put("TRUE", "4:TRUE");
        fields.put("CAST(-1 AS TINYINT)", "2:-1");
        fields.put("CAST(-2 AS SMALLINT)", "2:-2");
        fields.put("3", "1:3");
        fields.put("CAST(4 AS BIGINT)", "1:4");
        fields.put("CAST(1.5 AS DECIMAL(10, 2))", "4:1.50");
        fields.put("CAST(0 AS DECIMAL(20, 8))", "4:0E-8");
        fields.put("CAST('2e23' AS DOUBLE)", "6:2.0E23");
        fields.put("CAST('1e16' AS FLOAT)", "6:1.0E16");
        fields.put("DATE '1970-01-03'", "1:2");
        fields.put("TIME '00:00:01'", "10:1000000000");
        fields.put("TIMESTAMP '1970-01-01 00:00:01.500'", "4:1500");
        fields.put("TO_TIMESTAMP_LTZ(-1, 3)", "2:-1");
        fields.put("X'00FF'", "4:00ff");
        fields.put("CAST(NULL AS INT)", "~");
        fields.put("NULLIF('a', 'a')", "~");
        fields.put("''", "0:");
        String calls =
                fields.keySet().stream()
                        .map(column -> "ROW_HASH('sales.t', " + column + ")")
                        .collect(Collectors.joining(", "));
        Row found =
                row(
                        "SELECT "
                                + calls
                                + ", ROW_HASH('sales.t', "
                                + String.join(", ", fields.keySet())
                                + ")");
        int position = 0;
        for (Map.Entry<String, String> field : fields.entrySet()) {
            assertEquals(
                    sha256("v1;sales.t;" + field.getValue()),
                    found.getField(position++),
                    field.getKey());
        }
        assertEquals(
                sha256("v1;sales.t;" + String.join("", fields.values())), found.getField(position));
    }

    private static String sha256(String text) throws Exception {
        byte[] digest =
                MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        StringBuilder digits = new StringBuilder();
        for (byte one : digest) {
            digits.append(String.format("%02x", one));
        }
        return digits.toString();
    }

    /** The same text in plain SQL, which needs no function where no double is hashed. */
    @Test
    void plainSqlSaysTheSame() {
        Row found =
                row(
                        "SELECT ROW_HASH('sales.t', id, n, CAST(NULL AS STRING)), SHA256(CONCAT('v1;sales.t;',"
                                + " CAST(CHAR_LENGTH(id) AS STRING), ':', id, CAST(CHAR_LENGTH(CAST(n AS STRING)) AS STRING), ':',"
                                + " CAST(n AS STRING), '~')) FROM (VALUES ('é😀|', 42)) AS t (id, n)");
        assertEquals(found.getField(1), found.getField(0));
    }

    @Test
    void numbersAndBytes() {
        Row found =
                row(
                        "SELECT DOUBLE_TEXT(d), FLOAT_TEXT(CAST(d AS FLOAT)), DECIMAL_TEXT(CAST(0 AS DECIMAL(12, 7))), BASE64_BYTES(b),"
                                + " DOUBLE_TEXT(CAST(NULL AS DOUBLE)) FROM (VALUES (CAST('2e23' AS DOUBLE), 'AP8=')) AS t (d, b)");
        assertEquals("2.0E23", found.getField(0));
        assertEquals("2.0E23", found.getField(1));
        assertEquals("0E-7", found.getField(2));
        assertEquals(2, ((byte[]) found.getField(3)).length);
        assertEquals(null, found.getField(4));
    }

    @Test
    void whatHasNoTextIsRefusedWhenItIsPlanned() {
        for (String argument :
                List.of(
                        "ARRAY[1]",
                        "MAP['a', 1]",
                        "ROW(1, 2)",
                        "TIMESTAMP '2025-01-01 00:00:00.000001'")) {
            ValidationException refused =
                    assertThrows(
                            ValidationException.class,
                            () ->
                                    tables.explainSql(
                                            "SELECT ROW_HASH('sales.t', " + argument + ")"));
            assertTrue(
                    Metrics.chain(refused).contains("Argument 2 of ROW_HASH"),
                    Metrics.chain(refused));
        }
        assertThrows(
                ValidationException.class, () -> tables.explainSql("SELECT ROW_HASH('sales.t')"));
        assertThrows(ValidationException.class, () -> tables.explainSql("SELECT ROW_HASH(1, 2)"));
    }

    /**
     * Two inserts of one statement set over one view, as a data quality job has them: each record
     * is counted once.
     */
    @Test
    void countersCountEachRecordOnce() throws Exception {
        tables.executeSql(
                "CREATE TEMPORARY VIEW judged AS SELECT id, CASE WHEN MOD(n, 4) = 0 THEN 'n.range' ELSE '' END AS failed"
                        + " FROM (SELECT CAST(n AS STRING) AS id, n FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)) AS t (n))");
        tables.executeSql(
                "CREATE TEMPORARY TABLE rows_valid (id STRING, failed STRING) WITH ('connector' = 'blackhole')");
        tables.executeSql(
                "CREATE TEMPORARY TABLE rows_invalid (id STRING, failed STRING) WITH ('connector' = 'blackhole')");
        tables.executeSql(
                        "EXECUTE STATEMENT SET BEGIN"
                                + " INSERT INTO rows_valid SELECT COUNT_VALID(id), failed FROM judged WHERE failed = '';"
                                + " INSERT INTO rows_invalid SELECT id, COUNT_INVALID(failed) FROM judged WHERE failed <> ''; END")
                .await();
        assertEquals(8, Metrics.sum("dq_valid_count"));
        assertEquals(2, Metrics.sum("dq_invalid_count"));
    }

    /** Two `unique` rules of one stage; each remembers one value, and counts what it forgets. */
    @Test
    void whatIsForgottenIsCounted() {
        String window = "OVER (PARTITION BY p ORDER BY arrival)";
        String call = "REPEATED(%s, CAST(1 AS BIGINT), CAST(100 AS BIGINT), CAST(1 AS BIGINT)) %s";
        String select =
                String.format(
                        "SELECT "
                                + call
                                + ", "
                                + call
                                + " FROM (SELECT v, w, p, PROCTIME() AS arrival FROM (VALUES"
                                + " ('a', 'x', 1), ('b', 'x', 1), ('a', 'y', 1), ('a', 'x', 1)) AS t (v, w, p))",
                        "v",
                        window,
                        "w",
                        window);
        List<Row> rows = CollectionUtil.iteratorToList(tables.executeSql(select).collect());
        assertEquals(
                List.of(
                        Row.of(false, false),
                        Row.of(false, true),
                        Row.of(false, false),
                        Row.of(true, false)),
                rows);
        assertEquals(4, Metrics.sum("dq_forgotten_count"));
    }

    /** Behind stages, as the hash and audit jobs have it: what is left out is counted once. */
    @Test
    void whatIsLeftOutIsCountedOnce() {
        tables.executeSql(
                "CREATE TEMPORARY VIEW changes AS SELECT s.*, c.* FROM (VALUES (1), (2), (3), (4), (5), (6), (7)) AS s (n)"
                        + " CROSS JOIN UNNEST(ARRAY[ROW(CAST(n AS STRING), n = 1 OR n > 5)]) AS c (op, is_row)");
        List<Row> rows =
                CollectionUtil.iteratorToList(
                        tables.executeSql(
                                        "SELECT n, op FROM (SELECT *, COUNT(op) OVER (PARTITION BY is_row ORDER BY arrival) AS seen"
                                                + " FROM (SELECT *, PROCTIME() AS arrival FROM changes WHERE KEPT_RECORD(CASE"
                                                + " WHEN n = 2 THEN 'tombstone' WHEN NOT is_row THEN 'strange'"
                                                + " WHEN op = '6' THEN 'snapshot_row' WHEN op = '7' THEN 'heartbeat' END)))"
                                                + " WHERE seen > 0")
                                .collect());
        assertEquals("[+I[1, 1]]", rows.toString());
        assertEquals(3, Metrics.sum("dq_strange_count"));
        assertEquals(1, Metrics.sum("dq_tombstone_count"));
        assertEquals(1, Metrics.sum("dq_snapshot_row_count"));
        assertEquals(1, Metrics.sum("dq_heartbeat_count"));
    }

    @Test
    void timestampsOfAgents() {
        Row found =
                row(
                        "SELECT TIMESTAMP_US(t), CAST(TIMESTAMP_US('1970-01-01T00:00:00.005Z') AS STRING),"
                                + " TIMESTAMP_US(CAST(NULL AS STRING)) FROM (VALUES ('5')) AS x (t)");
        assertEquals("+I[5000, 5000, null]", found.toString());
    }
}
