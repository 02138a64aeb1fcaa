package io.cdcagent.flink.drift.machine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** What was told of an event, as bytes. */
final class EventWire {
    private EventWire() {}

    static void told(Told told, DataOutput out) throws IOException {
        Wire.text(told.eventId, out);
        Wire.text(told.op, out);
        Wire.text(told.rowHash, out);
        Wire.text(told.hashDef, out);
        Wire.text(told.place.topic, out);
        out.writeInt(told.place.partition);
        out.writeLong(told.place.offset);
        Wire.text(told.place.file, out);
        Wire.number(told.place.pos, out);
    }

    static Told told(DataInput in) throws IOException {
        String eventId = Wire.text(in);
        String op = Wire.text(in);
        String rowHash = Wire.text(in);
        String hashDef = Wire.text(in);
        Place place =
                new Place(
                        Wire.text(in), in.readInt(), in.readLong(), Wire.text(in), Wire.number(in));
        return new Told(eventId, op, rowHash, hashDef, place);
    }

    static void window(Window window, DataOutput out) throws IOException {
        out.writeLong(window.fromUs);
        out.writeLong(window.toUs);
    }

    static Window window(DataInput in) throws IOException {
        return new Window(in.readLong(), in.readLong());
    }

    static void waiting(Waiting event, DataOutput out) throws IOException {
        Wire.word(event.side, out);
        Wire.text(event.eventId, out);
        ContentWire.write(event.content, out);
        out.writeLong(event.dueUs);
        window(event.window, out);
    }

    static Waiting waiting(DataInput in) throws IOException {
        return new Waiting(
                Wire.side(in), Wire.text(in), ContentWire.read(in), in.readLong(), window(in));
    }
}
