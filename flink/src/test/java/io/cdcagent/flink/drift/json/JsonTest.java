package io.cdcagent.flink.drift.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Expected texts are what serde_json 1.0.154 prints for `from_str::<Value>(text).to_string()`. */
class JsonTest {
    private static void becomes(String expected, String text) throws NotJsonException {
        assertEquals(expected, JsonText.of(Json.read(text)));
    }

    @Test
    void numbers() throws NotJsonException {
        becomes(
                "[0,-0.0,-7,9223372036854775807,-9223372036854775808,18446744073709551615]",
                "[0, -0, -7, 9223372036854775807, -9223372036854775808, 18446744073709551615]");
        becomes("[1.8446744073709552e+19,1e+20]", "[18446744073709551616, 100000000000000000000]");
        becomes("[1.0,1.5,-0.0,100.0,0.00001,1e-6]", "[1.0, 15e-1, -0.0, 1E2, 0.00001, 0.000001]");
        becomes("[1000000000000000.0,1e+16,1.25e+16]", "[1e15, 1e16, 1.25e16]");
        becomes("[-1.5e-7,123456.789,5e-324]", "[-1.5e-7, 123456.789, 4.9e-324]");
    }

    @Test
    void texts() throws NotJsonException {
        becomes(
                "\"\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\"",
                "\"\\u0001\\u001F\\b\\f\\n\\r\\t\\\"\\\\\\/\"");
        becomes("\"é\u007f\u2028😀\"", "\"\\u00e9\u007f\u2028\\ud83d\\ude00\"");
    }

    @Test
    void objects() throws NotJsonException {
        becomes(
                "{\"a\":3,\"b\":{},\"c\":[null,true,false]}",
                "{\"a\":1,\"b\":{},\"a\":3,\"c\":[null,true,false]} ");
    }

    @Test
    void whatIsNoJson() {
        for (String text :
                new String[] {
                    "",
                    " ",
                    "{",
                    "[1,]",
                    "{\"a\":1,}",
                    "01",
                    "1.",
                    ".5",
                    "+1",
                    "NaN",
                    "1e400",
                    "nul",
                    "'a'",
                    "\"\t\"",
                    "\"\\ud800\"",
                    "\"\\x\"",
                    "1 2",
                    "// a\n1",
                    "\ufeff1",
                    "[".repeat(128) + "]".repeat(128)
                }) {
            assertThrows(NotJsonException.class, () -> Json.read(text), text);
        }
        assertThrows(NotJsonException.class, () -> Json.read(new byte[] {'"', (byte) 0xff, '"'}));
        assertThrows(
                NotJsonException.class,
                () -> Json.read("\"\ud800\"".getBytes(StandardCharsets.UTF_16LE)));
    }

    @Test
    void theDeepestValue() throws NotJsonException {
        becomes("[".repeat(127) + "]".repeat(127), "[".repeat(127) + "]".repeat(127));
    }
}
