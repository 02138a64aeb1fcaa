package io.cdcagent.flink.drift.machine;

import java.util.Map;
import java.util.TreeMap;

/** How far a side is known to be complete: its watermarks. */
final class Clock {
    final Map<String, Host> hosts = new TreeMap<>(Texts.ORDER);

    /**
     * Of a table that was created a moment ago heartbeats may come before the creation is read: so
     * long, microseconds. What was heard of before is an older table of that name.
     */
    private static final long KNOWN_FIRST_US = 15_000_000;

    /** Nothing was logged before. */
    private static final long EVER = Long.MIN_VALUE;

    /**
     * Up to here nothing is known: where its stream begins. {@link #EVER} where it has all that was
     * ever logged.
     */
    Long beganUs;

    /**
     * By node the partitions that have all that it ever logged of the table, and when that was
     * created, microseconds.
     */
    final Map<String, Map<Integer, Long>> wholes = new TreeMap<>(Texts.ORDER);

    void hear(SideOptions options, Heartbeat heartbeat) {
        hosts.computeIfAbsent(heartbeat.hostId, name -> new Host()).hear(heartbeat);
        if (beganUs == null && watermarkUs(options) != null) {
            beganUs = beginUs(Long.MAX_VALUE);
        }
    }

    /** A node has all of the table in a partition. */
    void begins(Beginning beginning) {
        Host heard = hosts.get(beginning.hostId);
        Host.Pair told = heard == null ? null : heard.partitions.get(beginning.partition);
        long knownUs = Micros.subtract(beginning.createdUs, KNOWN_FIRST_US);
        if (told != null && told.first < knownUs) {
            return;
        }
        wholes.computeIfAbsent(beginning.hostId, name -> new TreeMap<>())
                .putIfAbsent(beginning.partition, beginning.createdUs);
        if (beganUs != null) {
            beganUs = beginUs(beganUs);
        }
    }

    /**
     * The last of the first watermarks of partitions that are not whole, as far as they are not
     * later than `toUs`: nodes that came later do not count.
     */
    private long beginUs(long toUs) {
        long last = EVER;
        for (Map.Entry<String, Host> named : hosts.entrySet()) {
            Map<Integer, Long> whole = wholes.getOrDefault(named.getKey(), Map.of());
            for (Map.Entry<Integer, Host.Pair> told : named.getValue().partitions.entrySet()) {
                long firstUs = told.getValue().first;
                if (!whole.containsKey(told.getKey()) && firstUs <= toUs) {
                    last = Math.max(last, firstUs);
                }
            }
        }
        return last;
    }

    /** Whether something that was logged from then on may have been before its stream began. */
    boolean beganBehind(long fromUs) {
        return beganUs != null && beganUs != EVER && beganUs >= fromUs;
    }

    /**
     * Everything that was logged before is told: the smallest watermark of the nodes that count, in
     * all partitions.
     */
    Long watermarkUs(SideOptions options) {
        Long smallest = null;
        for (Long watermark : ofHosts(options).values()) {
            if (watermark == null) {
                return null;
            }
            smallest = Micros.firstOf(smallest, watermark);
        }
        return smallest;
    }

    /**
     * How many partitions there are: those of the topic, and those that heartbeats tell of. Hash
     * events of a CDC topic may stand in a topic of fewer partitions.
     */
    private int partitions(SideOptions options) {
        int count = options.partitions;
        for (Host host : hosts.values()) {
            int last = Math.min(host.partitions.lastKey(), Integer.MAX_VALUE - 1);
            count = Math.max(count, last + 1);
        }
        return count;
    }

    /** The watermark of each node that counts; null of one that is not heard everywhere. */
    Map<String, Long> ofHosts(SideOptions options) {
        int count = partitions(options);
        Map<String, Long> found = new TreeMap<>(Texts.ORDER);
        if (options.hosts == null) {
            hosts.forEach((name, host) -> found.put(name, host.watermarkUs(count)));
            return found;
        }
        for (String name : options.hosts) {
            Host host = hosts.get(name);
            found.put(name, host == null ? null : host.watermarkUs(count));
        }
        return found;
    }

    /**
     * How far a node is behind. `newestUs` is the newest watermark of either side, `firstUs` what
     * that was when the first heartbeat came.
     */
    long behindUs(String hostId, long newestUs, long firstUs) {
        Host host = hosts.get(hostId);
        if (host == null) {
            // Who was never heard is given as long as anybody else.
            return Micros.subtract(newestUs, firstUs);
        }
        Map<Integer, Long> newest = new TreeMap<>();
        for (Host other : hosts.values()) {
            other.partitions.forEach(
                    (partition, told) -> newest.merge(partition, told.second, Math::max));
        }
        return host.behindUs(newest, newestUs);
    }

    /** The newest watermark of any node in any partition; null while there is none. */
    Long newestUs() {
        Long newest = null;
        for (Host host : hosts.values()) {
            newest = Micros.max(newest, host.newestUs());
        }
        return newest;
    }

    Long toldUs(String hostId, Integer partition) {
        Host host = hosts.get(hostId);
        Long toldUs = host == null ? null : host.toldUs(partition);
        return toldUs == null ? createdUs(hostId, partition) : toldUs;
    }

    /** When the table was created, where the stream of this side tells of that; else null. */
    Long createdUs() {
        Long last = null;
        for (Map<Integer, Long> whole : wholes.values()) {
            for (Long createdUs : whole.values()) {
                last = Micros.max(last, createdUs);
            }
        }
        return last;
    }

    private Long createdUs(String hostId, Integer partition) {
        Map<Integer, Long> whole = wholes.getOrDefault(hostId, Map.of());
        if (partition != null) {
            return whole.get(partition);
        }
        Long first = null;
        for (Long createdUs : whole.values()) {
            first = Micros.firstOf(first, createdUs);
        }
        return first;
    }

    /** What was complete before an agent said something; where no node is named, of every one. */
    Long completeBeforeUs(String hostId, long tsMs) {
        if (!hostId.isEmpty()) {
            Host host = hosts.get(hostId);
            return host == null ? null : host.completeBeforeUs(tsMs);
        }
        Long smallest = null;
        for (Host host : hosts.values()) {
            Long before = host.completeBeforeUs(tsMs);
            if (before == null) {
                return null;
            }
            smallest = Micros.firstOf(smallest, before);
        }
        return smallest;
    }
}
