package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;

/** A row, or a static row together with the ranges of its partition: what has one record key. */
final class Row {
    /** Versions that are remembered of each side. */
    private static final int VERSIONS = 64;

    /** Null as in {@link RowKey}. */
    List<JsonNode> clustering;

    final Both<SideRow> sides = Both.each(SideRow::new);

    /** By version, microseconds. */
    final TreeMap<Long, Entry> entries = new TreeMap<>();

    /** The versions that each side told of, in the order in which it did. */
    final Both<Deque<Long>> versions = Both.each(ArrayDeque::new);

    /** The version whose verdict the compacted topic has for the row; null: none. */
    Long shown;

    /** When something of it was logged last, and first. */
    long touchedUs;

    long sinceUs;

    /** Merges an event, and remembers its version. */
    void take(RowEvent event) {
        sides.of(event.side).apply(event.content);
        if (event.content.isUnversioned()) {
            return;
        }
        Deque<Long> told = versions.of(event.side);
        if (!told.contains(event.versionUs)) {
            told.addLast(event.versionUs);
            if (told.size() > VERSIONS) {
                told.removeFirst();
            }
        }
    }

    /** The newest version that a side told of; null: none. */
    Long newestUs(Side side) {
        return versions.of(side).stream().max(Long::compare).orElse(null);
    }

    /** Whether something is said about it that still holds. */
    boolean isOpen() {
        return entries.values().stream().anyMatch(entry -> entry.open != null);
    }
}
