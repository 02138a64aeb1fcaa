package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.List;

/** A machine with one node a side, and what was said; as in src/jobs/drift/scenarios.rs. */
final class World {
    static final long SECOND = 1_000_000;

    final State state;
    private final Machine machine;

    /** Verdicts of rows and of the job. */
    private final List<Verdict> audit = new ArrayList<>();

    /** What holds: null when nothing is wrong any more. */
    final List<Verdict> current = new ArrayList<>();

    World() {
        this(Mode.MERGE, 100, 100, 100);
    }

    /** One that goes on from a state. */
    World(State state) {
        this(state, Mode.MERGE, 100, 100, 100);
    }

    World(Mode mode, int rows, int eventIds, int waiting) {
        this(new State(), mode, rows, eventIds, waiting);
    }

    private World(State state, Mode mode, int rows, int eventIds, int waiting) {
        this.state = state;
        SideOptions side = new SideOptions(null, 1);
        Options options =
                new Options(mode, new Both<>(side, side), List.of())
                        .times(10 * SECOND, 10 * SECOND, 1000 * SECOND, 86_400 * SECOND)
                        .most(rows, eventIds, waiting)
                        .oldIsIncomparable(true)
                        .writesMatches(true);
        machine = new Machine(options, state, true);
    }

    void take(Input input) {
        machine.take(input, said -> (said.isCurrent() ? current : audit).add(said.verdict()));
    }

    /** What was said since this was asked last. */
    List<Status> said() {
        List<Status> found = new ArrayList<>();
        audit.forEach(verdict -> found.add(verdict.status));
        audit.clear();
        return found;
    }

    /** Evidence of what was said last. */
    String told() {
        return audit.get(audit.size() - 1).toJson("t");
    }

    void beat(Side side, int partition, long second) {
        take(new Heartbeat(side, partition, side.word(), second * SECOND, second * 1000));
    }

    /** Both sides are complete up to this second. */
    List<Status> beat(long second) {
        for (Side side : Side.values()) {
            beat(side, 0, second);
        }
        return said();
    }

    private static RowKey key(long row) {
        String key = "{\"id\":" + row + "}";
        return new RowKey(key, key, null);
    }

    /** A side writes a cell of a row at this second. */
    void write(Side side, long second, long row, Long expiresAt) {
        Cell cell = new Cell(second * SECOND, "1", expiresAt);
        Content content = Content.cells(List.of(new PathCell("a", cell)), false, null);
        String id = Long.toHexString(second * 1000 + row);
        event(side, second, row, second * SECOND, id, content);
    }

    /** On-prem alone writes a cell of a row at this second. */
    void write(long second, long row, Long expiresAt) {
        write(Side.ONPREM, second, row, expiresAt);
    }

    /**
     * A side writes the one column that there is, with or without the row's liveness, at this
     * second.
     */
    void columns(Side side, long second, boolean isInsert, String value) {
        long us = second * SECOND;
        List<PathCell> cells = new ArrayList<>();
        cells.add(new PathCell("a", new Cell(us, value, null)));
        if (isInsert) {
            cells.add(new PathCell(CellPath.LIVENESS, new Cell(us, "true", null)));
        }
        Content content = Content.cells(cells, true, null);
        event(side, second, 1, us, Long.toHexString(second), content);
    }

    /** A hash event of a whole row. */
    void whole(Side side, long second, long versionUs) {
        Cell cell = new Cell(versionUs, "\"h\"", null);
        Content content = Content.cells(List.of(new PathCell("(row)", cell)), true, null);
        event(side, second, 1, versionUs, Long.toHexString(second * 2 + side.ordinal()), content);
    }

    /** A side writes a cell of a row at this second, in an event of this id. */
    void named(Side side, long second, long row, String eventId) {
        Cell cell = new Cell(second * SECOND, "1", null);
        Content content = Content.cells(List.of(new PathCell("a", cell)), false, null);
        event(side, second, row, second * SECOND, eventId, content);
    }

    /** A hash event that does not say which version of its row it belongs to. */
    void unversioned(Side side, long second, String eventId) {
        Content content = Content.cells(List.of(), false, Content.UNVERSIONED);
        event(side, second, 1, second * SECOND, eventId, content);
    }

    private void event(
            Side side, long second, long row, long versionUs, String eventId, Content content) {
        Told told = new Told(eventId, "u", null, null, new Place("t", 0, 0, null, null));
        long us = second * SECOND;
        take(new RowEvent(side, 0, side.word(), key(row), versionUs, us, content, told));
    }
}
