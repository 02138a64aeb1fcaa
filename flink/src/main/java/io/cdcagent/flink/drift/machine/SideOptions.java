package io.cdcagent.flink.drift.machine;

import java.util.Set;

/** Options of one side. */
public final class SideOptions {
    /** Nodes whose watermarks count; null: every node that was ever heard of. */
    final Set<String> hosts;

    /** How many partitions its topic has: each must be told of by each node. */
    final int partitions;

    public SideOptions(Set<String> hosts, int partitions) {
        this.hosts = hosts;
        this.partitions = partitions;
    }
}
