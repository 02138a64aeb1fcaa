package io.cdcagent.flink.drift.machine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;

/** The heartbeats of a node. */
final class Host {
    /** Heartbeats that are kept for gaps that are told of late: one a minute, two days. */
    private static final int MARKS = 2880;

    private static final long BETWEEN_MARKS_MS = 60_000;

    /** A stretch of watermarks, or when something was said and the watermark then. */
    static final class Pair {
        final long first;
        final long second;

        Pair(long first, long second) {
            this.first = first;
            this.second = second;
        }
    }

    /** The first and the newest watermark by partition. */
    final TreeMap<Integer, Pair> partitions = new TreeMap<>();

    /** When the agent said what, from time to time: `ts_ms`, `wm_us`. */
    final Deque<Pair> marks = new ArrayDeque<>();

    void hear(Heartbeat heartbeat) {
        long wmUs = heartbeat.wmUs;
        // An agent that was set back repeats itself; what was complete stays so.
        partitions.merge(
                heartbeat.partition,
                new Pair(wmUs, wmUs),
                (old, now) -> new Pair(old.first, Math.max(old.second, now.second)));
        Pair last = marks.peekLast();
        if (last == null || Micros.subtract(heartbeat.tsMs, last.first) >= BETWEEN_MARKS_MS) {
            // Of all partitions the one that is furthest behind is right for each of them.
            marks.addLast(new Pair(heartbeat.tsMs, toldUs(null)));
            if (marks.size() > MARKS) {
                marks.removeFirst();
            }
        }
    }

    /** Its watermark in so many partitions; null while one of them has none. */
    Long watermarkUs(int count) {
        return partitions.size() < count ? null : toldUs(null);
    }

    /** Its newest watermark in any partition; null while there is none. */
    Long newestUs() {
        Long newest = null;
        for (Pair told : partitions.values()) {
            newest = Micros.max(newest, told.second);
        }
        return newest;
    }

    /**
     * How far it is behind. Heartbeats go to all partitions at once, and one partition may be read
     * long before another: so it is compared with others of its side in each partition, and with
     * everybody by the partition that is furthest.
     */
    long behindUs(Map<Integer, Long> newestByPartition, long newestUs) {
        Long firstUs = null;
        for (Pair told : partitions.values()) {
            firstUs = Micros.firstOf(firstUs, told.first);
        }
        long behindUs = Micros.subtract(newestUs, newestUs());
        for (Map.Entry<Integer, Long> newest : newestByPartition.entrySet()) {
            Pair told = partitions.get(newest.getKey());
            long ownUs = told == null ? firstUs : told.second;
            behindUs = Math.max(behindUs, Micros.subtract(newest.getValue(), ownUs));
        }
        return behindUs;
    }

    /** What it says next in this partition, or in any (null), was logged after this. */
    Long toldUs(Integer partition) {
        if (partition != null) {
            Pair told = partitions.get(partition);
            return told == null ? null : (Long) told.second;
        }
        Long smallest = null;
        for (Pair told : partitions.values()) {
            smallest = Micros.firstOf(smallest, told.second);
        }
        return smallest;
    }

    /** What was complete before its agent said something at this time; null: nothing. */
    Long completeBeforeUs(long tsMs) {
        Iterator<Pair> newest = marks.descendingIterator();
        while (newest.hasNext()) {
            Pair mark = newest.next();
            if (mark.first <= tsMs) {
                return mark.second;
            }
        }
        return null;
    }
}
