package io.cdcagent.flink.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cdcagent.flink.Metrics;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What is refused before the first write. The environment would restart a job a thousand times;
 * none of these is.
 */
@Tag("cassandra")
class GuardsTest {
    private static final String COLUMNS =
            "id STRING, n BIGINT, rev BIGINT, PRIMARY KEY (id) NOT ENFORCED";
    private static final String VALUES = "('1', CAST(1 AS BIGINT), CAST(1 AS BIGINT))";

    @BeforeAll
    static void table() {
        Cluster.cql("CREATE TABLE sales.guarded (id text PRIMARY KEY, n bigint, rev bigint)");
    }

    private static String refused(String told, String columns, String options, String values)
            throws Exception {
        long before = Metrics.sum("guardRefusals");
        String found = Jobs.failure(columns, options, values);
        assertTrue(found.contains(told), found);
        assertTrue(found.contains("SuppressRestartsException"), found);
        assertEquals(1, Metrics.sum("guardRefusals") - before, "one attempt, one refusal");
        assertFalse(found.contains(Cluster.PASSWORD), found);
        return found;
    }

    private static void refused(String told, String... changes) throws Exception {
        refused(told, COLUMNS, Cluster.options("guarded", changes), VALUES);
        assertEquals(0, Cluster.count("sales.guarded"));
    }

    @Test
    void oneOfTwoContactPointsInAnotherDataCentre() throws Exception {
        refused(
                "The contact point "
                        + Cluster.AZURE
                        + ":"
                        + Cluster.port()
                        + " is in data centre DC_AZURE",
                "hosts",
                Cluster.ONPREM + "," + Cluster.AZURE);
    }

    @Test
    void aContactPointOutsideTheNetworks() throws Exception {
        refused(
                "leads to " + Cluster.AZURE + ", which is in none of the allowed networks",
                "hosts",
                Cluster.ONPREM + "," + Cluster.AZURE,
                "allowed-networks",
                Cluster.ONPREM + "/32,fd00::/8");
        refused(
                "leads to 127.0.0.1, which is in none of the allowed networks",
                "hosts",
                "localhost:" + Cluster.port(),
                "allowed-networks",
                "10.10.0.0/24");
    }

    @Test
    void aDataCentreThatIsNotThere() throws Exception {
        refused(
                "is in data centre DC_ONPREM, this sink writes to DC_LAB alone",
                "datacenter",
                "DC_LAB");
    }

    @Test
    void aKeyspaceInTwoDataCentres() throws Exception {
        Cluster.cql("CREATE TABLE both.guarded (id text PRIMARY KEY, n bigint, rev bigint)");
        refused("The keyspace both is also replicated to [DC_AZURE]", "keyspace", "both");
        assertEquals(0, Cluster.count("both.guarded"));
        // Meant: then it is written.
        Jobs.insert(
                COLUMNS,
                Cluster.options("guarded", "keyspace", "both", "allow-replication-to", "DC_AZURE"),
                VALUES);
        assertEquals(1, Cluster.count("both.guarded"));
    }

    @Test
    void aKeyspaceWithoutPlaces() throws Exception {
        Cluster.cql("CREATE TABLE plain.guarded (id text PRIMARY KEY, n bigint, rev bigint)");
        refused("SimpleStrategy, which places replicas whatever", "keyspace", "plain");
        assertEquals(0, Cluster.count("plain.guarded"));
    }

    @Test
    void aWrongPassword() throws Exception {
        refused("does not let the user in", "password", "wrong-one");
    }

    @Test
    void noTable() throws Exception {
        String options = Cluster.options("none");
        refused("There is no table sales.none", COLUMNS, options, VALUES);
        refused("There is no table none.guarded", "keyspace", "none");
    }

    @Test
    void anotherSchema() throws Exception {
        Cluster.cql(
                "CREATE TABLE sales.other (id int, day date, n bigint, s text STATIC, PRIMARY KEY (id, day))");
        String found =
                refused(
                        "does not fit sales.other",
                        "id STRING, n BIGINT, m DOUBLE, s STRING, PRIMARY KEY (id) NOT ENFORCED",
                        Cluster.options("other"),
                        "('1', CAST(1 AS BIGINT), CAST(1 AS DOUBLE), 's')");
        for (String line :
                new String[] {
                    "id: STRING NOT NULL in the DDL, int in the table",
                    "m: DOUBLE in the DDL, not in the table",
                    "s: static in the table",
                    "PRIMARY KEY: (id) in the DDL, (id, day) in the table"
                }) {
            assertTrue(found.contains(line), found);
        }
        assertEquals(0, Cluster.count("sales.other"));
    }

    @Test
    void counters() throws Exception {
        Cluster.cql("CREATE TABLE sales.counted (id text PRIMARY KEY, n counter)");
        refused(
                "one of counters",
                "id STRING, n BIGINT, PRIMARY KEY (id) NOT ENFORCED",
                Cluster.options("counted"),
                "('1', CAST(1 AS BIGINT))");
    }

    @Test
    void aUserWhoMayOnlyRead() throws Exception {
        Cluster.cql(
                "CREATE ROLE reader WITH LOGIN = true AND PASSWORD = 'of-the-reader'",
                "GRANT SELECT ON KEYSPACE sales TO reader");
        refused("MODIFY", "username", "reader", "password", "of-the-reader");
    }

    @Test
    void aTruststoreAndAContactPointThatIsAway() throws Exception {
        Cluster.cql("CREATE TABLE sales.trusted (id text PRIMARY KEY, n bigint, rev bigint)");
        String options =
                Cluster.options(
                                "trusted",
                                "hosts",
                                Cluster.ONPREM + "," + Cluster.ONPREM + ":1",
                                "ssl.truststore",
                                Cluster.truststore(),
                                "ssl.truststore-password",
                                Cluster.truststorePassword())
                        .replaceAll("'ssl.ca-file' = '[^']*',? ?", "");
        Jobs.insert(COLUMNS, options, VALUES);
        assertEquals(1, Cluster.count("sales.trusted"));
    }

    /** Told, and tried again where the job's restart strategy says so; here there is none. */
    @Test
    void theJvmsAuthoritiesDoNotKnowThisOne() throws Exception {
        String options =
                Cluster.options("guarded", "ssl.enabled", "true")
                        .replaceAll("'ssl.ca-file' = '[^']*',? ?", "");
        StreamTableEnvironment tables =
                StreamTableEnvironment.create(
                        StreamExecutionEnvironment.getExecutionEnvironment(
                                Metrics.configuration()));
        tables.executeSql("CREATE TABLE target (" + COLUMNS + ") WITH (" + options + ")");
        TableResult job = tables.executeSql("INSERT INTO target VALUES " + VALUES);
        String found = "";
        try {
            job.await();
        } catch (java.util.concurrent.ExecutionException error) {
            found = Metrics.chain(error);
        }
        assertTrue(found.contains("answers, but not which data centre"), found);
        assertTrue(found.contains("certification path"), found);
    }

    /** ALTER KEYSPACE while a job writes: it ends, and is not restarted. */
    @Test
    void replicationThatGrowsUnderARunningJob() throws Exception {
        Cluster.cql("CREATE TABLE grows.guarded (id text PRIMARY KEY, n bigint, rev bigint)");
        StreamTableEnvironment tables = Jobs.tables();
        TableResult job =
                Jobs.numbers(tables, 10_000_000, Cluster.options("guarded", "keyspace", "grows"));
        Cluster.waitFor("rows", () -> Cluster.hasRows("grows.guarded"));
        assertEquals(
                0,
                Cluster.session(Cluster.AZURE, "DC_AZURE")
                        .execute("SELECT username FROM system_views.clients")
                        .all()
                        .stream()
                        .filter(client -> Cluster.USER.equals(client.getString("username")))
                        .count(),
                "no connection to the other data centre");
        Cluster.cql(
                "ALTER KEYSPACE grows WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1, 'DC_AZURE': 1}");
        String found = "";
        try {
            job.await();
        } catch (java.util.concurrent.ExecutionException error) {
            found = Metrics.chain(error);
        }
        assertTrue(found.contains("also replicated to [DC_AZURE]"), found);
        assertTrue(found.contains("SuppressRestartsException"), found);
    }
}
