package io.cdcagent.flink.functions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class JsonPartTest {
    private final JsonPart part = new JsonPart();
    private final ColumnNames names = new ColumnNames();

    @Test
    void whatIsThereStaysAsItStands() {
        String json =
                "{\"a\" : 1.0E10 ,\"b\":{ \"c\": [1,  2.50] },\"\\u0061\":\"x\\u00e9😀\",\"d\":12, \"b\\\"\": null}";
        assertEquals("\"x\\u00e9😀\"", part.eval(json, "text", "a"), "the last one counts");
        assertEquals("null", part.eval(json, "object", "a"));
        assertEquals("{ \"c\": [1,  2.50] }", part.eval(json, "object", "b"));
        assertEquals("null", part.eval(json, "text", "b", "c"));
        assertEquals("12", part.eval(json, "integer", "d"));
        assertEquals("null", part.eval(json, "text", "d"));
        assertEquals("null", part.eval(json, "integer", "d", "e"));
        assertEquals("null", part.eval(json, "text", "none"));
        assertEquals("[\"a\",\"\\u0061\",\"d\",\"b\\\"\"]", names.eval(json, "null", "b"));
    }

    @Test
    void wholeNumbersAloneAreIntegers() {
        for (String number : new String[] {"-0", "9223372036854775807", "-9223372036854775808"}) {
            assertEquals(number, part.eval("{\"a\":" + number + "}", "integer", "a"));
        }
        for (String number : new String[] {"9223372036854775808", "1.0", "1e3", "\"1\"", "true"}) {
            assertEquals("null", part.eval("{\"a\":" + number + "}", "integer", "a"));
        }
    }

    @Test
    void whatIsNoObjectHasNoMembers() {
        for (String text :
                new String[] {
                    null, "", "null", "[1]", "{", "{\"a\":\"x\"}x", "{\"a\":\"x\"} {}", "{a:1}"
                }) {
            assertEquals("null", part.eval(text, "text", "a"), text);
            assertEquals("null", part.eval(text, "object"), text);
            assertEquals("[]", names.eval(text, text), text);
        }
        assertEquals("{\"a\": 1}", part.eval("{\"a\": 1}", "object"));
        assertThrows(IllegalArgumentException.class, () -> part.eval("{\"a\":1}", "number", "a"));
    }

    @Test
    void longAndDeepOnesAreRead() {
        String deep = "[".repeat(2000) + "]".repeat(2000);
        String text = "\"" + "é\\n".repeat(50_000) + "\"";
        String json =
                "{\"deep\":"
                        + deep
                        + ",\"digits\":"
                        + "1".repeat(2000)
                        + ",\"a\":"
                        + text
                        + ",\"b\":1}";
        assertEquals(text, part.eval(json, "text", "a"));
        assertEquals("1", part.eval(json, "integer", "b"));
        assertEquals("[\"deep\",\"digits\",\"a\",\"b\"]", names.eval(json, null));
    }

    @Test
    void eachNameOnceAndNoneOfTheKey() {
        assertEquals(
                "[\"name\",\"tags\"]",
                names.eval(
                        "{\"id\":7,\"name\":\"x\"}", "{\"tags\":{},\"name\":{}}", "id", "other"));
    }
}
