package io.cdcagent.flink.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.data.TupleValue;
import com.datastax.oss.driver.api.core.data.UdtValue;
import com.datastax.oss.protocol.internal.util.Bytes;
import io.cdcagent.flink.Metrics;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.flink.types.RowKind;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What reaches a real table, read by SELECT and WRITETIME. */
@Tag("cassandra")
class WritesTest {
    private static final String EVENTS =
            "id STRING, event_ts TIMESTAMP(3), amount DOUBLE, record_hash STRING, PRIMARY KEY (id) NOT ENFORCED";

    private static void events(String table) {
        Cluster.cql(
                "CREATE TABLE IF NOT EXISTS sales."
                        + table
                        + " (id text PRIMARY KEY, event_ts timestamp, amount double, record_hash text)",
                "TRUNCATE sales." + table);
    }

    @Test
    void theWriteTimeIsTheVersionAndRepeatsChangeNothing() throws Exception {
        events("events");
        String options =
                Cluster.options(
                        "events", "write-timestamp-column", "event_ts", "null-columns", "null");
        String newer = "('1', TIMESTAMP '2025-01-01 00:00:01.500', CAST(12.5 AS DOUBLE), 'h1')";
        String older = "('1', TIMESTAMP '2025-01-01 00:00:00.000', CAST(1 AS DOUBLE), 'h0')";
        long sent = Metrics.sum("numRecordsSend");
        Jobs.insert(EVENTS, options, newer + ", " + older);
        Jobs.insert(EVENTS, options, older);
        Jobs.insert(EVENTS, options, newer);
        assertEquals(4, Metrics.sum("numRecordsSend") - sent);
        Row found =
                Cluster.row(
                        "SELECT event_ts, amount, record_hash, WRITETIME(amount) AS t, WRITETIME(record_hash) AS h FROM sales.events");
        assertEquals(Instant.parse("2025-01-01T00:00:01.500Z"), found.getInstant("event_ts"));
        assertEquals(12.5, found.getDouble("amount"));
        assertEquals("h1", found.getString("record_hash"));
        assertEquals(1_735_689_601_500_000L, found.getLong("t"));
        assertEquals(1_735_689_601_500_000L, found.getLong("h"));
    }

    @Test
    void aNullIsWrittenOrLeftAlone() throws Exception {
        events("nulls");
        String whole = "('1', TIMESTAMP '2025-01-01 00:00:00.000', CAST(1 AS DOUBLE), 'h')";
        String part =
                "('1', TIMESTAMP '2025-01-02 00:00:00.000', CAST(NULL AS DOUBLE), CAST(NULL AS STRING))";
        Jobs.insert(EVENTS, Cluster.options("nulls", "write-timestamp-column", "event_ts"), whole);
        Jobs.insert(EVENTS, Cluster.options("nulls", "write-timestamp-column", "event_ts"), part);
        Row found = Cluster.row("SELECT event_ts, amount, WRITETIME(amount) AS t FROM sales.nulls");
        assertEquals(Instant.parse("2025-01-02T00:00:00Z"), found.getInstant("event_ts"));
        assertEquals(1.0, found.getDouble("amount"));
        assertEquals(1_735_689_600_000_000L, found.getLong("t"));
        String writesNull =
                Cluster.options(
                        "nulls", "write-timestamp-column", "event_ts", "null-columns", "null");
        Jobs.insert(EVENTS, writesNull, part);
        assertTrue(Cluster.row("SELECT amount FROM sales.nulls").isNull("amount"));
    }

    /** `rev` is no column of the table: it is the write time alone. */
    @Test
    void upsertsAndDeletesCarryTheirTime() throws Exception {
        Cluster.cql("CREATE TABLE sales.changes (id text PRIMARY KEY, n bigint)");
        String options = Cluster.options("changes", "write-timestamp-column", "rev");
        Jobs.changes(
                options,
                change(RowKind.INSERT, "kept", 1, 10),
                change(RowKind.UPDATE_AFTER, "kept", 2, 20),
                change(RowKind.INSERT, "gone", 1, 10),
                change(RowKind.DELETE, "gone", 1, 15),
                change(RowKind.INSERT, "back", 1, 10),
                change(RowKind.DELETE, "back", 1, 15),
                change(RowKind.INSERT, "back", 3, 30));
        // What was deleted at 15 does not come back with what is older, whatever the order.
        Jobs.changes(
                options,
                change(RowKind.INSERT, "gone", 7, 14),
                change(RowKind.DELETE, "kept", 2, 19),
                change(RowKind.DELETE, "back", 3, 29));
        assertEquals(
                Map.of("kept", 2L, "back", 3L),
                Map.of(
                        "kept", n("kept"),
                        "back", n("back")));
        assertEquals(2, Cluster.count("sales.changes"));
        assertEquals(
                20L,
                Cluster.row("SELECT WRITETIME(n) AS t FROM sales.changes WHERE id = 'kept'")
                        .getLong("t"));
    }

    private static long n(String id) {
        return Cluster.row("SELECT n FROM sales.changes WHERE id = '" + id + "'").getLong("n");
    }

    private static org.apache.flink.types.Row change(RowKind kind, String id, long n, long rev) {
        return org.apache.flink.types.Row.ofKind(kind, id, n, rev);
    }

    /**
     * Without a version the rows of a job keep their order: thousands of one key, hundreds in
     * flight.
     */
    @Test
    void withoutAVersionTheLastRowStays() throws Exception {
        Cluster.cql("CREATE TABLE sales.unversioned (id text PRIMARY KEY, n bigint, rev bigint)");
        org.apache.flink.types.Row[] rows = new org.apache.flink.types.Row[3000];
        for (int number = 0; number < rows.length; number++) {
            rows[number] = change(RowKind.UPDATE_AFTER, "one", number, 0);
        }
        Jobs.changes(Cluster.options("unversioned"), rows);
        assertEquals(2999L, Cluster.row("SELECT n FROM sales.unversioned").getLong("n"));
    }

    @Test
    void everyTypeComesBack() throws Exception {
        Cluster.cql(
                "CREATE TYPE sales.place (street text, \"number\" int)",
                "CREATE TABLE sales.all_types (id text, \"Day\" date, c_ascii ascii, c_uuid uuid, c_timeuuid timeuuid, c_inet inet,"
                        + " c_inet6 inet, c_boolean boolean, c_tinyint tinyint, c_smallint smallint, c_int int, c_bigint bigint,"
                        + " c_varint varint, c_wide bigint, c_float float, c_double double, c_decimal decimal, c_time time,"
                        + " c_nanos time, c_timestamp timestamp, c_local timestamp, c_blob blob, c_list list<int>, c_set set<text>,"
                        + " c_map map<text, frozen<list<int>>>, c_tuple tuple<int, text>, c_place frozen<place>,"
                        + " PRIMARY KEY (id, \"Day\"))");
        String columns =
                "id STRING, `Day` DATE, c_ascii STRING, c_uuid STRING, c_timeuuid STRING, c_inet STRING, c_inet6 STRING,"
                        + " c_boolean BOOLEAN, c_tinyint TINYINT, c_smallint SMALLINT, c_int INT, c_bigint BIGINT,"
                        + " c_varint DECIMAL(38, 0), c_wide INT, c_float FLOAT, c_double DOUBLE, c_decimal DECIMAL(10, 2), c_time TIME(3),"
                        + " c_nanos BIGINT, c_timestamp TIMESTAMP(3), c_local TIMESTAMP_LTZ(3), c_blob BYTES, c_list ARRAY<INT>,"
                        + " c_set ARRAY<STRING>, c_map MAP<STRING, ARRAY<INT>>, c_tuple ROW<a INT, b STRING>,"
                        + " c_place ROW<`number` INT, street STRING>, PRIMARY KEY (`Day`, id) NOT ENFORCED";
        String values =
                "('é😀', DATE '1969-12-31', 'ascii', '0000000A-0000-4000-8000-000000000000', '13814000-1dd2-11b2-8000-000000000000',"
                        + " '192.0.2.1', '2001:db8::1', TRUE, CAST(-128 AS TINYINT), CAST(-32768 AS SMALLINT), -2147483648,"
                        + " CAST(9223372036854775807 AS BIGINT), CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)), 7,"
                        + " CAST(1.5 AS FLOAT), CAST('2e23' AS DOUBLE), CAST(-0.10 AS DECIMAL(10, 2)), TIME '23:59:59',"
                        + " CAST(86399999999999 AS BIGINT), TIMESTAMP '2025-01-01 00:00:00.123', TO_TIMESTAMP_LTZ(-1, 3), X'00FF80',"
                        + " ARRAY[3, 1, 3], ARRAY['b', 'a', 'b'], MAP['k', ARRAY[1, 2]], ROW(1, CAST(NULL AS STRING)), ROW(7, 'Main'))";
        Jobs.insert(columns, Cluster.options("all_types"), values);
        Row found = Cluster.row("SELECT * FROM sales.all_types");
        assertEquals("é😀", found.getString("id"));
        assertEquals(LocalDate.of(1969, 12, 31), found.getLocalDate("\"Day\""));
        assertEquals("ascii", found.getString("c_ascii"));
        assertEquals(
                UUID.fromString("0000000a-0000-4000-8000-000000000000"), found.getUuid("c_uuid"));
        assertEquals(
                UUID.fromString("13814000-1dd2-11b2-8000-000000000000"),
                found.getUuid("c_timeuuid"));
        assertEquals(InetAddress.getByName("192.0.2.1"), found.getInetAddress("c_inet"));
        assertEquals(InetAddress.getByName("2001:db8::1"), found.getInetAddress("c_inet6"));
        assertTrue(found.getBoolean("c_boolean"));
        assertEquals(Byte.MIN_VALUE, found.getByte("c_tinyint"));
        assertEquals(Short.MIN_VALUE, found.getShort("c_smallint"));
        assertEquals(Integer.MIN_VALUE, found.getInt("c_int"));
        assertEquals(Long.MAX_VALUE, found.getLong("c_bigint"));
        assertEquals(new BigInteger("9".repeat(38)), found.getBigInteger("c_varint"));
        assertEquals(7L, found.getLong("c_wide"));
        assertEquals(1.5f, found.getFloat("c_float"));
        assertEquals(2e23, found.getDouble("c_double"));
        assertEquals(new BigDecimal("-0.10"), found.getBigDecimal("c_decimal"));
        assertEquals(LocalTime.of(23, 59, 59), found.getLocalTime("c_time"));
        assertEquals(LocalTime.MAX, found.getLocalTime("c_nanos"));
        assertEquals(Instant.parse("2025-01-01T00:00:00.123Z"), found.getInstant("c_timestamp"));
        assertEquals(Instant.ofEpochMilli(-1), found.getInstant("c_local"));
        assertEquals("0x00ff80", Bytes.toHexString(found.getByteBuffer("c_blob")));
        assertEquals(List.of(3, 1, 3), found.getList("c_list", Integer.class));
        assertEquals(Set.of("a", "b"), found.getSet("c_set", String.class));
        assertEquals(Map.of("k", List.of(1, 2)), found.getObject("c_map"));
        TupleValue tuple = found.getTupleValue("c_tuple");
        assertEquals(1, tuple.getInt(0));
        assertNull(tuple.getString(1));
        UdtValue place = found.getUdtValue("c_place");
        assertEquals("Main", place.getString("street"));
        assertEquals(7, place.getInt("\"number\""));
    }

    /** A row that can never be written ends the job, and its value is not told. */
    @Test
    void aValueThatDoesNotFitIsToldWithoutTheValue() throws Exception {
        Cluster.cql("CREATE TABLE sales.ids (id uuid PRIMARY KEY)");
        String told =
                Jobs.failure(
                        "id STRING, PRIMARY KEY (id) NOT ENFORCED",
                        Cluster.options("ids"),
                        "('secret-cell')");
        assertTrue(told.contains("A value of column id is no uuid"), told);
        assertTrue(told.contains("SuppressRestartsException"), told);
        assertFalse(told.contains("secret-cell"), told);
    }
}
