package io.cdcagent.flink.functions;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TimestampUsTest {
    /** The vectors of the hash job, flink_hash.jsonl, have more of them. */
    @Test
    void microseconds() {
        TimestampUs us = new TimestampUs();
        assertEquals(5000L, us.eval("5"));
        assertEquals(5000L, us.eval("+5"));
        assertEquals(5000L, us.eval("1970-01-01T00:00:00.005Z"));
        assertEquals(9_223_372_036_854_775_000L, us.eval("9223372036854775"));
        for (String none :
                new String[] {
                    null,
                    "",
                    " 5 ",
                    "5.0",
                    "9223372036854776",
                    "9223372036854775808",
                    "+292278994-08-17T07:12:55.807Z",
                    "000000000000000000005"
                }) {
            assertEquals(null, us.eval(none), none);
        }
    }
}
