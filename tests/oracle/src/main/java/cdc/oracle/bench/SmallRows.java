package cdc.oracle.bench;

import cdc.oracle.writer.Node;
import java.util.Random;
import org.apache.cassandra.cql3.CQLStatement;

/** Inserts into one table of short rows. */
final class SmallRows {
    private final LogWriter log;
    private final Random random;
    private final CQLStatement insert;

    SmallRows(Node node, LogWriter log, Random random) {
        this.log = log;
        this.random = random;
        node.require("CREATE KEYSPACE small WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        node.require("CREATE TABLE small.rows (id bigint PRIMARY KEY, name text, amount int, ratio double, active boolean)"
            + " WITH cdc = true");
        insert = LogWriter.prepare("INSERT INTO small.rows (id, name, amount, ratio, active) VALUES (?, ?, ?, ?, ?)");
    }

    void write() throws Exception {
        log.write(insert, random.nextLong() >>> 1, Words.some(random, 1), random.nextInt(100_000), random.nextInt(10_000) / 100.0,
            random.nextBoolean());
    }
}
