package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.List;

/** The gaps of a side. */
final class Gaps {
    /** Gaps that are remembered; beyond that the two oldest become one. */
    private static final int MOST = 256;

    final List<Gap> all = new ArrayList<>();

    void add(Gap gap) {
        if (all.contains(gap)) {
            return;
        }
        all.add(gap);
        if (all.size() > MOST) {
            Gap oldest = all.remove(0);
            Gap next = all.get(0);
            all.set(
                    0,
                    new Gap(
                            next.hostId,
                            Math.min(next.fromUs, oldest.fromUs),
                            Math.max(next.toUs, oldest.toUs),
                            next.kind));
        }
    }

    /** The first one that takes away from what was logged in a window; null when none does. */
    Gap touching(Window window) {
        return all.stream().filter(gap -> gap.touches(window)).findFirst().orElse(null);
    }

    /** The first one in which published events may be untrue; null when there is none. */
    Gap forgetting(Window window) {
        return all.stream()
                .filter(gap -> gap.kind == GapKind.FORGOTTEN && gap.touches(window))
                .findFirst()
                .orElse(null);
    }
}
