package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.List;

/** A version of a row that is not decided, or not as it should be. */
final class Entry {
    List<Waiting> events = new ArrayList<>();
    final Both<Told> told = new Both<>(null, null);
    Long firstSeenUs;

    /**
     * When the first of its events is due, microseconds: the oldest goes first, when there is too
     * much.
     */
    long sinceUs;

    /** What was said about it and still holds; null: nothing. */
    Status open;
}
