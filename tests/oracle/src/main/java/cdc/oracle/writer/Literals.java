package cdc.oracle.writer;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

/** Random values of a type, written as CQL. */
final class Literals {
    private static final String HEX = "0123456789abcdef";
    private static final String[] WORDS = {
        "", " ", "a", "Ab", "quo'te", "do\"uble", "größe", "日本語", "😀", "\n", "\t", "\u0001", "\\", "null",
        "~", "1", "{\"a\":1}", "\u2028", "e\u0301", "/", ";", "\uFFFD"
    };
    /** Types whose empty value is an ordinary one, or that know no empty value. */
    private static final List<String> NEVER_EMPTIED = List.of("ascii", "text", "blob", "duration", "counter", "smallint",
        "tinyint", "date", "time");

    private final Dice dice;

    Literals(Dice dice) {
        this.dice = dice;
    }

    /** A value; now and then the zero-length one that old clients could write. */
    String of(CqlType type) {
        if (type.kind == CqlType.Kind.SCALAR && dice.chance(0.02) && !NEVER_EMPTIED.contains(type.name)) {
            return "blobAs" + Character.toUpperCase(type.name.charAt(0)) + type.name.substring(1) + "(0x)";
        }
        return plain(type);
    }

    /** A value of at least one byte, as a partition key of one column needs it. */
    String notEmpty(CqlType type) {
        while (true) {
            String value = plain(type);
            if (!value.equals("''") && !value.equals("0x")) {
                return value;
            }
        }
    }

    /** A value as today's clients write it. */
    String plain(CqlType type) {
        switch (type.kind) {
            case LIST: return "[" + many(type.parts.get(0)) + "]";
            case SET: return "{" + many(type.parts.get(0)) + "}";
            case MAP: return entries(type);
            case TUPLE: return "(" + type.parts.stream().map(this::ofOrNull).collect(Collectors.joining(", ")) + ")";
            case UDT: return fields(type);
            case VECTOR: return vector(type);
            case CUSTOM: return type.name.endsWith("LexicalUUIDType") ? "'" + uuid(4) + "'" : "'2020-01-01 00:00:00+0000'";
            default: return scalar(type.name);
        }
    }

    private String ofOrNull(CqlType type) {
        return dice.chance(0.12) ? "null" : of(type);
    }

    private String many(CqlType type) {
        List<String> elements = new ArrayList<>();
        for (int i = dice.few(4, 70); i > 0; i--) {
            elements.add(of(type));
        }
        return String.join(", ", elements);
    }

    private String entries(CqlType map) {
        List<String> entries = new ArrayList<>();
        for (int i = dice.few(4, 70); i > 0; i--) {
            entries.add(of(map.parts.get(0)) + ": " + of(map.parts.get(1)));
        }
        return "{" + String.join(", ", entries) + "}";
    }

    private String fields(CqlType udt) {
        List<String> fields = new ArrayList<>();
        int shortened = dice.chance(0.3) ? dice.between(1, udt.fields.size()) : udt.fields.size();
        for (int i = 0; i < shortened; i++) {
            fields.add(udt.fields.get(i) + ": " + ofOrNull(udt.parts.get(i)));
        }
        return "{" + String.join(", ", fields) + "}";
    }

    private String vector(CqlType vector) {
        List<String> elements = new ArrayList<>();
        for (int i = 0; i < vector.dimension; i++) {
            elements.add(plain(vector.parts.get(0)));
        }
        return "[" + String.join(", ", elements) + "]";
    }

    private String scalar(String type) {
        switch (type) {
            case "ascii": return quote(ascii());
            case "bigint": return integer(Long.MIN_VALUE, Long.MAX_VALUE);
            case "blob": return "0x" + hex(dice.bytes(dice.few(20, 5000)));
            case "boolean": return dice.of("true", "false");
            case "date":
                return dice.chance(0.2) ? dice.of("0", "4294967295", "2147483648") : Integer.toUnsignedString(dice.anyInt());
            case "decimal": return decimal();
            case "double": return floating(dice.chance(0.5) ? dice.anyDouble() : dice.spreadLong() / 128.0);
            case "duration": return duration();
            case "float": return floating(dice.chance(0.5) ? Float.intBitsToFloat(dice.anyInt()) : (float) dice.spreadLong());
            case "inet": return inet();
            case "int": return integer(Integer.MIN_VALUE, Integer.MAX_VALUE);
            case "smallint": return Integer.toString((short) dice.anyInt());
            case "text": return quote(text());
            case "time": return time();
            case "timestamp": return timestamp();
            case "timeuuid": return uuid(1);
            case "tinyint": return Integer.toString((byte) dice.anyInt());
            case "uuid": return uuid(dice.between(1, 5));
            case "varint": return new BigInteger(dice.bytes(dice.between(1, dice.chance(0.1) ? 60 : 12))).toString();
            default: throw new IllegalStateException("no value known for type " + type);
        }
    }

    private String integer(long low, long high) {
        long value = dice.chance(0.1) ? dice.of(low, high, 0L, -1L) : dice.spreadLong();
        return Long.toString(low == Long.MIN_VALUE ? value : (int) value);
    }

    private String ascii() {
        StringBuilder text = new StringBuilder();
        for (int i = dice.few(12, 300); i > 0; i--) {
            text.append((char) dice.between(' ', '~'));
        }
        return text.toString();
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        for (int i = dice.few(4, 200); i > 0; i--) {
            text.append(dice.of(WORDS));
        }
        return text.toString();
    }

    static String quote(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private String decimal() {
        byte[] unscaled = dice.bytes(dice.between(1, dice.chance(0.1) ? 40 : 8));
        if (dice.chance(0.1)) {
            // as bytes: the parser first tries a double, which these do not fit
            return "blobAsDecimal(0x" + String.format("%08x", dice.of(-20000, -300, 300, 1000, 20000)) + hex(unscaled) + ")";
        }
        return new BigDecimal(new BigInteger(unscaled), dice.between(-5, 12)).toString();
    }

    private String floating(double value) {
        if (dice.chance(0.1)) {
            return dice.of("NaN", "Infinity", "-Infinity", "-0.0", "0.0", "4.9E-324", "1.4E-45", "0.1");
        }
        return Double.isNaN(value) || Double.isInfinite(value) ? "1.5" : Double.toString(value);
    }

    private String duration() {
        String sign = dice.of("", "-");
        return sign + dice.between(0, 40) + "mo" + dice.between(0, 90) + "d" + (dice.spreadLong() & (Long.MAX_VALUE >> 1)) + "ns";
    }

    private String inet() {
        byte[] part = dice.bytes(4);
        String v4 = (part[0] & 255) + "." + (part[1] & 255) + "." + (part[2] & 255) + "." + (part[3] & 255);
        String v6 = dice.of("::1", "::", "fe80::1:2", "2001:db8::" + hex(dice.bytes(2)), "::ffff:" + v4);
        return quote(dice.chance(0.5) ? v4 : v6);
    }

    private String time() {
        return quote(String.format("%02d:%02d:%02d.%09d", dice.between(0, 23), dice.between(0, 59), dice.between(0, 59),
            dice.between(0, 999_999_999)));
    }

    private String timestamp() {
        if (dice.chance(0.1)) {
            return dice.of("0", "-1", "9223372036854775807", "-9223372036854775808", "'1969-12-31T23:59:59.999Z'");
        }
        return Long.toString(1_700_000_000_000L + dice.anyInt());
    }

    private String uuid(int version) {
        long high = (dice.anyLong() & ~0xF000L) | ((long) version << 12);
        return new UUID(high, (dice.anyLong() & 0x3FFFFFFFFFFFFFFFL) | 0x8000000000000000L).toString();
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length * 2);
        for (byte b : bytes) {
            text.append(HEX.charAt((b >> 4) & 15)).append(HEX.charAt(b & 15));
        }
        return text.toString();
    }
}
