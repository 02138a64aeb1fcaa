package io.cdcagent.flink.drift.machine;

import java.util.TreeSet;

/** What a machine knows: all of it can be written down and taken up again ({@link StateWire}). */
public final class State {
    final Both<Clock> clocks = Both.each(Clock::new);
    final Both<Gaps> gaps = Both.each(Gaps::new);
    final Memory memory = new Memory();
    final EventIds eventIds = new EventIds();

    /** When a version must be decided. */
    final TreeSet<RowTime> due = new TreeSet<>();

    /** Rows about which something holds that may have changed. */
    final TreeSet<RowId> dirty = new TreeSet<>();

    /** All entries of rows, the one that is held longest at the front. */
    final TreeSet<RowTime> held = new TreeSet<>();

    /** The events of all entries. */
    int waiting;

    Long watermarkUs;
    final TreeSet<SilentNode> silent = new TreeSet<>();

    /** The newest watermark when the first heartbeat came. */
    Long firstHeardUs;

    final Counts counts = new Counts();

    public Counts counts() {
        return counts;
    }

    /** Up to where both sides are complete, microseconds; null while that is not known. */
    public Long watermarkUs() {
        return watermarkUs;
    }

    /** Makes what is not written down. */
    void index() {
        memory.partitions.forEach(
                (partition, of) ->
                        of.rows.forEach(
                                (key, row) ->
                                        row.entries.forEach(
                                                (version, entry) -> {
                                                    RowId id = new RowId(partition, key);
                                                    held.add(
                                                            new RowTime(
                                                                    entry.sinceUs, id, version));
                                                    waiting += entry.events.size();
                                                })));
    }

    /** Takes an entry out of its row. */
    void removeEntry(RowId id, Row row, long versionUs) {
        Entry entry = row.entries.remove(versionUs);
        waiting -= entry.events.size();
        held.remove(new RowTime(entry.sinceUs, id, versionUs));
    }

    /** Events that wait for the other side, or differ. */
    public int waiting() {
        return waiting;
    }

    /** Rows that are remembered. */
    public int rows() {
        return memory.size();
    }

    /** Event ids that are remembered. */
    public int eventIds() {
        return eventIds.size();
    }
}
