package io.cdcagent.flink.cassandra;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Maps as `system_schema.keyspaces` holds them. */
class ReplicationGuardTest {
    private static final String TOPOLOGY = "org.apache.cassandra.locator.NetworkTopologyStrategy";

    private static void refused(String told, SinkConfig config, Map<String, String> replication) {
        String message =
                assertThrows(
                                RefusedException.class,
                                () -> ReplicationGuard.check(config, replication))
                        .getMessage();
        assertTrue(message.contains(told), message);
    }

    @Test
    void oneDataCentre() {
        SinkConfig config = SinkConfigTest.config();
        ReplicationGuard.check(config, Map.of("class", TOPOLOGY, "DC_ONPREM", "3"));
        ReplicationGuard.check(config, Map.of("class", TOPOLOGY, "DC_ONPREM", "3/1"));
        // As the embedded engine: what is named may get replicas with the next ALTER KEYSPACE.
        refused(
                "also replicated to [DC_AZURE]",
                config,
                Map.of("class", TOPOLOGY, "DC_ONPREM", "3", "DC_AZURE", "0"));
        refused("no replica in DC_ONPREM", config, Map.of("class", TOPOLOGY, "DC_ONPREM", "0"));
        refused("no replica in DC_ONPREM", config, Map.of("class", TOPOLOGY, "DC_AZURE", "3"));
        refused("no replica in DC_ONPREM", config, Map.of("class", TOPOLOGY, "dc_onprem", "3"));
        refused(
                "also replicated to [DC_AZURE]",
                config,
                Map.of("class", TOPOLOGY, "DC_ONPREM", "3", "DC_AZURE", "1"));
        refused(
                "SimpleStrategy",
                config,
                Map.of(
                        "class",
                        "org.apache.cassandra.locator.SimpleStrategy",
                        "replication_factor",
                        "1"));
    }

    @Test
    void othersThatAreAllowed() {
        SinkConfig config = SinkConfigTest.config("allow-replication-to", "DC_AZURE, DC_LAB");
        Map<String, String> both =
                Map.of("class", TOPOLOGY, "DC_ONPREM", "3", "DC_AZURE", "1", "DC_EU", "1");
        refused("also replicated to [DC_EU]", config, both);
        ReplicationGuard.check(
                config, Map.of("class", TOPOLOGY, "DC_ONPREM", "3", "DC_AZURE", "1"));
    }
}
