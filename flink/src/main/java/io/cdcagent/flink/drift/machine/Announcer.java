package io.cdcagent.flink.drift.machine;

import java.util.Map;
import java.util.function.Consumer;

/** What is said: to the audit trail, and to the compacted topic of what holds. */
final class Announcer {
    private final Options options;
    private final State state;

    Announcer(Options options, State state) {
        this.options = options;
        this.state = state;
    }

    void say(RowId id, Row row, Verdict verdict, Judge judge, Consumer<Said> out) {
        state.counts.add(verdict.status);
        if (verdict.status != Status.MATCH || options.writesMatches) {
            out.accept(Said.verdict(verdict));
        }
        boolean isResolved = verdict.status == Status.RESOLVED;
        if (verdict.status != Status.MATCH && !isResolved) {
            row.shown = verdict.versionUs;
            out.accept(Said.current(id.key, verdict));
        } else if (!row.isOpen()) {
            if (row.shown != null || isResolved) {
                row.shown = null;
                out.accept(Said.current(id.key, null));
            }
        } else if (isResolved && (row.shown == null || row.shown.equals(verdict.versionUs))) {
            showAnother(id, row, verdict.decidedUs, judge, out);
        }
    }

    /**
     * The verdict that stood for a row holds no more: the newest version of which one does stands
     * for it from now on.
     */
    private void showAnother(RowId id, Row row, Long decidedUs, Judge judge, Consumer<Said> out) {
        long nowUs = decidedUs == null ? Long.MIN_VALUE : decidedUs;
        for (Map.Entry<Long, Entry> open : row.entries.descendingMap().entrySet()) {
            if (open.getValue().open == null) {
                continue;
            }
            Found found = judge.look(id, row, open.getValue(), nowUs, nowUs);
            Status status = found.status(row, open.getKey());
            // One that holds no more is about to be said to be over.
            if (status != null) {
                row.shown = open.getKey();
                Verdict verdict =
                        found.verdict(id.key, open.getKey(), status, open.getValue(), decidedUs);
                out.accept(Said.current(id.key, verdict));
                return;
            }
        }
    }
}
