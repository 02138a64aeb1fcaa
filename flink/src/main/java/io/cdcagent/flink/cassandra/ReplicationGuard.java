package io.cdcagent.flink.cassandra;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether the keyspace lives in the data centre of the options and nowhere else. A coordinator
 * there would still send each write on to every data centre that the keyspace is replicated to.
 */
final class ReplicationGuard {
    private static final String NETWORK_TOPOLOGY = "NetworkTopologyStrategy";

    private ReplicationGuard() {}

    /**
     * Checks the column `replication` of `system_schema.keyspaces`.
     *
     * @throws RefusedException when it is another strategy, or names other data centres
     */
    static void check(SinkConfig config, Map<String, String> replication) {
        String strategy = replication.getOrDefault("class", "");
        strategy = strategy.substring(strategy.lastIndexOf('.') + 1);
        if (!strategy.equals(NETWORK_TOPOLOGY)) {
            throw new RefusedException(
                    String.format(
                            "The keyspace %s has %s, which places replicas whatever the data centre. ALTER KEYSPACE it to"
                                    + " {'class': 'NetworkTopologyStrategy', '%s': …}.",
                            config.keyspace, strategy, config.datacenter));
        }
        Set<String> named = new TreeSet<>(replication.keySet());
        named.remove("class");
        if (!named.remove(config.datacenter) || replication.get(config.datacenter).equals("0")) {
            throw new RefusedException(
                    String.format(
                            "The keyspace %s has no replica in %s; it is in %s. Correct 'datacenter' or 'keyspace'.",
                            config.keyspace, config.datacenter, named));
        }
        named.removeAll(config.allowReplicationTo);
        if (!named.isEmpty()) {
            throw new RefusedException(
                    String.format(
                            "The keyspace %s is also replicated to %s: what is written in %s would be sent there. ALTER KEYSPACE it, or say"
                                    + " 'allow-replication-to' where that is meant.",
                            config.keyspace, named, config.datacenter));
        }
    }
}
