package io.cdcagent.flink.drift.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Single situations that random histories seldom have, as in src/jobs/drift/scenarios.rs. */
class ScenariosTest {
    private static final long SECOND = 1_000_000;

    private final State state = new State();
    private Machine machine = machine(100, 100);

    private Machine machine(int rows, int eventIds) {
        SideOptions side = new SideOptions(null, 1);
        Options options =
                new Options(Mode.MERGE, new Both<>(side, side), List.of())
                        .times(10 * SECOND, 10 * SECOND, 1000 * SECOND, 86_400 * SECOND)
                        .most(rows, eventIds)
                        .oldIsIncomparable(true)
                        .writesMatches(true);
        return new Machine(options, state, true);
    }

    /** Both sides are complete up to this second. */
    private List<Status> beat(long second) {
        List<Status> found = new ArrayList<>();
        for (Side side : Side.values()) {
            machine.take(
                    new Heartbeat(side, 0, side.word(), second * SECOND, second * 1000),
                    said -> {
                        if (!said.isCurrent()) {
                            found.add(said.verdict().status());
                        }
                    });
        }
        return found;
    }

    /** On-prem alone writes a cell of a row at this second. */
    private void write(long second, long row, Long expiresAt) {
        String key = "{\"id\":" + row + "}";
        Cell cell = new Cell(second * SECOND, "1", expiresAt);
        Content content = Content.cells(List.of(new PathCell("a", cell)), false, null);
        String id = Long.toHexString(second);
        Told told = new Told(id, "u", null, null, new Place("t", 0, 0, null, null));
        long us = second * SECOND;
        machine.take(
                new RowEvent(
                        Side.ONPREM,
                        0,
                        "onprem",
                        new RowKey(key, key, null),
                        us,
                        us,
                        content,
                        told),
                said -> {
                    throw new AssertionError("an event decides nothing");
                });
    }

    @Test
    void whatIsOlderThanTheStreamOfASideIsNoVerdict() {
        beat(100);
        write(110, 1, null);
        assertEquals(List.of(), beat(200));
        assertEquals(1, state.counts().beforeStart());
        write(230, 1, null);
        assertEquals(List.of(Status.MISSING_CLOUD), beat(300));
    }

    @Test
    void whatHasExpiredIsMissedNoMore() {
        beat(100);
        beat(200);
        write(201, 1, 400L);
        assertEquals(List.of(Status.MISSING_CLOUD), beat(300));
        assertEquals(List.of(), beat(399));
        assertEquals(List.of(Status.RESOLVED), beat(400));
    }

    @Test
    void aGapThatIsToldOfLateChangesVerdicts() {
        beat(100);
        beat(200);
        write(201, 1, null);
        assertEquals(List.of(Status.MISSING_CLOUD), beat(300));
        gap(Side.ONPREM);
        assertEquals(List.of(), beat(301), "cloud's log is whole");
        gap(Side.CLOUD);
        assertEquals(List.of(Status.INCOMPARABLE), beat(302));
    }

    private void gap(Side side) {
        machine.take(new GapNotice(side, side.word(), 250_000, GapKind.LOST), said -> {});
    }

    @Test
    void whatIsRememberedHasBounds() {
        machine = machine(2, 3);
        beat(100);
        for (long row = 1; row <= 5; row++) {
            write(100 + row, row, null);
        }
        assertEquals(5, state.rows());
        beat(110);
        assertEquals(2, state.rows());
        assertEquals(3, state.eventIds());
        assertEquals(3, state.counts().forgotten().rows());
        assertEquals(3, state.counts().forgotten().undecided());
        assertEquals(2, state.counts().forgotten().eventIds());
        beat(100 + 2 * 86_400);
        beat(100 + 4 * 86_400);
        assertEquals(0, state.eventIds());
        assertTrue(state.memory.partitions.isEmpty(), "after the retention");
    }
}
