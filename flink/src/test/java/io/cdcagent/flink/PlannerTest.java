package io.cdcagent.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.ValidationException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Statements with the sink, on the real planner; no Cassandra is there. */
class PlannerTest {
    private static TableEnvironment tables;

    @BeforeAll
    static void start() {
        tables = Metrics.tables();
        // As the first design has them, but for the quoted column `value`, a word of SQL.
        tables.executeSql(
                "CREATE TABLE cassandra_onprem_sink (id STRING, event_ts TIMESTAMP(3), `value` DOUBLE, record_hash STRING,"
                        + " PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'cassandra', 'keyspace' = 'sales', 'table' = 'events',"
                        + " 'hosts' = '10.10.0.5,10.10.0.6', 'datacenter' = 'DC_ONPREM')");
        tables.executeSql(
                "CREATE TABLE dq_metrics_cassandra (job_name STRING, metric_ts TIMESTAMP(3), metric_type STRING, metric_value BIGINT,"
                        + " PRIMARY KEY (job_name, metric_ts, metric_type) NOT ENFORCED) WITH ('connector' = 'cassandra-dc',"
                        + " 'keyspace' = 'metrics', 'table' = 'dq_counts', 'hosts' = '10.10.0.5', 'datacenter' = 'DC_ONPREM')");
        tables.executeSql(
                "CREATE TABLE sales (id STRING, event_ts TIMESTAMP(3), amount DOUBLE, rt AS PROCTIME()) WITH ('connector' = 'datagen')");
    }

    /** The profile of another Flink really tests that one. */
    @Test
    void theVersionIsTheOneAskedFor() {
        assertEquals(System.getProperty("flink.version"), EnvironmentInformation.getVersion());
    }

    @Test
    void appendedRows() {
        String plan =
                tables.explainSql(
                        "INSERT INTO cassandra_onprem_sink (id, event_ts, `value`, record_hash) SELECT id, event_ts, amount, 'h' FROM sales");
        assertTrue(
                plan.contains(
                        "Sink(table=[default_catalog.default_database.cassandra_onprem_sink]"),
                plan);
        assertFalse(plan.contains("SinkMaterializer"), plan);
    }

    @Test
    void changedRows() {
        String plan =
                tables.explainSql(
                        "INSERT INTO cassandra_onprem_sink SELECT id, MAX(event_ts), SUM(amount), MAX(id) FROM sales GROUP BY id");
        assertTrue(plan.contains("GroupAggregate"), plan);
    }

    @Test
    void windowsOfCounters() {
        tables.explainSql(
                "INSERT INTO dq_metrics_cassandra SELECT 'job', window_end, 'valid', COUNT(*) FROM"
                        + " TABLE(TUMBLE(TABLE sales, DESCRIPTOR(rt), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end");
    }

    @Test
    void allOptions() {
        tables.executeSql(
                "CREATE TEMPORARY TABLE t WITH ('username-env' = 'U', 'password' = 'not-to-be-seen', 'ssl.ca-file' = '/ca.pem',"
                        + " 'ssl.keystore' = '/k', 'ssl.keystore-password-file' = '/p', 'ssl.hostname-verification' = 'true',"
                        + " 'consistency-level' = 'LOCAL_ONE', 'allowed-networks' = '10.10.0.0/24,fd00::/8', 'allow-replication-to' = 'DC_LAB', 'write-timestamp-column' = 'event_ts',"
                        + " 'write-timestamp-unit' = 'ms', 'null-columns' = 'null', 'max-in-flight' = '8', 'max-retries' = '3',"
                        + " 'retry-backoff' = '50 ms', 'retry-backoff-max' = '1 s', 'request-timeout' = '2 s', 'connect-timeout' = '2 s',"
                        + " 'sink.parallelism' = '2') LIKE cassandra_onprem_sink");
        String plan =
                tables.explainSql("INSERT INTO t SELECT id, event_ts, amount, 'h' FROM sales");
        assertFalse(plan.contains("not-to-be-seen"), plan);
    }

    @Test
    void mistakesAreToldWhenAStatementIsPlanned() {
        refused("has no PRIMARY KEY", "(id STRING)", "");
        String keyed = "(id STRING, PRIMARY KEY (id) NOT ENFORCED)";
        refused("QUORUM also counts", keyed, ", 'consistency-level' = 'QUORUM'");
        refused("Unsupported options", keyed, ", 'datacentre' = 'DC_ONPREM'");
    }

    private static void refused(String told, String columns, String options) {
        tables.executeSql(
                "CREATE TEMPORARY TABLE wrong "
                        + columns
                        + " WITH ('connector' = 'cassandra', 'hosts' = 'a', 'datacenter' = 'd', 'keyspace' = 'k', 'table' = 't'"
                        + options
                        + ")");
        try {
            ValidationException error =
                    assertThrows(
                            ValidationException.class,
                            () -> tables.explainSql("INSERT INTO wrong SELECT id FROM sales"));
            assertTrue(Metrics.chain(error).contains(told), Metrics.chain(error));
        } finally {
            tables.executeSql("DROP TEMPORARY TABLE wrong");
        }
    }
}
