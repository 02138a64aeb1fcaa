package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.Json;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.UUID;
import java.util.regex.Pattern;

/** The order of a clustering column, from the JSON of its values. */
public final class KeyOrder {
    private static final Pattern UUID_TEXT =
            Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final Pattern ADDRESS_TEXT =
            Pattern.compile("[0-9]+(\\.[0-9]+){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
    private static final UUID NIL = new UUID(0, 0);

    private final KeyType type;
    private final boolean isDescending;

    public KeyOrder(KeyType type, boolean isDescending) {
        this.type = type;
        this.isDescending = isDescending;
    }

    /** Compares two values as Cassandra does. */
    int compare(JsonNode one, JsonNode other) {
        int found = ascending(one, other);
        return isDescending ? -found : found;
    }

    private int ascending(JsonNode one, JsonNode other) {
        switch (type) {
            case TEXT:
                return Texts.ORDER.compare(text(one), text(other));
            case NUMBER:
                if (Json.number(one) != null && Json.number(other) != null) {
                    return Long.compare(one.longValue(), other.longValue());
                }
                return Double.compare(number(one), number(other));
            case BOOLEAN:
                return Integer.compare(truth(one), truth(other));
            case BLOB:
                return Arrays.compareUnsigned(bytes(one), bytes(other));
            case UUID:
                return uuids(uuid(one), uuid(other));
            case TIME_UUID:
                return timeUuids(uuid(one), uuid(other));
            case INET:
                return Arrays.compareUnsigned(address(one), address(other));
            default:
                throw new IllegalStateException(type.name());
        }
    }

    private static String text(JsonNode value) {
        return value.isTextual() ? value.textValue() : "";
    }

    /** Java's order: NaN above everything. */
    private static double number(JsonNode value) {
        switch (text(value)) {
            case "Infinity":
                return Double.POSITIVE_INFINITY;
            case "-Infinity":
                return Double.NEGATIVE_INFINITY;
            default:
                return value.isNumber() ? value.doubleValue() : Double.NaN;
        }
    }

    /** What is no truth value is smaller than both. */
    private static int truth(JsonNode value) {
        if (!value.isBoolean()) {
            return 0;
        }
        return value.booleanValue() ? 2 : 1;
    }

    private static byte[] bytes(JsonNode value) {
        try {
            return Base64.getDecoder().decode(text(value));
        } catch (IllegalArgumentException error) {
            return new byte[0];
        }
    }

    private static UUID uuid(JsonNode value) {
        String text = text(value);
        return UUID_TEXT.matcher(text).matches() ? UUID.fromString(text) : NIL;
    }

    private static int uuids(UUID one, UUID other) {
        int found = Integer.compare(one.version(), other.version());
        if (found == 0 && one.version() == 1) {
            found = Long.compare(time(one), time(other));
        }
        return found != 0 ? found : Arrays.compareUnsigned(bytes(one), bytes(other));
    }

    private static int timeUuids(UUID one, UUID other) {
        int found = Long.compare(time(one), time(other));
        return found != 0 ? found : Arrays.compare(lowBytes(one), lowBytes(other));
    }

    private static byte[] bytes(UUID uuid) {
        return ByteBuffer.allocate(Long.BYTES * 2)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array();
    }

    private static byte[] lowBytes(UUID uuid) {
        return ByteBuffer.allocate(Long.BYTES).putLong(uuid.getLeastSignificantBits()).array();
    }

    /** The 60 bits of time of a version 1 UUID. */
    private static long time(UUID uuid) {
        long high = uuid.getMostSignificantBits();
        return (high >>> 32) | ((high & 0xffff_0000L) << 16) | ((high & 0x0fffL) << 48);
    }

    private static byte[] address(JsonNode value) {
        String text = text(value);
        if (!ADDRESS_TEXT.matcher(text).matches()) {
            return new byte[0];
        }
        try {
            // A text of this form is never looked up.
            return InetAddress.getByName(text).getAddress();
        } catch (UnknownHostException error) {
            return new byte[0];
        }
    }
}
