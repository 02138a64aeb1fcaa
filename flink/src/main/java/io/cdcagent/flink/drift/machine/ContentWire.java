package io.cdcagent.flink.drift.machine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** What an event writes, as bytes. */
final class ContentWire {
    private ContentWire() {}

    static void write(Content content, DataOutput out) throws IOException {
        Wire.list(content.cells, ContentWire::pathCell, out);
        Wire.number(content.rowDeletionUs, out);
        Wire.optional(content.range, ContentWire::range, out);
        out.writeBoolean(content.isFull);
        Wire.number(content.opaqueUs, out);
    }

    static Content read(DataInput in) throws IOException {
        return new Content(
                Wire.list(ContentWire::pathCell, in),
                Wire.number(in),
                Wire.optional(ContentWire::range, in),
                in.readBoolean(),
                Wire.number(in));
    }

    static void cell(Cell cell, DataOutput out) throws IOException {
        out.writeLong(cell.tsUs);
        Wire.text(cell.value, out);
        Wire.number(cell.expiresAt, out);
    }

    static Cell cell(DataInput in) throws IOException {
        return new Cell(in.readLong(), Wire.text(in), Wire.number(in));
    }

    private static void pathCell(PathCell written, DataOutput out) throws IOException {
        Wire.text(written.path, out);
        cell(written.cell, out);
    }

    private static PathCell pathCell(DataInput in) throws IOException {
        return new PathCell(Wire.text(in), cell(in));
    }

    static void range(RangeDeletion range, DataOutput out) throws IOException {
        Wire.optional(range.start, ContentWire::bound, out);
        Wire.optional(range.end, ContentWire::bound, out);
        out.writeLong(range.tsUs);
    }

    static RangeDeletion range(DataInput in) throws IOException {
        Bound start = Wire.optional(ContentWire::bound, in);
        Bound end = Wire.optional(ContentWire::bound, in);
        return new RangeDeletion(start, end, in.readLong());
    }

    private static void bound(Bound bound, DataOutput out) throws IOException {
        Wire.list(bound.values, Wire::json, out);
        out.writeBoolean(bound.isInclusive);
    }

    private static Bound bound(DataInput in) throws IOException {
        return new Bound(Wire.list(Wire::json, in), in.readBoolean());
    }
}
