package io.cdcagent.flink.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the options may be, and what is said of those that may not. */
class SinkConfigTest {
    static SinkConfig config(String... changes) {
        Configuration options =
                Configuration.fromMap(
                        Map.of(
                                "hosts", "10.10.0.5,10.10.0.6",
                                "datacenter", "DC_ONPREM",
                                "keyspace", "sales",
                                "table", "events"));
        for (int at = 0; at < changes.length; at += 2) {
            options.setString(changes[at], changes[at + 1]);
        }
        List<Column> columns =
                List.of(
                        new Column("id", VarCharType.STRING_TYPE, 0),
                        new Column("rev", new BigIntType(), 1));
        return new SinkConfig(options, columns, List.of("id"));
    }

    private static void refused(String told, String... changes) {
        ValidationException error =
                assertThrows(ValidationException.class, () -> config(changes), told);
        assertTrue(error.getMessage().contains(told), error.getMessage());
    }

    @Test
    void defaults() {
        SinkConfig config = config();
        assertEquals("[10.10.0.5:9042, 10.10.0.6:9042]", config.hosts.toString());
        assertEquals(DefaultConsistencyLevel.LOCAL_QUORUM, config.consistency);
        assertFalse(config.nullsAreWritten);
        assertNull(config.tls);
        assertNull(config.writeTimestampColumn);
        assertEquals(256, config.maxInFlight);
    }

    @Test
    void hosts() {
        SinkConfig config =
                config("hosts", " a.internal:9142 , [2001:db8::1]:1,10.0.0.1", "port", "7");
        assertEquals("[a.internal:9142, [2001:db8::1]:1, 10.0.0.1:7]", config.hosts.toString());
        for (String wrong : List.of("", "a,", "a;b", "a:b", "a b", "2001:db8::1")) {
            refused("is no host", "hosts", wrong);
        }
        refused("names a:9042 twice", "hosts", "a,a:9042");
        refused("not from 1 to 65535", "hosts", "a:70000");
    }

    @Test
    void networks() throws Exception {
        assertNull(config().allowedNetworks);
        Networks networks =
                config("allowed-networks", "10.10.0.0/22, 10.1.2.3/32,fd00:10::/63")
                        .allowedNetworks;
        for (String inside : List.of("10.10.0.0", "10.10.3.255", "10.1.2.3", "fd00:10:0:1::9")) {
            assertTrue(networks.contain(InetAddress.getByName(inside)), inside);
        }
        for (String outside :
                List.of("10.10.4.0", "10.9.255.255", "10.1.2.2", "fd00:10:0:2::", "::a0a:0")) {
            assertFalse(networks.contain(InetAddress.getByName(outside)), outside);
        }
        for (String wrong : List.of("", "10.10.0.0", "10.10/16", "a.internal/8", "10.0.0.0/8,")) {
            refused("is no network", "allowed-networks", wrong);
        }
        for (String mapped :
                List.of("::ffff:10.0.0.0/8", "::ffff:127.0.0.1/128", "::ffff:0:0/96")) {
            refused("connections take it for IPv4", "allowed-networks", mapped);
        }
        Networks half = config("allowed-networks", "0.0.0.0/1,::/8").allowedNetworks;
        for (String inside : List.of("127.0.0.1", "::ffff:127.0.0.1", "::1")) {
            assertTrue(half.contain(InetAddress.getByName(inside)), inside);
        }
        for (String outside : List.of("0.0.0.0", "::", "::ffff:0.0.0.0", "::ffff:200.0.0.1")) {
            assertFalse(half.contain(InetAddress.getByName(outside)), outside);
        }
        refused("bits behind its prefix", "allowed-networks", "10.10.0.5/24");
        refused("from 1 to 32", "allowed-networks", "0.0.0.0/0");
        refused("from 1 to 32", "allowed-networks", "10.0.0.0/33");
        refused("there is no such address", "allowed-networks", "10.0.0.256/32");
    }

    @Test
    void consistencyStaysInTheDataCentre() {
        assertEquals(
                DefaultConsistencyLevel.LOCAL_ONE,
                config("consistency-level", "local_one").consistency);
        for (String level : List.of("ANY", "ONE", "TWO", "THREE", "QUORUM", "EACH_QUORUM", "ALL")) {
            refused("other data centres", "consistency-level", level);
            assertEquals(
                    level,
                    config("consistency-level", level, "allow-cross-dc-consistency", "true")
                            .consistency
                            .name());
        }
        for (String level : List.of("SERIAL", "LOCAL_SERIAL", "MOST")) {
            refused(
                    "no level of plain writes",
                    "consistency-level",
                    level,
                    "allow-cross-dc-consistency",
                    "true");
        }
    }

    @Test
    void secretsAreGivenOnceAndNeverShown(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("password");
        Files.writeString(file, "from-the-file\nsecond line\n");
        SinkConfig config = config("username", "ada", "password-file", file.toString());
        assertEquals("from-the-file", config.password.read());
        config = config("username", "ada", "password", "hunter2");
        assertEquals("hunter2", config.password.read());
        assertFalse((config + " " + config.password).contains("hunter2"));
        assertEquals("Cassandra table sales.events in DC_ONPREM", config.toString());
        refused("needs a password", "username", "ada");
        refused("needs a password", "password", "hunter2");
        refused("give one of them", "username", "a", "password", "b", "password-env", "C");
    }

    @Test
    void missingSecretsAreNamedByTheirPlace(@TempDir Path folder) {
        SinkConfig config =
                config("username-env", "NO_SUCH_USER", "password-file", folder + "/none");
        assertTrue(
                assertThrows(RefusedException.class, config.username::read)
                        .getMessage()
                        .contains("NO_SUCH_USER"));
        assertTrue(
                assertThrows(RefusedException.class, config.password::read)
                        .getMessage()
                        .contains(folder + "/none"));
    }

    @Test
    void tls(@TempDir Path folder) throws Exception {
        assertNull(config("ssl.enabled", "false").tls);
        assertEquals(false, config("ssl.enabled", "true").tls == null);
        refused("beside other ssl options", "ssl.enabled", "false", "ssl.ca-file", "/ca.pem");
        refused("give one of them", "ssl.ca-file", "/ca.pem", "ssl.truststore", "/store");
        refused("needs 'ssl.keystore-password'", "ssl.keystore", "/store");
        Path empty = Files.writeString(folder.resolve("ca.pem"), "");
        SinkConfig config = config("ssl.ca-file", empty.toString());
        assertTrue(
                assertThrows(RefusedException.class, config.tls::engines)
                        .getMessage()
                        .contains("no certificate"));
    }

    @Test
    void writeTimestamp() {
        assertEquals("rev", config("write-timestamp-column", "rev").writeTimestampColumn);
        refused(
                "there is no column 'revision'; there are id, rev",
                "write-timestamp-column",
                "revision");
        refused("must be TIMESTAMP", "write-timestamp-column", "id");
        refused("must be us or ms", "write-timestamp-unit", "s");
    }

    @Test
    void numbers() {
        refused("must be at least 1", "max-in-flight", "0");
        refused("must be at least 0", "max-retries", "-1");
        refused("must be more than nothing", "request-timeout", "0 s");
        refused("must be unset or null", "null-columns", "delete");
        refused("'datacenter' is empty", "datacenter", " ");
        refused("for other data centres", "allow-replication-to", "DC_AZURE,DC_ONPREM");
    }
}
