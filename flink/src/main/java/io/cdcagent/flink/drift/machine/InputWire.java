package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/** Inputs as bytes, on their way from a source to the machine. */
public final class InputWire {
    private static final int EVENT = 0;
    private static final int HEARTBEAT = 1;
    private static final int GAP = 2;
    private static final int BEGINNING = 3;

    private InputWire() {}

    public static byte[] bytes(Input input) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            write(input, new DataOutputStream(bytes));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return bytes.toByteArray();
    }

    public static Input of(byte[] bytes) throws IOException {
        return read(new DataInputStream(new ByteArrayInputStream(bytes)));
    }

    private static void write(Input input, DataOutput out) throws IOException {
        out.writeByte(kind(input));
        Wire.word(input.side, out);
        Wire.text(input.hostId, out);
        if (input instanceof RowEvent) {
            event((RowEvent) input, out);
        } else if (input instanceof Beginning) {
            Beginning beginning = (Beginning) input;
            out.writeInt(beginning.partition);
            out.writeLong(beginning.createdUs);
        } else if (input instanceof Heartbeat) {
            Heartbeat heartbeat = (Heartbeat) input;
            out.writeInt(heartbeat.partition);
            out.writeLong(heartbeat.wmUs);
            out.writeLong(heartbeat.tsMs);
        } else {
            GapNotice notice = (GapNotice) input;
            out.writeLong(notice.tsMs);
            Wire.word(notice.kind, out);
            Wire.optional(notice.row, StateWire::rowId, out);
        }
    }

    private static int kind(Input input) {
        if (input instanceof RowEvent) {
            return EVENT;
        }
        if (input instanceof Beginning) {
            return BEGINNING;
        }
        return input instanceof Heartbeat ? HEARTBEAT : GAP;
    }

    private static Input read(DataInput in) throws IOException {
        int kind = in.readByte();
        Side side = Wire.side(in);
        String hostId = Wire.text(in);
        switch (kind) {
            case EVENT:
                return event(side, hostId, in);
            case HEARTBEAT:
                return new Heartbeat(side, in.readInt(), hostId, in.readLong(), in.readLong());
            case BEGINNING:
                return new Beginning(side, in.readInt(), hostId, in.readLong());
            case GAP:
                return new GapNotice(
                        side,
                        hostId,
                        in.readLong(),
                        GapKind.values()[in.readByte()],
                        Wire.<RowId>optional(StateWire::rowId, in));
            default:
                throw new IOException("input of kind " + kind);
        }
    }

    private static void event(RowEvent event, DataOutput out) throws IOException {
        Wire.number(event.partition == null ? null : (Long) (long) event.partition, out);
        Wire.text(event.key.partition, out);
        Wire.text(event.key.whole, out);
        Wire.optional(event.key.clustering, InputWire::values, out);
        out.writeLong(event.versionUs);
        out.writeLong(event.loggedUs);
        ContentWire.write(event.content, out);
        EventWire.told(event.told, out);
    }

    private static RowEvent event(Side side, String hostId, DataInput in) throws IOException {
        Long partition = Wire.number(in);
        RowKey key = new RowKey(Wire.text(in), Wire.text(in), Wire.optional(InputWire::values, in));
        return new RowEvent(
                side,
                partition == null ? null : (Integer) partition.intValue(),
                hostId,
                key,
                in.readLong(),
                in.readLong(),
                ContentWire.read(in),
                EventWire.told(in));
    }

    static void values(List<JsonNode> values, DataOutput out) throws IOException {
        Wire.list(values, Wire::json, out);
    }

    static List<JsonNode> values(DataInput in) throws IOException {
        return Wire.list(Wire::json, in);
    }
}
