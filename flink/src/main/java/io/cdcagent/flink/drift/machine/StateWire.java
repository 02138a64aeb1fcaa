package io.cdcagent.flink.drift.machine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** The state of a machine as bytes; the first says in which form. */
public final class StateWire {
    /** Of the form that is written. */
    private static final int VERSION = 3;

    /** One without partitions that have all that was ever logged. */
    private static final int SECOND = 2;

    /** One without rows of gaps, what is shown of a row, and since when an entry is there. */
    private static final int FIRST = 1;

    private StateWire() {}

    public static void write(State state, DataOutput out) throws IOException {
        out.writeInt(VERSION);
        Wire.number(state.watermarkUs, out);
        Wire.number(state.firstHeardUs, out);
        for (Side side : Side.values()) {
            clock(state.clocks.of(side), out);
            Wire.list(state.gaps.of(side).all, StateWire::gap, out);
        }
        MemoryWire.write(state.memory, out);
        eventIds(state.eventIds, out);
        Wire.list(state.due, StateWire::rowTime, out);
        Wire.list(state.dirty, StateWire::rowId, out);
        Wire.list(state.silent, StateWire::silentNode, out);
        counts(state.counts, out);
        out.writeLong(state.counts.unversioned);
    }

    public static State read(DataInput in) throws IOException {
        int version = in.readInt();
        if (version < FIRST || version > VERSION) {
            throw new IOException("a state of version " + version + " of a drift machine");
        }
        State state = new State();
        state.watermarkUs = Wire.number(in);
        state.firstHeardUs = Wire.number(in);
        for (Side side : Side.values()) {
            clock(state.clocks.of(side), in, version);
            state.gaps.of(side).all.addAll(Wire.list(from -> gap(from, version), in));
        }
        MemoryWire.read(state.memory, in, version > FIRST);
        eventIds(state.eventIds, in);
        state.due.addAll(Wire.list(StateWire::rowTime, in));
        state.dirty.addAll(Wire.list(StateWire::rowId, in));
        state.silent.addAll(Wire.list(StateWire::silentNode, in));
        counts(state.counts, in);
        if (version > FIRST) {
            state.counts.unversioned = in.readLong();
        }
        state.index();
        return state;
    }

    private static void clock(Clock clock, DataOutput out) throws IOException {
        Wire.number(clock.beganUs, out);
        out.writeInt(clock.hosts.size());
        for (Map.Entry<String, Host> named : clock.hosts.entrySet()) {
            Wire.text(named.getKey(), out);
            Host host = named.getValue();
            out.writeInt(host.partitions.size());
            for (Map.Entry<Integer, Host.Pair> told : host.partitions.entrySet()) {
                out.writeInt(told.getKey());
                pair(told.getValue(), out);
            }
            Wire.list(host.marks, StateWire::pair, out);
        }
        out.writeInt(clock.wholes.size());
        for (Map.Entry<String, Map<Integer, Long>> named : clock.wholes.entrySet()) {
            Wire.text(named.getKey(), out);
            out.writeInt(named.getValue().size());
            for (Map.Entry<Integer, Long> whole : named.getValue().entrySet()) {
                out.writeInt(whole.getKey());
                out.writeLong(whole.getValue());
            }
        }
    }

    private static void clock(Clock clock, DataInput in, int version) throws IOException {
        clock.beganUs = Wire.number(in);
        int hosts = in.readInt();
        for (int number = 0; number < hosts; number++) {
            Host host = new Host();
            clock.hosts.put(Wire.text(in), host);
            int partitions = in.readInt();
            for (int other = 0; other < partitions; other++) {
                host.partitions.put(in.readInt(), pair(in));
            }
            host.marks.addAll(Wire.list(StateWire::pair, in));
        }
        if (version > SECOND) {
            wholes(clock, in);
        }
    }

    private static void wholes(Clock clock, DataInput in) throws IOException {
        int hosts = in.readInt();
        for (int number = 0; number < hosts; number++) {
            Map<Integer, Long> whole = new TreeMap<>();
            clock.wholes.put(Wire.text(in), whole);
            int partitions = in.readInt();
            for (int other = 0; other < partitions; other++) {
                whole.put(in.readInt(), in.readLong());
            }
        }
    }

    private static void pair(Host.Pair pair, DataOutput out) throws IOException {
        out.writeLong(pair.first);
        out.writeLong(pair.second);
    }

    private static Host.Pair pair(DataInput in) throws IOException {
        return new Host.Pair(in.readLong(), in.readLong());
    }

    private static void gap(Gap gap, DataOutput out) throws IOException {
        Wire.text(gap.hostId, out);
        out.writeLong(gap.fromUs);
        out.writeLong(gap.toUs);
        Wire.word(gap.kind, out);
        Wire.optional(gap.row, StateWire::rowId, out);
    }

    private static Gap gap(DataInput in, int version) throws IOException {
        return new Gap(
                Wire.text(in),
                in.readLong(),
                in.readLong(),
                GapKind.values()[in.readByte()],
                version > FIRST ? Wire.<RowId>optional(StateWire::rowId, in) : null);
    }

    private static void eventIds(EventIds ids, DataOutput out) throws IOException {
        out.writeInt(ids.seen.size());
        for (Map.Entry<EventId, EventIds.Seen> seen : ids.seen.entrySet()) {
            out.writeLong(seen.getKey().high);
            out.writeLong(seen.getKey().low);
            out.writeLong(seen.getValue().sinceUs);
            out.writeByte(seen.getValue().sides);
        }
    }

    private static void eventIds(EventIds ids, DataInput in) throws IOException {
        int count = in.readInt();
        for (int number = 0; number < count; number++) {
            EventId id = new EventId(in.readLong(), in.readLong());
            ids.seen.put(id, new EventIds.Seen(in.readLong(), in.readByte()));
        }
    }

    static void rowId(RowId id, DataOutput out) throws IOException {
        Wire.text(id.partition, out);
        Wire.text(id.key, out);
    }

    static RowId rowId(DataInput in) throws IOException {
        return new RowId(Wire.text(in), Wire.text(in));
    }

    private static void rowTime(RowTime time, DataOutput out) throws IOException {
        out.writeLong(time.us);
        rowId(time.row, out);
        out.writeLong(time.versionUs);
    }

    private static RowTime rowTime(DataInput in) throws IOException {
        return new RowTime(in.readLong(), rowId(in), in.readLong());
    }

    private static void silentNode(SilentNode node, DataOutput out) throws IOException {
        Wire.word(node.side, out);
        Wire.text(node.hostId, out);
    }

    private static SilentNode silentNode(DataInput in) throws IOException {
        return new SilentNode(Wire.side(in), Wire.text(in));
    }

    private static void counts(Counts counts, DataOutput out) throws IOException {
        for (long count : counts.verdicts) {
            out.writeLong(count);
        }
        out.writeLong(counts.events);
        out.writeLong(counts.repeats);
        out.writeLong(counts.beforeStart);
        out.writeLong(counts.forgotten.rows);
        out.writeLong(counts.forgotten.undecided);
        out.writeLong(counts.forgotten.eventIds);
        out.writeLong(counts.forgotten.ranges);
    }

    private static void counts(Counts counts, DataInput in) throws IOException {
        for (int number = 0; number < counts.verdicts.length; number++) {
            counts.verdicts[number] = in.readLong();
        }
        counts.events = in.readLong();
        counts.repeats = in.readLong();
        counts.beforeStart = in.readLong();
        counts.forgotten.rows = in.readLong();
        counts.forgotten.undecided = in.readLong();
        counts.forgotten.eventIds = in.readLong();
        counts.forgotten.ranges = in.readLong();
    }
}
