package io.cdcagent.flink.drift.machine;

import java.util.function.Consumer;

/**
 * The state machine of one table, or of the partition keys of a shard of it: inputs to verdicts.
 * Neither I/O nor a clock: time is what watermarks say. It is the machine of `src/jobs/drift/`, and
 * says the same of the same inputs.
 */
public final class Machine {
    private final Options options;
    private final State state;
    private final Judge judge;
    private final Limits limits;

    /** Tells of silent nodes; null where another machine does. */
    private final Silence silence;

    /**
     * One that knows what `state` says, and changes it. Of several machines of a table one tells of
     * nodes that are silent: they all hear the same heartbeats.
     */
    public Machine(Options options, State state, boolean tellsSilence) {
        this.options = options;
        this.state = state;
        this.judge = new Judge(options, state);
        this.limits = new Limits(options, state, judge);
        this.silence = tellsSilence ? new Silence(options, state, limits) : null;
    }

    /** Takes an input; `out` is given what comes of it. */
    public void take(Input input, Consumer<Said> out) {
        if (input instanceof RowEvent) {
            boolean wasCrowded = limits.isCrowded();
            take((RowEvent) input);
            limits.bound(out);
            // Whoever is ahead may not be read any more then, and no heartbeat come.
            if (silence != null && !wasCrowded && limits.isCrowded()) {
                silence.listen(out);
            }
        } else if (input instanceof Heartbeat) {
            Side side = input.side;
            state.clocks.of(side).hear(options.sides.of(side), (Heartbeat) input);
            advance(out);
        } else if (input instanceof Beginning) {
            state.clocks.of(input.side).begins((Beginning) input);
        } else {
            take((GapNotice) input);
        }
    }

    private void take(RowEvent told) {
        RowEvent event = told;
        if (!event.isRead()) {
            String partitionKey = event.key.partition;
            String eventId = event.told.eventId;
            if (state.eventIds.isRepeat(partitionKey, eventId, event.side, event.loggedUs)) {
                state.counts.repeats++;
                return;
            }
            state.counts.events++;
        }
        RowId id = event.key.id();
        Row row = state.memory.touch(event);
        if (event.content.isUnversioned()) {
            state.counts.unversioned++;
            // It changes a part of what this side has told of the row.
            Long newestUs = row.newestUs(event.side);
            event = newestUs == null ? event : event.ofVersion(newestUs);
        }
        row.take(event);
        if (row.isOpen()) {
            state.dirty.add(id);
        }
        if (!event.isRead()) {
            await(event, id, row);
        }
        if (event.content.range != null) {
            deleteRange(event);
        }
    }

    /** Remembers that the other side must have this event one day. */
    private void await(RowEvent event, RowId id, Row row) {
        long dueUs = Micros.add(event.loggedUs, options.delayUs());
        Entry entry = row.entries.computeIfAbsent(event.versionUs, version -> new Entry());
        if (entry.events.isEmpty() && entry.open == null) {
            entry.sinceUs = dueUs;
            state.held.add(new RowTime(dueUs, id, event.versionUs));
        }
        entry.firstSeenUs = Micros.firstOf(entry.firstSeenUs, event.loggedUs);
        entry.told.set(event.side, event.told);
        Long toldUs = state.clocks.of(event.side).toldUs(event.hostId, event.partition);
        Window window = window(toldUs, event.versionUs, dueUs);
        entry.events.add(new Waiting(event.side, event.told.eventId, event.content, dueUs, window));
        state.waiting++;
        state.due.add(new RowTime(dueUs, id, event.versionUs));
    }

    /** When the other side can have logged an event that was logged after `toldUs`. */
    private Window window(Long toldUs, long versionUs, long dueUs) {
        long fromUs = toldUs == null ? Long.MIN_VALUE : toldUs;
        if (options.oldIsIncomparable) {
            fromUs = Math.min(fromUs, versionUs);
        }
        return new Window(Micros.subtract(fromUs, options.delayUs()), dueUs);
    }

    private void deleteRange(RowEvent event) {
        Partition partition = state.memory.partitions.get(event.key.partition);
        if (!partition.deleteRange(event.side, event.content.range, options.clustering)) {
            state.counts.forgotten.ranges++;
        }
        partition.addOpen(event.key.partition, state.dirty);
    }

    private void take(GapNotice notice) {
        Long before = state.clocks.of(notice.side).completeBeforeUs(notice.hostId, notice.tsMs);
        long beforeUs = before == null ? Long.MIN_VALUE : before;
        long saidUs = Micros.multiply(notice.tsMs, 1000);
        Gaps gaps = state.gaps.of(notice.side);
        switch (notice.kind) {
            case OFF:
                gaps.add(gap(notice, beforeUs, Long.MAX_VALUE, notice.kind));
                break;
            case ON:
                if (!gaps.end(notice.hostId, saidUs)) {
                    // Of what was before its beginning nothing was heard either.
                    gaps.add(gap(notice, Long.MIN_VALUE, saidUs, GapKind.LOST));
                }
                break;
            case TRUNCATED:
                gaps.add(gap(notice, Long.MIN_VALUE, saidUs, notice.kind));
                break;
            default:
                gaps.add(gap(notice, beforeUs, saidUs, notice.kind));
        }
        state.memory.partitions.forEach((key, partition) -> partition.addOpen(key, state.dirty));
    }

    private static Gap gap(GapNotice notice, long fromUs, long toUs, GapKind kind) {
        return new Gap(notice.hostId, fromUs, toUs, kind, notice.row);
    }

    /** The smaller watermark of both sides decides. */
    private void advance(Consumer<Said> out) {
        Long onprem = watermarkUs(Side.ONPREM);
        Long cloud = watermarkUs(Side.CLOUD);
        if (onprem != null && cloud != null) {
            long nowUs = Math.min(onprem, cloud);
            // A node that was not heard of before may set it back: what was decided stays.
            if (Micros.compare(nowUs, state.watermarkUs) > 0) {
                state.watermarkUs = nowUs;
                judge.decide(nowUs, out);
                long beforeUs = Micros.subtract(nowUs, options.retentionUs);
                state.memory.forget(beforeUs, nowUs);
                limits.forgetIds(beforeUs);
            }
        }
        if (silence != null) {
            silence.listen(out);
        }
    }

    private Long watermarkUs(Side side) {
        return state.clocks.of(side).watermarkUs(options.sides.of(side));
    }
}
