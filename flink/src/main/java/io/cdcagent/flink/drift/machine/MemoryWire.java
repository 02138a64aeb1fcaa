package io.cdcagent.flink.drift.machine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Map;

/** What is remembered of rows, as bytes. */
final class MemoryWire {
    private static final int NOTHING = -1;

    private MemoryWire() {}

    static void write(Memory memory, DataOutput out) throws IOException {
        Wire.number(memory.forgottenToUs, out);
        Wire.list(memory.partitions.entrySet(), MemoryWire::partition, out);
    }

    /** `isWhole`: with what is shown of a row, and since when an entry is there. */
    static void read(Memory memory, DataInput in, boolean isWhole) throws IOException {
        memory.forgottenToUs = Wire.number(in);
        int count = in.readInt();
        for (int number = 0; number < count; number++) {
            String key = Wire.text(in);
            Partition partition = partition(in, isWhole);
            memory.partitions.put(key, partition);
            partition.rows.forEach(
                    (rowKey, row) ->
                            memory.byAge.add(
                                    new RowTime(row.touchedUs, new RowId(key, rowKey), 0)));
        }
    }

    private static void partition(Map.Entry<String, Partition> keyed, DataOutput out)
            throws IOException {
        Wire.text(keyed.getKey(), out);
        for (Side side : Side.values()) {
            Wire.list(keyed.getValue().ranges.of(side), ContentWire::range, out);
        }
        Wire.list(keyed.getValue().rows.entrySet(), MemoryWire::row, out);
    }

    private static Partition partition(DataInput in, boolean isWhole) throws IOException {
        Partition partition = new Partition();
        for (Side side : Side.values()) {
            partition.ranges.of(side).addAll(Wire.list(ContentWire::range, in));
        }
        int count = in.readInt();
        for (int number = 0; number < count; number++) {
            partition.rows.put(Wire.text(in), row(in, isWhole));
        }
        return partition;
    }

    private static void row(Map.Entry<String, Row> keyed, DataOutput out) throws IOException {
        Wire.text(keyed.getKey(), out);
        Row row = keyed.getValue();
        Wire.optional(row.clustering, InputWire::values, out);
        out.writeLong(row.touchedUs);
        out.writeLong(row.sinceUs);
        Wire.number(row.shown, out);
        for (Side side : Side.values()) {
            sideRow(row.sides.of(side), out);
            Wire.list(row.versions.of(side), (version, to) -> to.writeLong(version), out);
        }
        Wire.list(row.entries.entrySet(), MemoryWire::entry, out);
    }

    private static Row row(DataInput in, boolean isWhole) throws IOException {
        Row row = new Row();
        row.clustering = Wire.optional(InputWire::values, in);
        row.touchedUs = in.readLong();
        row.sinceUs = in.readLong();
        row.shown = isWhole ? Wire.number(in) : null;
        for (Side side : Side.values()) {
            sideRow(row.sides.of(side), in);
            row.versions.of(side).addAll(Wire.list(DataInput::readLong, in));
        }
        int count = in.readInt();
        for (int number = 0; number < count; number++) {
            row.entries.put(in.readLong(), entry(in, isWhole));
        }
        return row;
    }

    private static void sideRow(SideRow row, DataOutput out) throws IOException {
        Wire.number(row.deletedUs, out);
        Wire.number(row.fullUs, out);
        out.writeInt(row.cells.size());
        for (Map.Entry<String, Cell> cell : row.cells.entrySet()) {
            Wire.text(cell.getKey(), out);
            ContentWire.cell(cell.getValue(), out);
        }
    }

    private static void sideRow(SideRow row, DataInput in) throws IOException {
        row.deletedUs = Wire.number(in);
        row.fullUs = Wire.number(in);
        int count = in.readInt();
        for (int number = 0; number < count; number++) {
            row.cells.put(Wire.text(in), ContentWire.cell(in));
        }
    }

    private static void entry(Map.Entry<Long, Entry> keyed, DataOutput out) throws IOException {
        out.writeLong(keyed.getKey());
        Entry entry = keyed.getValue();
        Wire.list(entry.events, EventWire::waiting, out);
        for (Side side : Side.values()) {
            Wire.optional(entry.told.of(side), EventWire::told, out);
        }
        Wire.number(entry.firstSeenUs, out);
        out.writeByte(entry.open == null ? NOTHING : entry.open.ordinal());
        out.writeLong(entry.sinceUs);
    }

    private static Entry entry(DataInput in, boolean isWhole) throws IOException {
        Entry entry = new Entry();
        entry.events = Wire.list(EventWire::waiting, in);
        for (Side side : Side.values()) {
            entry.told.set(side, Wire.<Told>optional(EventWire::told, in));
        }
        entry.firstSeenUs = Wire.number(in);
        int open = in.readByte();
        entry.open = open == NOTHING ? null : Status.values()[open];
        entry.sinceUs = isWhole ? in.readLong() : 0;
        return entry;
    }
}
