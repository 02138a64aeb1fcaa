package io.cdcagent.flink.functions;

import io.cdcagent.flink.time.AgentTimestamp;
import java.util.regex.Pattern;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * `TIMESTAMP_US(text)`: microseconds since the epoch of a timestamp in either form in which an
 * agent writes it, milliseconds or ISO-8601. NULL of every other text, and where they are no number
 * of 64 bits.
 */
public final class TimestampUs extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** As columns of type bigint are read: docs/rules.md, 3. */
    private static final Pattern WHOLE = Pattern.compile("[-+]?[0-9]{1,20}");

    public Long eval(String text) {
        if (text == null) {
            return null;
        }
        try {
            Long millis =
                    WHOLE.matcher(text).matches()
                            ? Long.valueOf(Long.parseLong(text))
                            : AgentTimestamp.millis(text);
            return millis == null ? null : Long.valueOf(Math.multiplyExact(millis, 1000L));
        } catch (NumberFormatException | ArithmeticException error) {
            return null;
        }
    }
}
