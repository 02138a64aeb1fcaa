package io.cdcagent.flink.drift.machine;

import java.util.Comparator;

/**
 * Times: microseconds that end at the ends of 64 bits. One that is not known is null, and smaller
 * than all others.
 */
public final class Micros {
    private static final Comparator<Long> ORDER =
            Comparator.nullsFirst(Comparator.<Long>naturalOrder());

    private Micros() {}

    public static long add(long one, long other) {
        long sum = one + other;
        boolean isOver = ((one ^ sum) & (other ^ sum)) < 0;
        return isOver ? end(one) : sum;
    }

    public static long subtract(long one, long other) {
        long difference = one - other;
        boolean isOver = ((one ^ other) & (one ^ difference)) < 0;
        return isOver ? end(one) : difference;
    }

    public static long multiply(long one, long other) {
        try {
            return Math.multiplyExact(one, other);
        } catch (ArithmeticException error) {
            return end(one ^ other);
        }
    }

    /** The latest microsecond of a millisecond. */
    public static long endOfMillis(long millis) {
        return add(multiply(millis, 1000), 999);
    }

    static int compare(Long one, Long other) {
        return ORDER.compare(one, other);
    }

    static Long max(Long one, Long other) {
        return compare(one, other) >= 0 ? one : other;
    }

    /** The smaller one of two of which either may be nothing at all. */
    static Long firstOf(Long one, Long other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        return Math.min(one, other);
    }

    private static long end(long sign) {
        return sign < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
}
