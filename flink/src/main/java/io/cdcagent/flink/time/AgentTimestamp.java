package io.cdcagent.flink.time;

import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Timestamps as agents write them with `timestamp_format = iso8601`: `2025-01-31T12:00:00.000Z`, a
 * year outside of 0000 to 9999 with its sign. src/jobs/calendar.rs does the same.
 */
public final class AgentTimestamp {
    private static final Pattern TEXT =
            Pattern.compile(
                    "([0-9]{4}|-[0-9]{4,9}|\\+[0-9]{5,9})-([0-9]{2})-([0-9]{2})"
                            + "T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\\.([0-9]{1,9}))?Z");

    private AgentTimestamp() {}

    /** Milliseconds since the epoch, further digits cut off; null of every other text. */
    public static Long millis(String text) {
        Matcher found = TEXT.matcher(text);
        if (!found.matches()) {
            return null;
        }
        try {
            LocalDateTime moment =
                    LocalDateTime.of(
                            number(found, 1),
                            number(found, 2),
                            number(found, 3),
                            number(found, 4),
                            number(found, 5),
                            number(found, 6),
                            nanos(found.group(7)));
            return moment.toInstant(ZoneOffset.UTC).toEpochMilli();
        } catch (DateTimeException | ArithmeticException error) {
            // No such day or time of the day, or none that 64 bits of milliseconds reach.
            return null;
        }
    }

    private static int number(Matcher found, int group) {
        return Integer.parseInt(found.group(group));
    }

    private static int nanos(String fraction) {
        return fraction == null ? 0 : Integer.parseInt((fraction + "00000000").substring(0, 9));
    }
}
