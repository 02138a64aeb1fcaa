package io.cdcagent.flink.drift.machine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The number that an event's id is: 128 bits. */
final class EventId {
    private static final int RADIX = 16;
    private static final int DIGITS = 16;

    final long high;
    final long low;

    EventId(long high, long low) {
        this.high = high;
        this.low = low;
    }

    /** Event ids have at most 32 hexadecimal digits; others are not remembered: null. */
    static EventId of(String text) {
        int start = text.startsWith("+") ? 1 : 0;
        if (text.length() == start) {
            return null;
        }
        for (int at = start; at < text.length(); at++) {
            char digit = text.charAt(at);
            if (digit > 'f' || Character.digit(digit, RADIX) < 0) {
                return null;
            }
        }
        while (text.length() - start > 1 && text.charAt(start) == '0') {
            start++;
        }
        int digits = text.length() - start;
        if (digits > 2 * DIGITS) {
            return null;
        }
        int middle = Math.max(start, text.length() - DIGITS);
        long high =
                middle == start ? 0 : Long.parseUnsignedLong(text.substring(start, middle), RADIX);
        return new EventId(high, Long.parseUnsignedLong(text.substring(middle), RADIX));
    }

    /** What stands for it in a partition of the table. */
    EventId within(String partitionKey) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(ByteBuffer.allocate(2 * Long.BYTES).putLong(high).putLong(low).array());
            ByteBuffer found =
                    ByteBuffer.wrap(digest.digest(partitionKey.getBytes(StandardCharsets.UTF_8)));
            return new EventId(found.getLong(), found.getLong());
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error); // every Java has it
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EventId
                && high == ((EventId) other).high
                && low == ((EventId) other).low;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(high ^ low);
    }
}
