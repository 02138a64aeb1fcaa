package io.cdcagent.flink.drift.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CellTest {
    private static Cell live(long tsUs, String value) {
        return new Cell(tsUs, value, null);
    }

    /** `org.apache.cassandra.db.rows.Cells.reconcile`, from the weakest to the strongest. */
    @Test
    void reconciliation() {
        Cell[] order = {
            live(4, null),
            live(5, "1"),
            live(5, "2"),
            live(5, "10"),
            live(5, "-1"),
            new Cell(5, "1", 100L),
            new Cell(5, "1", 101L),
            live(5, null),
            live(6, "1"),
        };
        for (int one = 0; one < order.length; one++) {
            for (int other = 0; other < order.length; other++) {
                int expected = Integer.compare(one, other);
                assertEquals(expected, Integer.signum(order[one].compare(order[other])));
            }
        }
        assertTrue(live(1, "\"b\"").compare(live(1, "\"a\"")) > 0);
        assertTrue(live(1, "-1.5").compare(live(1, "1.5")) > 0);
        // UTF-8 has U+10000 behind U+FFFF, UTF-16 before it.
        assertTrue(live(1, "\"\ud800\udc00\"").compare(live(1, "\"\uffff\"")) > 0);
    }

    @Test
    void expiredIsWhatRepairLeavesOfIt() {
        Cell cell = new Cell(5, "1", 10L);
        assertFalse(cell.isSame(live(5, null), 9_999_999, 0));
        assertTrue(cell.isSame(live(5, null), 10_000_000, 0));
        Cell later = new Cell(5, "1", 12L);
        assertTrue(cell.isSame(later, 0, 2_000_000));
        assertFalse(cell.isSame(later, 0, 1_999_999));
        assertFalse(cell.isSame(live(5, "1"), 0, 2_000_000));
    }

    @Test
    void paths() {
        String tag = CellPath.element("tags", "\"a\"");
        assertEquals("tags", CellPath.column(tag));
        assertEquals(CellPath.allElements("tags"), CellPath.deletionOf(tag));
        assertEquals("tags", CellPath.column(CellPath.allElements("tags")));
        assertNull(CellPath.deletionOf(CellPath.allElements("tags")));
        assertEquals("note", CellPath.column("note"));
        assertNull(CellPath.deletionOf("note"));
    }

    @Test
    void eventIdsAreNumbers() {
        assertEquals(new EventId(0, 0xab), EventId.of("+00AB"));
        assertEquals(
                new EventId(-1, 0x0123456789abcdefL),
                EventId.of("ffffffffffffffff0123456789abcdef"));
        for (String none :
                new String[] {"", "+", "-1", "x", "\u0661", "1ffffffffffffffff0123456789abcdef"}) {
            assertNull(EventId.of(none), none);
        }
    }

    @Test
    void timesEndAtTheEnds() {
        assertEquals(Long.MAX_VALUE, Micros.add(Long.MAX_VALUE, 1));
        assertEquals(Long.MIN_VALUE, Micros.add(Long.MIN_VALUE, -1));
        assertEquals(Long.MIN_VALUE, Micros.subtract(Long.MIN_VALUE, 1));
        assertEquals(Long.MAX_VALUE, Micros.subtract(0, Long.MIN_VALUE));
        assertEquals(Long.MIN_VALUE, Micros.multiply(Long.MAX_VALUE, -2));
        assertEquals(3, Micros.subtract(1, -2));
    }
}
