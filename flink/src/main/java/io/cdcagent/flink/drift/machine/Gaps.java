package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The gaps of a side. */
final class Gaps {
    /** Gaps that are remembered; beyond that the two oldest become one. */
    private static final int MOST = 1024;

    private static final Comparator<Gap> ORDER =
            Comparator.<Gap>comparingLong(gap -> gap.fromUs)
                    .thenComparingLong(gap -> gap.toUs)
                    .thenComparing(gap -> gap.kind == GapKind.TRUNCATED)
                    .thenComparing(gap -> gap.hostId);

    final List<Gap> all = new ArrayList<>();

    void add(Gap gap) {
        boolean goesOn = gap.kind == GapKind.OFF && goingOn(gap.hostId) >= 0;
        if (goesOn || all.contains(gap)) {
            return;
        }
        all.add(gap);
        if (all.size() > MOST) {
            joinOldest();
        }
    }

    private void joinOldest() {
        int first = over(0);
        int second = over(first + 1);
        if (second < all.size()) {
            all.set(second, all.get(second).join(all.get(first)));
            all.remove(first);
        }
    }

    /** The first one from here on that does not go on. */
    private int over(int from) {
        int number = from;
        while (number < all.size() && all.get(number).kind == GapKind.OFF) {
            number++;
        }
        return number;
    }

    /** Ends what goes on at a node; false when nothing does. */
    boolean end(String hostId, long us) {
        int number = goingOn(hostId);
        if (number < 0) {
            return false;
        }
        all.set(number, all.get(number).until(us));
        return true;
    }

    private int goingOn(String hostId) {
        for (int number = 0; number < all.size(); number++) {
            Gap gap = all.get(number);
            if (gap.kind == GapKind.OFF && gap.hostId.equals(hostId)) {
                return number;
            }
        }
        return -1;
    }

    /** The earliest one that takes away from what was logged of a row in a window; or null. */
    Gap touching(Window window, RowId id) {
        return earliest(all.stream().filter(gap -> gap.touches(window, id)));
    }

    /** The earliest one in which published events may be untrue; null when there is none. */
    Gap forgetting(Window window, RowId id) {
        return earliest(all.stream().filter(gap -> gap.isUntrue() && gap.touches(window, id)));
    }

    /**
     * Not the one that was heard of first: several topics tell of gaps, and which of them is read
     * first is chance.
     */
    private static Gap earliest(Stream<Gap> gaps) {
        return gaps.min(ORDER).orElse(null);
    }
}
