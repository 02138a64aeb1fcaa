package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** What is found about the events of a version whose time has come. */
final class Found {
    /** What is lacking on each side, without an explanation. */
    final Both<SortedSet<String>> lacking = Both.each(() -> new TreeSet<>(Texts.ORDER));

    /** What is lacking with one. */
    final SortedSet<String> explained = new TreeSet<>(Texts.ORDER);

    /** Why nothing can be said of the events of each side; null where there is no such event. */
    final Both<Reason> reasons = new Both<>(null, null);

    /** What is lacking was written before a side's stream begins. */
    boolean isBeforeStart;

    /** The events that are neither held by the other side nor such that nothing can be said. */
    final List<Waiting> left = new ArrayList<>();

    /** Some are not due. */
    boolean isWaiting;

    /** When something expires that is lacking; or null. */
    Long nextUs;

    /** What is to be said; null when nothing is lacking. */
    Status status(Row row, long versionUs) {
        boolean onprem = !lacking.of(Side.ONPREM).isEmpty();
        boolean cloud = !lacking.of(Side.CLOUD).isEmpty();
        if (onprem && cloud) {
            return Status.DRIFT;
        }
        if (!onprem && !cloud) {
            return explained.isEmpty() ? null : Status.INCOMPARABLE;
        }
        Side side = onprem ? Side.ONPREM : Side.CLOUD;
        return row.versions.of(side).contains(versionUs) ? Status.DRIFT : Status.missing(side);
    }

    /** What is said of a version. */
    Verdict verdict(String key, long versionUs, Status said, Entry entry, Long decidedUs) {
        Reason why = said == Status.INCOMPARABLE ? reason() : null;
        return Verdict.ofRow(key, versionUs, said, entry, decidedUs, columns(said), why);
    }

    /** Nothing can be said of what is lacking; for this reason, where there is no other. */
    void explain(Reason why) {
        for (Side side : Side.values()) {
            explained.addAll(lacking.of(side));
            lacking.of(side).clear();
        }
        if (reason() == null) {
            reasons.set(Side.ONPREM, why);
        }
    }

    /**
     * Why nothing can be said, of what onprem told before of what cloud told: which of them came
     * first is chance.
     */
    private Reason reason() {
        Reason first = reasons.of(Side.ONPREM);
        return first == null ? reasons.of(Side.CLOUD) : first;
    }

    /** The columns that belong to a status. */
    private SortedSet<String> columns(Status status) {
        if (status == Status.INCOMPARABLE) {
            return explained;
        }
        SortedSet<String> both = new TreeSet<>(Texts.ORDER);
        both.addAll(lacking.of(Side.ONPREM));
        both.addAll(lacking.of(Side.CLOUD));
        return both;
    }
}
