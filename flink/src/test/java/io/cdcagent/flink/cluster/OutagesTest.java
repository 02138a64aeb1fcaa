package io.cdcagent.flink.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.datastax.oss.driver.api.core.cql.Row;
import io.cdcagent.flink.Metrics;
import org.apache.flink.table.api.TableResult;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The only node of the data centre goes away while a job writes. Every row must be there in the
 * end, with its time.
 */
@Tag("cassandra")
class OutagesTest {
    private static final int ROWS = 15_000;

    @BeforeAll
    static void tables() {
        Cluster.cql(
                "CREATE TABLE sales.paused (id text PRIMARY KEY, n bigint, rev bigint)",
                "CREATE TABLE sales.killed (id text PRIMARY KEY, n bigint, rev bigint)");
    }

    /** Halted for a while: writes time out, are repeated, and the job does not notice. */
    @Test
    void aPauseIsBridgedByRetries() throws Exception {
        String options =
                Cluster.options(
                        "paused",
                        "write-timestamp-column",
                        "rev",
                        "request-timeout",
                        "1 s",
                        "max-retries",
                        "1000",
                        "retry-backoff-max",
                        "500 ms");
        TableResult job = Jobs.numbers(Jobs.tables(), ROWS, options);
        Cluster.waitFor("rows", () -> Cluster.hasRows("sales.paused"));
        long retries = Metrics.sum("retries");
        Cluster.node("pause", "onprem1");
        try {
            Cluster.waitFor("retries", () -> Metrics.sum("retries") > retries);
        } finally {
            Cluster.node("resume", "onprem1");
        }
        job.await();
        check("sales.paused");
    }

    /**
     * Killed without retries: checkpoints fail, the job starts again from the last one, and repeats
     * what was written since.
     */
    @Test
    void aKilledNodeFailsCheckpointsAndLosesNothing() throws Exception {
        String options =
                Cluster.options(
                        "killed",
                        "write-timestamp-column",
                        "rev",
                        "max-retries",
                        "0",
                        "request-timeout",
                        "2 s",
                        "connect-timeout",
                        "10 s");
        long errors = Metrics.sum("numRecordsSendErrors");
        TableResult job = Jobs.numbers(Jobs.tables(), ROWS, options);
        Cluster.waitFor("rows", () -> Cluster.hasRows("sales.killed"));
        Cluster.node("kill", "onprem1");
        Cluster.waitFor("errors", () -> Metrics.sum("numRecordsSendErrors") > errors);
        Cluster.node("start", "onprem1");
        job.await();
        check("sales.killed");
    }

    private static void check(String table) {
        assertEquals(ROWS, Cluster.countInTheEnd(table));
        for (Row row : Cluster.rows("SELECT id, n, WRITETIME(n) AS t FROM " + table)) {
            long n = row.getLong("n");
            assertEquals(Long.toString(n), row.getString("id"));
            assertEquals(n + 1_000_000, row.getLong("t"));
        }
    }
}
