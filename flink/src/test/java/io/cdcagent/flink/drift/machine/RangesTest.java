package io.cdcagent.flink.drift.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.DriftCases;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The same expectations as in src/jobs/drift/range.rs and order.rs. */
class RangesTest {
    private static final List<KeyOrder> ORDERS =
            List.of(new KeyOrder(KeyType.NUMBER, false), new KeyOrder(KeyType.NUMBER, true));

    private static List<JsonNode> values(String json) {
        List<JsonNode> found = new ArrayList<>();
        DriftCases.parsed(json).forEach(found::add);
        return found;
    }

    private static Bound bound(String json, boolean isInclusive) {
        return new Bound(values(json), isInclusive);
    }

    @Test
    void rowsInside() {
        // (a, b) with b descending: a = 3 and b < 9, then a = 4, up to a < 6.
        RangeDeletion wide = new RangeDeletion(bound("[3,9]", false), bound("[6]", false), 1);
        assertFalse(wide.coversRow(values("[3,9]"), ORDERS));
        assertFalse(wide.coversRow(values("[3,10]"), ORDERS));
        assertTrue(wide.coversRow(values("[3,8]"), ORDERS));
        assertTrue(wide.coversRow(values("[4,0]"), ORDERS));
        assertFalse(wide.coversRow(values("[6,1]"), ORDERS));
        RangeDeletion prefix = new RangeDeletion(bound("[3]", true), bound("[3]", true), 1);
        assertTrue(prefix.coversRow(values("[3,7]"), ORDERS));
        assertFalse(prefix.coversRow(values("[2,7]"), ORDERS));
        assertFalse(prefix.coversRow(null, ORDERS), "the static row");
        RangeDeletion rows = new RangeDeletion(bound("[]", true), bound("[]", true), 1);
        assertTrue(rows.coversRow(values("[0,0]"), ORDERS));
        assertFalse(rows.coversRow(null, ORDERS));
        assertTrue(new RangeDeletion(null, null, 1).coversRow(null, ORDERS));
    }

    @Test
    void rangesThatTogetherCoverAnother() {
        RangeDeletion wanted = new RangeDeletion(bound("[1]", true), bound("[9]", true), 5);
        RangeDeletion first = new RangeDeletion(null, bound("[4]", false), 5);
        RangeDeletion second = new RangeDeletion(bound("[4]", true), null, 7);
        assertTrue(RangeDeletion.areCovering(List.of(second, first), wanted, ORDERS));
        RangeDeletion behind = new RangeDeletion(bound("[4]", false), null, 7);
        assertFalse(RangeDeletion.areCovering(List.of(behind, first), wanted, ORDERS), "4 is left");
        RangeDeletion older = new RangeDeletion(second.start, null, 4);
        assertFalse(RangeDeletion.areCovering(List.of(older, first), wanted, ORDERS));
        RangeDeletion all = new RangeDeletion(null, null, 5);
        assertTrue(RangeDeletion.areCovering(List.of(all), wanted, ORDERS));
        RangeDeletion rows = new RangeDeletion(bound("[]", true), bound("[]", true), 9);
        assertFalse(
                RangeDeletion.areCovering(List.of(rows), all, ORDERS), "the static row is left");
    }

    private static void ascending(KeyType type, String json) {
        List<JsonNode> order = values(json);
        KeyOrder ascending = new KeyOrder(type, false);
        KeyOrder descending = new KeyOrder(type, true);
        for (int one = 0; one < order.size(); one++) {
            for (int other = 0; other < order.size(); other++) {
                int expected = Integer.compare(one, other);
                int found = ascending.compare(order.get(one), order.get(other));
                assertEquals(
                        expected, Integer.signum(found), order.get(one) + " " + order.get(other));
                found = descending.compare(order.get(one), order.get(other));
                assertEquals(-expected, Integer.signum(found));
            }
        }
    }

    @Test
    void ordersOfTypes() {
        ascending(KeyType.TEXT, "[\"\",\"B\",\"a\",\"ä\",\"\uffff\",\"\ud800\udc00\"]");
        ascending(KeyType.NUMBER, "[-5,0,9007199254740993]");
        ascending(KeyType.NUMBER, "[\"-Infinity\",-1.5,-0.0,0.0,\"Infinity\",\"NaN\"]");
        ascending(KeyType.BOOLEAN, "[null,false,true]");
        ascending(KeyType.BLOB, "[\"\",\"AA==\",\"AAA=\",\"/w==\"]");
        ascending(KeyType.INET, "[\"nowhere\",\"10.0.0.9\",\"10.0.0.10\",\"2001:db8::1\"]");
        // Time 1, time 2, then time 2^32 whose first field is 0: text order would be another.
        ascending(
                KeyType.TIME_UUID,
                "[\"00000001-0000-1000-8000-000000000000\","
                        + "\"00000002-0000-1000-8000-000000000000\","
                        + "\"00000002-0000-1000-0000-000000000000\","
                        + "\"00000000-0001-1000-8000-000000000000\"]");
        ascending(
                KeyType.UUID,
                "[\"00000000-0001-1000-8000-000000000000\",\"00000000-0000-4000-8000-000000000000\"]");
    }
}
