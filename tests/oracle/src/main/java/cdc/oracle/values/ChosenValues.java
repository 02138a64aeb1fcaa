package cdc.oracle.values;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values at the edges of each type. */
final class ChosenValues {
    private ChosenValues() {}

    /** CQL type to values in the text form that Cassandra parses. */
    static final Map<String, List<String>> TEXTS = new LinkedHashMap<>();

    static {
        TEXTS.put("ascii", List.of("", "a", "quo\"te back\\slash /", "tab\tnew\nline\u0001\u001f\u007f", "NULL"));
        TEXTS.put("text", List.of("", "é", "\ud83d\ude00 \u4e2d\u6587", "e\u0301", "a\u2028b\u0085\ufeff", "\"'\\|;~\b\f\r"));
        TEXTS.put("tinyint", List.of("0", "-1", "127", "-128"));
        TEXTS.put("smallint", List.of("0", "-1", "32767", "-32768"));
        TEXTS.put("int", List.of("0", "-1", "2147483647", "-2147483648"));
        TEXTS.put("bigint", List.of("0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993"));
        TEXTS.put("varint", List.of(
                "0", "-1", "127", "128", "-128", "-129", "255", "256", "9223372036854775808", "-9223372036854775809",
                "18446744073709551616", "123456789012345678901234567890123456789012345678901234567890"));
        TEXTS.put("decimal", List.of(
                "0", "0.0", "-0.00", "0E+3", "0E-7", "1", "-1.5", "100", "1E+2", "1.00E+2", "0.000001", "0.0000001",
                "-0.00000012", "123456789012345678901234567890.123456789", "1E+400", "1E-400", "9.99E-2147483640"));
        TEXTS.put("float", List.of(
                "0.0", "-0.0", "1.0", "0.1", "1.1", "0.001", "9.999E-4", "9999999.0", "1.0E7", "1.0E10", "1.0E16",
                "9.0071992E15", "1.4E-45", "2.8E-45", "1.17549435E-38", "3.4028235E38", "3.3554432E7", "16777216", "-2.5",
                "NaN", "Infinity", "-Infinity"));
        TEXTS.put("double", List.of(
                "0.0", "-0.0", "1.0", "0.1", "0.3", "-2.5", "0.001", "9.999E-4", "9999999.0", "1.0E7", "12345678.9",
                "1.0E22", "1.0E23", "2.0E23", "8.41E21", "2.0E-3", "9.007199254740993E15", "4.9E-324", "9.9E-324",
                "2.2250738585072014E-308", "2.225073858507201E-308", "1.7976931348623157E308", "123456789.123",
                "5.0E-5", "2.2E-322", "4.35", "1.1125369292536007E-308", "NaN", "Infinity", "-Infinity"));
        TEXTS.put("boolean", List.of("true", "false"));
        TEXTS.put("blob", List.of("", "00", "ff", "00ff10deadbeef"));
        TEXTS.put("uuid", List.of(
                "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
                "123e4567-e89b-42d3-a456-426614174000"));
        TEXTS.put("timeuuid", List.of("13814000-1dd2-11b2-8080-808080808080", "eec94810-e665-11f1-b1b8-eb8a0f36f989"));
        TEXTS.put("inet", List.of(
                "0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:0:0:ff", "1:0:0:2:0:0:0:3",
                "2001:0:0:1::"));
        TEXTS.put("timestamp", List.of(
                "0", "-1", "1", "1700000000123", "-62135596800000", "-62135596800001", "253402300799999",
                "253402300800000", "-62167219200001", "9223372036854775807", "-9223372036854775808"));
        TEXTS.put("date", List.of("1970-01-01", "1969-12-31", "2026-02-28", "0001-01-01", "9999-12-31", "-0001-01-01"));
        TEXTS.put("time", List.of("00:00:00", "23:59:59.999999999", "12:34:56", "12:34:56.7", "00:00:00.000000001"));
        TEXTS.put("duration", List.of(
                "0s", "1y2mo3w4d5h6m7s8ms9us10ns", "-1mo", "-3d", "-5ns", "12mo", "2147483647mo", "2147483647d",
                "9223372036854775807ns"));
    }

    /** CQL type and bytes that no text form gives: empty values, short and null-holding ones, unusual encodings. */
    static final String[][] BYTES = {
        {"tinyint", ""}, {"smallint", ""}, {"int", ""}, {"bigint", ""}, {"varint", ""}, {"decimal", ""}, {"float", ""},
        {"double", ""}, {"boolean", ""}, {"uuid", ""}, {"timeuuid", ""}, {"inet", ""}, {"timestamp", ""}, {"date", ""},
        {"time", ""}, {"duration", ""},
        {"boolean", "02"}, {"boolean", "ff"},
        {"double", "7ff8000000000001"}, {"double", "fff8000000000000"}, {"double", "7ff0000000000001"},
        {"float", "7fc00001"}, {"float", "ffc00000"}, {"float", "7f800001"},
        // numbers with more bytes than they need
        {"varint", "00000000000000000001"}, {"varint", "ffffffffffffff80"}, {"varint", "0080"}, {"varint", "ff7f"},
        {"decimal", "0000000000000000"}, {"decimal", "0000000200000064"}, {"decimal", "00000002ffffff9c"},
        // scales at the ends of 32 bits
        {"decimal", "7fffffff01"}, {"decimal", "8000000001"}, {"decimal", "80000000ff"}, {"decimal", "7fffffff3039"},
        {"decimal", "8000000100"}, {"decimal", "0000000001"}, {"decimal", "ffffffff01"},
        {"date", "00000000"}, {"date", "ffffffff"}, {"date", "80000000"}, {"date", "7fffffff"},
        {"time", "00004e94914effff"},
        // IPv4 inside IPv6
        {"inet", "00000000000000000000ffff01020304"}, {"inet", "00000000000000000000000001020304"},
        {"inet", "0064ff9b000000000000000001020304"},
        {"uuid", "123e4567e89b02d3a456426614174000"},
        // empty collections
        {"list<int>", "00000000"}, {"set<text>", "00000000"}, {"map<text, int>", "00000000"},
        {"frozen<list<frozen<set<int>>>>", "000000020000000400000000" + "0000000400000000"},
        // a zero-length element, and a text element of no characters
        {"list<int>", "0000000200000000" + "0000000400000007"}, {"list<text>", "0000000200000000" + "0000000161"},
        // tuples: nulls, fewer fields than the type, none
        {"frozen<tuple<int, text>>", "ffffffff0000000161"}, {"frozen<tuple<int, text>>", "0000000400000001ffffffff"},
        {"frozen<tuple<int, text>>", "ffffffffffffffff"}, {"frozen<tuple<int, text>>", "0000000400000001"},
        {"frozen<tuple<int, text>>", "ffffffff"}, {"frozen<tuple<int, text>>", ""},
        {"frozen<tuple<int, text>>", "000000000000000161"}, {"frozen<tuple<int, text>>", "000000040000000100000000"},
        {"frozen<tuple<int, frozen<tuple<int, text>>>>", "00000004000000010000000800000004" + "00000002"},
        // user types: the same
        {"frozen<address>", "000000056d61696e200000000400000007" + "000000080000000000003039"},
        {"frozen<address>", "000000056d61696e20ffffffffffffffff"}, {"frozen<address>", "000000056d61696e20"},
        {"frozen<address>", "ffffffffffffffffffffffff"}, {"frozen<address>", ""},
        {"frozen<person>", "0000000141ffffffffffffffff"}, {"frozen<\"My T\">", "0000000171000000087ff8000000000000"},
        {"frozen<list<double>>", "00000002000000087ff000000000000000000008fff0000000000000"},
        {"map<double, text>", "00000001000000087ff80000000000000000000178"},
        {"vector<float, 2>", "7fc0000080000000"}, {"vector<text, 2>", "000161"}, {"vector<text, 2>", "0000"},
    };
}
