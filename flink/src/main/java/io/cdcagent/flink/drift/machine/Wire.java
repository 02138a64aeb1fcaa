package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.JsonText;
import io.cdcagent.flink.drift.json.NotJsonException;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Values as bytes: what states and inputs are made of. */
final class Wire {
    private static final int NULL = -1;

    private Wire() {}

    /** Writes a value. */
    interface Writer<T> {
        void write(T value, DataOutput out) throws IOException;
    }

    /** Reads a value. */
    interface Reader<T> {
        T read(DataInput in) throws IOException;
    }

    static void text(String text, DataOutput out) throws IOException {
        if (text == null) {
            out.writeInt(NULL);
            return;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static String text(DataInput in) throws IOException {
        int length = in.readInt();
        if (length == NULL) {
            return null;
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static void number(Long number, DataOutput out) throws IOException {
        out.writeBoolean(number != null);
        if (number != null) {
            out.writeLong(number);
        }
    }

    static Long number(DataInput in) throws IOException {
        return in.readBoolean() ? (Long) in.readLong() : null;
    }

    static <T> void optional(T value, Writer<T> writer, DataOutput out) throws IOException {
        out.writeBoolean(value != null);
        if (value != null) {
            writer.write(value, out);
        }
    }

    static <T> T optional(Reader<T> reader, DataInput in) throws IOException {
        return in.readBoolean() ? reader.read(in) : null;
    }

    static <T> void list(Collection<T> values, Writer<T> writer, DataOutput out)
            throws IOException {
        out.writeInt(values.size());
        for (T value : values) {
            writer.write(value, out);
        }
    }

    static <T> List<T> list(Reader<T> reader, DataInput in) throws IOException {
        int size = in.readInt();
        List<T> values = new ArrayList<>();
        for (int number = 0; number < size; number++) {
            values.add(reader.read(in));
        }
        return values;
    }

    static void json(JsonNode value, DataOutput out) throws IOException {
        text(JsonText.of(value), out);
    }

    static JsonNode json(DataInput in) throws IOException {
        try {
            return Json.read(text(in));
        } catch (NotJsonException error) {
            throw new IOException("a value that was written as JSON", error);
        }
    }

    static <T extends Enum<T>> void word(T value, DataOutput out) throws IOException {
        out.writeByte(value.ordinal());
    }

    static Side side(DataInput in) throws IOException {
        return Side.values()[in.readByte()];
    }
}
