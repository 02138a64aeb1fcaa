package io.cdcagent.flink.drift.machine;

import java.util.Map;
import java.util.TreeMap;

/** How far a side is known to be complete: its watermarks. */
final class Clock {
    final Map<String, Host> hosts = new TreeMap<>(Texts.ORDER);

    /** Up to here nothing is known: where its stream begins. */
    Long beganUs;

    void hear(SideOptions options, Heartbeat heartbeat) {
        hosts.computeIfAbsent(heartbeat.hostId, name -> new Host()).hear(heartbeat);
        if (beganUs == null && watermarkUs(options) != null) {
            for (Host host : hosts.values()) {
                for (Host.Pair told : host.partitions.values()) {
                    beganUs = Micros.max(beganUs, told.first);
                }
            }
        }
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
        return host == null ? null : host.toldUs(partition);
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
