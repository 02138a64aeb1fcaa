package io.cdcagent.flink.drift.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Single situations that random histories seldom have, as in src/jobs/drift/scenarios.rs. */
class ScenariosTest {
    private World world = new World();

    @Test
    void whatIsOlderThanTheStreamOfASideIsNoVerdict() {
        world.beat(100);
        world.write(110, 1, null);
        assertEquals(List.of(), world.beat(200));
        assertEquals(1, world.state.counts().beforeStart());
        world.write(230, 1, null);
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(300));
    }

    /** Of a table whose creation stands in the streams of both sides nothing is older. */
    @Test
    void whatIsWrittenRightAfterATableWasCreatedIsMissed() {
        for (Side side : Side.values()) {
            world.take(new Beginning(side, 0, side.word(), 90 * World.SECOND));
        }
        world.write(91, 1, null);
        assertEquals(List.of(), world.beat(100));
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(200));
        assertEquals(0, world.state.counts().beforeStart());
    }

    /** The agent may know of a table before it reads the creation. */
    @Test
    void aCreationThatIsReadOfAfterTheFirstHeartbeatCounts() {
        world.beat(88);
        world.take(new Beginning(Side.CLOUD, 0, Side.CLOUD.word(), 90 * World.SECOND));
        world.write(91, 1, null);
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(200));
        assertEquals(0, world.state.counts().beforeStart());
    }

    /** What was logged of an older table of that name, the other side may have had, too. */
    @Test
    void whatIsOlderThanTheTableIsNoVerdict() {
        for (Side side : Side.values()) {
            world.take(new Beginning(side, 0, side.word(), 90 * World.SECOND));
        }
        world.write(10, 1, null);
        world.write(90, 2, null);
        world.beat(100);
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(200));
        assertEquals(1, world.state.counts().beforeStart());
    }

    /** Heartbeats that are older than the table are of another one of that name. */
    @Test
    void aTableThatIsMadeAnewBeginsNothing() {
        world.beat(74);
        for (Side side : Side.values()) {
            world.take(new Beginning(side, 0, side.word(), 90 * World.SECOND));
        }
        world.write(91, 1, null);
        assertEquals(List.of(), world.beat(200));
        assertEquals(1, world.state.counts().beforeStart());
    }

    @Test
    void whatHasExpiredIsMissedNoMore() {
        world.beat(100);
        world.beat(200);
        world.write(201, 1, 400L);
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(300));
        assertEquals(List.of(), world.beat(399));
        assertEquals(List.of(Status.RESOLVED), world.beat(400));
    }

    /**
     * An INSERT that one side lost, and on both sides an UPDATE of every column, then of nulls:
     * SELECT shows a row on one side.
     */
    @Test
    void aRowThatIsThereOnOneSideAloneIsMissing() {
        world.beat(100);
        world.beat(200);
        world.columns(Side.CLOUD, 201, true, "1");
        for (Side side : Side.values()) {
            world.columns(side, 203, false, "2");
            world.columns(side, 205, false, null);
        }
        assertEquals(List.of(Status.MISSING_ONPREM, Status.MATCH, Status.MATCH), world.beat(300));
        for (Side side : Side.values()) {
            world.columns(side, 301, true, "3");
        }
        assertEquals(List.of(Status.RESOLVED, Status.MATCH), world.beat(400));
    }

    private void gap(Side side, GapKind kind) {
        world.take(new GapNotice(side, side.word(), 250_000, kind));
    }

    @Test
    void aGapThatIsToldOfLateChangesVerdicts() {
        world.beat(100);
        world.beat(200);
        world.write(201, 1, null);
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(300));
        gap(Side.ONPREM, GapKind.LOST);
        assertEquals(List.of(), world.beat(301), "cloud's log is whole");
        gap(Side.CLOUD, GapKind.LOST);
        assertEquals(List.of(Status.INCOMPARABLE), world.beat(302));
    }

    @Test
    void ofSeveralReasonsTheOneThatIsToldDoesNotDependOnWhatIsReadFirst() {
        List<String> told = new ArrayList<>();
        for (boolean isOther : List.of(false, true)) {
            world = new World();
            world.beat(100);
            world.beat(200);
            List<Side> sides = inOrder(isOther, Side.ONPREM, Side.CLOUD);
            sides.forEach(side -> world.unversioned(side, 201, side.word()));
            for (Side side : sides) {
                inOrder(isOther, GapKind.LOST, GapKind.TRUNCATED).forEach(kind -> gap(side, kind));
            }
            sides.forEach(side -> world.beat(side, 0, 300));
            told.add(world.told());
            assertEquals(List.of(Status.INCOMPARABLE), world.said());
        }
        assertEquals(told.get(0), told.get(1));
        assertTrue(told.get(0).contains("\"reason\":\"truncated\""), told.get(0));
        assertTrue(told.get(0).contains("\"side\":\"cloud\""), told.get(0));
    }

    private static <T> List<T> inOrder(boolean isOther, T one, T two) {
        return isOther ? List.of(two, one) : List.of(one, two);
    }

    @Test
    void aTruncationOfOneSideTakesAwayWhatCanBeSaidOfBefore() {
        world.beat(100);
        world.beat(200);
        world.write(201, 1, null);
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(240));
        gap(Side.ONPREM, GapKind.TRUNCATED);
        for (Side side : Side.values()) {
            world.beat(side, 0, 260);
        }
        assertTrue(world.told().contains("\"reason\":\"truncated\",\"gap\":{\"side\":\"onprem\""));
        assertEquals(List.of(Status.INCOMPARABLE), world.said());
        assertEquals(List.of(), world.beat(280));
        world.write(281, 1, null);
        assertEquals(List.of(Status.MISSING_CLOUD), world.beat(340), "it was written after it");
    }

    @Test
    void anUpdateWithoutItsVersionIsNoAlarm() {
        world.beat(100);
        world.beat(200);
        world.unversioned(Side.ONPREM, 201, "1");
        world.unversioned(Side.ONPREM, 202, "2");
        world.unversioned(Side.CLOUD, 203, "2");
        assertEquals(3, world.state.counts().unversioned());
        assertEquals(List.of(Status.INCOMPARABLE, Status.MATCH, Status.MATCH), world.beat(300));
        for (Side side : Side.values()) {
            world.whole(side, 301, 290 * World.SECOND);
        }
        assertEquals(List.of(Status.RESOLVED, Status.MATCH), world.beat(400));
        world.unversioned(Side.CLOUD, 401, "3");
        assertEquals(List.of(Status.INCOMPARABLE), world.beat(500));
        Verdict last = world.current.get(world.current.size() - 1);
        assertEquals(290 * World.SECOND, last.versionUs, "a part of that version");
        for (Side side : Side.values()) {
            world.whole(side, 501, 490 * World.SECOND);
        }
        assertEquals(List.of(Status.RESOLVED, Status.MATCH), world.beat(600));
        assertNull(world.current.get(world.current.size() - 1));
    }

    @Test
    void aVersionThatIsResolvedLeavesTheOtherOneStanding() {
        world.beat(100);
        world.beat(200);
        world.write(Side.ONPREM, 276, 2, null);
        world.write(Side.ONPREM, 277, 2, 400L);
        assertEquals(List.of(Status.MISSING_CLOUD, Status.MISSING_CLOUD), world.beat(300));
        world.current.clear();
        // The newer one expires, and is what stood for the row.
        assertEquals(List.of(Status.RESOLVED), world.beat(400));
        assertEquals(1, world.current.size());
        assertEquals(276 * World.SECOND, world.current.get(0).versionUs);
    }

    @Test
    void aPartitionThatIsReadLaterIsNotSilent() {
        for (long second = 0; second <= 5000; second += 500) {
            world.beat(Side.ONPREM, 0, second);
            world.beat(Side.CLOUD, 0, second);
        }
        world.beat(Side.CLOUD, 1, 0);
        assertEquals(List.of(), world.said());
        world.beat(Side.CLOUD, 0, 6100);
        assertEquals(List.of(Status.UNKNOWN), world.said(), "on-prem is");
    }

    @Test
    void timeWaitsForEveryPartitionThatHeartbeatsTellOf() {
        world.beat(100);
        world.beat(Side.CLOUD, 2, 100);
        world.beat(200);
        assertEquals(100 * World.SECOND, world.state.watermarkUs());
        world.beat(Side.CLOUD, 1, 150);
        world.beat(Side.CLOUD, 2, 160);
        assertEquals(150 * World.SECOND, world.state.watermarkUs());
    }

    @Test
    void whatIsRememberedHasBounds() {
        world = new World(Mode.MERGE, 2, 3, 100);
        world.beat(100);
        world.beat(200);
        for (long row = 1; row <= 5; row++) {
            world.write(200 + row, row, null);
        }
        assertEquals(2, world.state.rows());
        assertEquals(3, world.state.eventIds());
        assertEquals(3, world.state.counts().forgotten().rows());
        assertEquals(3, world.state.counts().forgotten().undecided());
        assertEquals(2, world.state.counts().forgotten().eventIds());
        assertEquals(
                List.of(Status.INCOMPARABLE, Status.INCOMPARABLE, Status.INCOMPARABLE),
                world.said());
    }

    @Test
    void whatIsDecidedIsForgottenAfterTheRetention() {
        world.beat(100);
        world.write(110, 1, null);
        world.beat(110 + 86_400);
        assertEquals(1, world.state.rows());
        world.beat(111 + 86_400);
        assertEquals(0, world.state.eventIds());
        assertTrue(world.state.memory.partitions.isEmpty());
    }

    @Test
    void whatWaitsForASilentSideHasABound() {
        world = new World(Mode.MERGE, 100, 1000, 6);
        world.beat(100);
        world.beat(200);
        for (long second = 300; second < 400; second++) {
            world.beat(Side.ONPREM, 0, second);
            world.write(second, 1, null);
            assertTrue(world.state.waiting() <= 6);
        }
        assertTrue(world.told().contains("\"reason\":\"full\""), world.told());
        List<Status> said = world.said();
        assertEquals(Status.UNKNOWN, said.get(0));
        assertEquals(94, said.stream().filter(Status.INCOMPARABLE::equals).count());
        assertEquals(95, said.size());
        assertEquals(94, world.state.counts().forgotten().undecided());
        for (long second = 300; second < 400; second++) {
            world.write(Side.CLOUD, second, 1, null);
        }
        // What comes in the end is compared, and nothing more is wrong with the row.
        assertNull(world.current.get(world.current.size() - 1));
        assertTrue(world.said().stream().allMatch(Status.MATCH::equals));
        List<Status> last = world.beat(500);
        assertEquals(Status.RESOLVED, last.get(last.size() - 1), "cloud is heard");
        assertEquals(1, last.stream().filter(status -> status != Status.MATCH).count());
        assertEquals(0, world.state.waiting());
        assertTrue(world.state.due.isEmpty() && world.state.held.isEmpty());
    }

    /**
     * A record that nobody's agent wrote, with the id of an event of another partition: that one is
     * judged all the same, whichever came first. The two may be in two machines.
     */
    @Test
    void anIdOfAnotherPartitionIsNoRepeat() {
        for (Mode mode : Mode.values()) {
            world = new World(mode, 100, 100, 100);
            world.beat(100);
            world.beat(200);
            world.named(Side.ONPREM, 230, 1, "ab");
            world.named(Side.ONPREM, 230, 2, "ab");
            world.named(Side.ONPREM, 231, 2, "ab");
            world.named(Side.CLOUD, 230, 1, "ab");
            assertEquals(1, world.state.counts().repeats());
            assertEquals(List.of(Status.MATCH, Status.MISSING_CLOUD), world.beat(300));
        }
    }

    /** A state that an earlier build made knows ids without their partitions. */
    @Test
    void idsOfAnEarlierBuildAreKnown() {
        world = new World(Mode.EVENT_ID, 100, 100, 100);
        world.beat(100);
        world.beat(200);
        world.state.eventIds.seen.put(EventId.of("ab"), new EventIds.Seen(100 * World.SECOND, 1));
        world.named(Side.ONPREM, 230, 1, "ab");
        assertEquals(1, world.state.counts().repeats());
        world.named(Side.CLOUD, 230, 1, "ab");
        assertEquals(List.of(Status.MATCH), world.beat(300));
    }
}
