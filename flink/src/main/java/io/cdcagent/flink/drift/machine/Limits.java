package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.function.Consumer;

/** How much is remembered at most, whatever the watermarks do. */
final class Limits {
    private final Options options;
    private final State state;
    private final Judge judge;

    Limits(Options options, State state, Judge judge) {
        this.options = options;
        this.state = state;
        this.judge = judge;
    }

    /**
     * The side that is so far ahead of the other that it need not be read on: half of what may wait
     * does, and what the other one tells next decides. Null: none.
     */
    Side ahead() {
        if (!isCrowded()) {
            return null;
        }
        for (Side side : Side.values()) {
            Long own = state.clocks.of(side).watermarkUs(options.sides.of(side));
            Long other = state.clocks.of(side.other()).watermarkUs(options.sides.of(side.other()));
            boolean isAhead =
                    own != null
                            && (other == null || Micros.subtract(own, other) > options.delayUs());
            if (isAhead) {
                return side;
            }
        }
        return null;
    }

    /** Whether half of what may wait does. */
    boolean isCrowded() {
        return state.waiting > options.maxWaiting / 2;
    }

    /** Gives up what is too much, the oldest first. */
    void bound(Consumer<Said> out) {
        while (state.waiting > options.maxWaiting && !state.held.isEmpty()) {
            RowTime oldest = state.held.first();
            giveUp(oldest.row, oldest.versionUs, out);
        }
        for (RowId id = state.memory.oldestBeyond(options.maxRows);
                id != null;
                id = state.memory.oldestBeyond(options.maxRows)) {
            for (long versionUs : new ArrayList<>(state.memory.row(id).entries.keySet())) {
                giveUp(id, versionUs, out);
            }
            state.counts.forgotten.rows++;
            state.dirty.remove(id);
            state.memory.forgetOldest();
        }
        forgetIds(Long.MIN_VALUE);
    }

    /** Forgets event ids that are older, or too many. */
    void forgetIds(long beforeUs) {
        state.eventIds.forget(beforeUs, options.maxEventIds, state.counts.forgotten);
    }

    /**
     * Ends the waiting for a version: what the other side has by now is a MATCH, and of the rest
     * nothing can be said.
     */
    private void giveUp(RowId id, long versionUs, Consumer<Said> out) {
        Row row = state.memory.row(id);
        Entry entry = row.entries.get(versionUs);
        Long nowUs = state.watermarkUs;
        Found found =
                judge.look(id, row, entry, Long.MAX_VALUE, nowUs == null ? Long.MIN_VALUE : nowUs);
        found.explain(Reason.FULL);
        Status said = found.explained.isEmpty() ? Status.MATCH : Status.INCOMPARABLE;
        // What was said of it goes on to hold, as far as anybody knows.
        boolean isSaid = entry.open == null && !(said == Status.MATCH && found.isBeforeStart);
        Verdict verdict = isSaid ? found.verdict(id.key, versionUs, said, entry, nowUs) : null;
        if (found.isBeforeStart) {
            state.counts.beforeStart++;
        }
        if (said == Status.INCOMPARABLE) {
            state.counts.forgotten.undecided++;
        }
        remove(id, row, entry, versionUs);
        if (verdict != null) {
            judge.say(id, row, verdict, out);
        }
    }

    /** Takes an entry out, with the times at which it would have been looked at. */
    private void remove(RowId id, Row row, Entry entry, long versionUs) {
        state.removeEntry(id, row, versionUs);
        for (Waiting event : entry.events) {
            state.due.remove(new RowTime(event.dueUs, id, versionUs));
            for (PathCell written : event.content.cells) {
                Long expiresUs = written.cell.expiresUs();
                if (expiresUs != null) {
                    state.due.remove(new RowTime(expiresUs, id, versionUs));
                }
            }
        }
    }
}
