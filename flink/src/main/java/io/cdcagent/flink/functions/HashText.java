package io.cdcagent.flink.functions;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;

/**
 * The text of a value that is not NULL, as `row_hash` v1 writes it; docs/identity.md, section 2.
 */
final class HashText {
    private static final char[] DIGITS = "0123456789abcdef".toCharArray();

    private HashText() {}

    /**
     * Of the classes in which Flink hands a function its arguments; HashedColumns lets no other in.
     */
    static String of(Object value) {
        if (value instanceof String) {
            return (String) value;
        }
        if (value instanceof Boolean) {
            return (Boolean) value ? "TRUE" : "FALSE";
        }
        if (value instanceof Double) {
            return DoubleText.of((Double) value);
        }
        if (value instanceof Float) {
            return FloatText.of((Float) value);
        }
        if (value instanceof Number) { // whole numbers and BigDecimal
            return value.toString();
        }
        return value instanceof byte[] ? hex((byte[]) value) : Long.toString(time(value));
    }

    private static long time(Object value) {
        if (value instanceof LocalDateTime) {
            return ((LocalDateTime) value).toInstant(ZoneOffset.UTC).toEpochMilli();
        }
        if (value instanceof Instant) {
            return ((Instant) value).toEpochMilli();
        }
        if (value instanceof LocalDate) {
            return ((LocalDate) value).toEpochDay();
        }
        if (value instanceof LocalTime) {
            return ((LocalTime) value).toNanoOfDay();
        }
        throw new IllegalArgumentException("ROW_HASH has no text for a " + value.getClass());
    }

    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder(2 * bytes.length);
        for (byte one : bytes) {
            text.append(DIGITS[one >> 4 & 15]).append(DIGITS[one & 15]);
        }
        return text.toString();
    }
}
