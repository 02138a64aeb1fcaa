package io.cdcagent.flink.drift.machine;

import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;

/** Decides about versions whose time has come. */
final class Judge {
    private final Options options;
    private final State state;
    private final Announcer announcer;

    Judge(Options options, State state) {
        this.options = options;
        this.state = state;
        this.announcer = new Announcer(options, state);
    }

    /** Decides what is due at this time, and looks again at what may have changed. */
    void decide(long nowUs, Consumer<Said> out) {
        // By row, then by version.
        TreeSet<RowTime> versions = new TreeSet<>();
        while (!state.due.isEmpty() && state.due.first().us <= nowUs) {
            RowTime due = state.due.pollFirst();
            versions.add(new RowTime(0, due.row, due.versionUs));
        }
        for (RowId id : state.dirty) {
            Row row = state.memory.row(id);
            if (row != null) {
                row.entries.forEach(
                        (versionUs, entry) -> {
                            if (entry.open != null) {
                                versions.add(new RowTime(0, id, versionUs));
                            }
                        });
            }
        }
        state.dirty.clear();
        for (RowTime version : versions) {
            judge(version.row, version.versionUs, nowUs, out);
        }
    }

    private void judge(RowId id, long versionUs, long nowUs, Consumer<Said> out) {
        Row row = state.memory.row(id);
        Entry entry = row == null ? null : row.entries.get(versionUs);
        if (entry == null) {
            return;
        }
        Found found = look(id, row, entry, nowUs, nowUs);
        Status status = found.status(row, versionUs);
        Status said = said(status, entry.open, found);
        if (found.isBeforeStart) {
            state.counts.beforeStart++;
        }
        if (found.nextUs != null) {
            state.due.add(new RowTime(found.nextUs, id, versionUs));
        }
        Verdict verdict =
                said == null ? null : found.verdict(id.key, versionUs, said, entry, nowUs);
        settle(id, row, versionUs, status, found);
        if (verdict != null) {
            say(id, row, verdict, out);
        }
    }

    void say(RowId id, Row row, Verdict verdict, Consumer<Said> out) {
        announcer.say(id, row, verdict, this, out);
    }

    private static Status said(Status status, Status before, Found found) {
        if (status != null) {
            return status == before ? null : status;
        }
        // What is not due may still change it: nothing is said twice.
        if (found.isWaiting) {
            return null;
        }
        if (before != null) {
            return Status.RESOLVED;
        }
        return found.isBeforeStart ? null : Status.MATCH;
    }

    /**
     * Looks at the events that are due by then, or were when this version was last looked at;
     * `nowUs` decides what has expired.
     */
    Found look(RowId id, Row row, Entry entry, long dueToUs, long nowUs) {
        Found found = new Found();
        for (Waiting event : entry.events) {
            if (event.dueUs > dueToUs) {
                found.isWaiting = true;
                found.left.add(event);
                continue;
            }
            SortedSet<String> lacking = lacking(id, row, event, nowUs);
            if (lacking.isEmpty()) {
                continue;
            }
            Side side = event.side.other();
            if (isBeforeStart(side, event)) {
                found.isBeforeStart = true;
                continue;
            }
            found.left.add(event);
            for (PathCell written : event.content.cells) {
                Long expiresUs = written.cell.expiresUs();
                if (expiresUs != null && expiresUs > nowUs) {
                    found.nextUs = Micros.firstOf(found.nextUs, expiresUs);
                }
            }
            Reason reason = explained(id, row, entry, event);
            if (reason == null) {
                found.lacking.of(side).addAll(lacking);
                continue;
            }
            found.explained.addAll(lacking);
            if (found.reasons.of(event.side) == null) {
                found.reasons.set(event.side, reason);
            }
        }
        return found;
    }

    /** The columns of an event that the other side lacks. */
    private SortedSet<String> lacking(RowId id, Row row, Waiting event, long nowUs) {
        Side side = event.side.other();
        Long opaqueUs = event.content.opaqueUs;
        boolean isSameWrite = options.mode == Mode.EVENT_ID || opaqueUs != null;
        if (isSameWrite && state.eventIds.isKnown(id.partition, event.eventId, side)) {
            return new TreeSet<>();
        }
        List<RangeDeletion> ranges = state.memory.partitions.get(id.partition).ranges.of(side);
        Around around =
                new Around(ranges, row.clustering, options.clustering, nowUs, options.toleranceUs);
        SideRow held = row.sides.of(side);
        SortedSet<String> lacking = held.lacks(event.content, around);
        if (opaqueUs != null && !isHidden(event, row, held, around)) {
            lacking.add(SideRow.ROW);
        }
        return lacking;
    }

    private static boolean isHidden(Waiting event, Row row, SideRow held, Around around) {
        // When it came its own side had told of no whole row: one that did since has taken its
        // place.
        return event.content.isUnversioned()
                ? row.sides.of(event.side).isWhole()
                : held.hides(event.content.opaqueUs, around);
    }

    private boolean isBeforeStart(Side side, Waiting event) {
        Clock clock = state.clocks.of(side);
        // What was logged before the table was there is of an older one of that name, which that
        // side may have had, too.
        Long createdUs = clock.createdUs();
        boolean isOlder = createdUs != null && event.dueUs < Micros.add(createdUs, options.graceUs);
        return isOlder || clock.beganBehind(event.window.fromUs);
    }

    /** Why it cannot be known whether the other side should hold an event; null when it can. */
    private Reason explained(RowId id, Row row, Entry entry, Waiting event) {
        Side side = event.side.other();
        String one = hashDef(entry, Side.ONPREM);
        String other = hashDef(entry, Side.CLOUD);
        if (one != null && other != null && !one.equals(other)) {
            return Reason.HASH_DEFINITION;
        }
        Gap missed = state.gaps.of(side).touching(event.window, id);
        if (missed != null) {
            return new Reason.InGap(side, missed);
        }
        Gap untrue = state.gaps.of(event.side).forgetting(event.window, id);
        if (untrue != null) {
            return new Reason.InGap(event.side, untrue);
        }
        long fromUs = event.window.fromUs;
        if (Micros.compare(state.memory.forgottenToUs, fromUs) >= 0 && row.sinceUs > fromUs) {
            return Reason.FORGOTTEN;
        }
        Long opaqueUs = event.content.opaqueUs;
        boolean isPartial =
                event.content.isUnversioned()
                        || (opaqueUs != null && Micros.compare(row.newestUs(side), opaqueUs) >= 0);
        return isPartial ? Reason.PARTIAL : null;
    }

    private static String hashDef(Entry entry, Side side) {
        Told told = entry.told.of(side);
        return told == null ? null : told.hashDef;
    }

    /** Takes what was found into the row. */
    private void settle(RowId id, Row row, long versionUs, Status status, Found found) {
        Entry entry = row.entries.get(versionUs);
        state.waiting -= entry.events.size() - found.left.size();
        entry.events = found.left;
        if (status != null) {
            entry.open = status;
        } else if (!found.isWaiting) {
            state.removeEntry(id, row, versionUs);
        }
    }
}
