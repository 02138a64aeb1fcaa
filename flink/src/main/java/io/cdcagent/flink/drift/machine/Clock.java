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

    /** The watermark of each node that counts; null of one that is not heard everywhere. */
    Map<String, Long> ofHosts(SideOptions options) {
        Map<String, Long> found = new TreeMap<>(Texts.ORDER);
        if (options.hosts == null) {
            hosts.forEach((name, host) -> found.put(name, host.watermarkUs(options.partitions)));
            return found;
        }
        for (String name : options.hosts) {
            Host host = hosts.get(name);
            found.put(name, host == null ? null : host.watermarkUs(options.partitions));
        }
        return found;
    }

    /** The newest watermark of any node in any partition; null while there is none. */
    Long newestUs() {
        Long newest = null;
        for (Host host : hosts.values()) {
            for (Host.Pair told : host.partitions.values()) {
                newest = Micros.max(newest, told.second);
            }
        }
        return newest;
    }

    Long toldUs(String hostId, Integer partition) {
        Host host = hosts.get(hostId);
        return host == null ? null : host.toldUs(partition);
    }

    Long completeBeforeUs(String hostId, long tsMs) {
        Host host = hosts.get(hostId);
        return host == null ? null : host.completeBeforeUs(tsMs);
    }
}
