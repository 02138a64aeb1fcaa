package io.cdcagent.flink.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * The real cluster that tests/flink/run.py started: a node in DC_ONPREM and one in DC_AZURE, with
 * passwords and TLS. Its own sessions are those of the superuser, without TLS.
 */
final class Cluster {
    static final String USER = "sink";
    static final String PASSWORD = "of-the-sink";
    static final String ONPREM = property("cassandra.onprem");
    static final String AZURE = property("cassandra.azure");
    private static final int PORT = Integer.parseInt(property("cassandra.port"));
    private static final Map<String, CqlSession> SESSIONS = new HashMap<>();

    private Cluster() {}

    private static String property(String name) {
        String found = System.getProperty(name);
        assertTrue(found != null, "tests/flink/run.py sets " + name);
        return found;
    }

    /** A session with one data centre. */
    static synchronized CqlSession session(String host, String datacenter) {
        return SESSIONS.computeIfAbsent(
                host,
                key ->
                        CqlSession.builder()
                                .withConfigLoader(
                                        DriverConfigLoader.programmaticBuilder()
                                                .withDuration(
                                                        DefaultDriverOption.REQUEST_TIMEOUT,
                                                        Duration.ofSeconds(60))
                                                .withDuration(
                                                        DefaultDriverOption
                                                                .CONNECTION_INIT_QUERY_TIMEOUT,
                                                        Duration.ofSeconds(30))
                                                .withDuration(
                                                        DefaultDriverOption
                                                                .CONTROL_CONNECTION_TIMEOUT,
                                                        Duration.ofSeconds(30))
                                                .withDuration(
                                                        DefaultDriverOption.RECONNECTION_MAX_DELAY,
                                                        Duration.ofSeconds(1))
                                                .build())
                                .addContactPoint(new InetSocketAddress(host, PORT))
                                .withLocalDatacenter(datacenter)
                                .withAuthCredentials("cassandra", "cassandra")
                                .build());
    }

    static CqlSession onprem() {
        return session(ONPREM, "DC_ONPREM");
    }

    static void cql(String... statements) {
        for (String statement : statements) {
            onprem().execute(statement);
        }
    }

    /**
     * From whichever data centre has them: without places for replicas that may be the other one.
     */
    static List<Row> rows(String select) {
        return onprem().execute(
                        SimpleStatement.newInstance(select)
                                .setConsistencyLevel(DefaultConsistencyLevel.ONE))
                .all();
    }

    static Row row(String select) {
        List<Row> rows = rows(select);
        assertEquals(1, rows.size(), select);
        return rows.get(0);
    }

    static long count(String table) {
        return row("SELECT COUNT(*) AS n FROM " + table).getLong("n");
    }

    static boolean hasRows(String table) {
        return !rows("SELECT id FROM " + table + " LIMIT 1").isEmpty();
    }

    /** Once and again while the node is away. */
    static long countInTheEnd(String table) {
        long until = System.nanoTime() + Duration.ofMinutes(3).toNanos();
        while (true) {
            try {
                return count(table);
            } catch (DriverException error) {
                assertTrue(System.nanoTime() < until, () -> "no answer: " + error);
            }
        }
    }

    /** The options of a sink into a table of keyspace `sales`, with changes: key, value, … */
    static String options(String table, String... changes) {
        Map<String, String> options = new HashMap<>();
        options.put("connector", "cassandra");
        options.put("hosts", ONPREM);
        options.put("port", Integer.toString(PORT));
        options.put("datacenter", "DC_ONPREM");
        options.put("keyspace", "sales");
        options.put("table", table);
        options.put("username", USER);
        options.put("password", PASSWORD);
        options.put("ssl.ca-file", property("cassandra.ca"));
        options.put("request-timeout", "30 s");
        options.put("connect-timeout", "30 s");
        for (int at = 0; at < changes.length; at += 2) {
            options.put(changes[at], changes[at + 1]);
        }
        StringBuilder text = new StringBuilder();
        options.forEach(
                (key, value) ->
                        text.append(text.length() == 0 ? "" : ", ")
                                .append(String.format("'%s' = '%s'", key, value)));
        return text.toString();
    }

    static String truststore() {
        return property("cassandra.truststore");
    }

    static String truststorePassword() {
        return property("cassandra.truststore.password");
    }

    static int port() {
        return PORT;
    }

    /** `kill`, `start`, `pause`, `resume` of a node, by the stack's own program. */
    static void node(String command, String name) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(property("stack.program"), command));
        words.addAll(List.of("--dir", property("stack.dir"), name));
        Process process = new ProcessBuilder(words).inheritIO().start();
        assertEquals(0, process.waitFor(), () -> String.join(" ", words));
    }

    static void waitFor(String what, BooleanSupplier condition) throws InterruptedException {
        long until = System.nanoTime() + Duration.ofMinutes(3).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < until, () -> "waited in vain for " + what);
            Thread.sleep(50);
        }
    }
}
