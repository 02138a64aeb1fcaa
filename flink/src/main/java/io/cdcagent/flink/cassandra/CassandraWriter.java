package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.metadata.schema.KeyspaceMetadata;
import com.datastax.oss.driver.api.core.servererrors.QueryValidationException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.table.data.RowData;

/**
 * Writes the rows of one subtask. At least once: a checkpoint waits for every write before it, and
 * fails with the first that was given up. A row's time is part of the write, so that a repeated one
 * changes nothing.
 */
final class CassandraWriter implements SinkWriter<RowData> {
    private final SinkMetrics metrics;
    private final CqlSession session;
    private final Watch watch;
    private final RowStatements statements;
    private final AsyncWrites<BoundStatement> writes;

    private CassandraWriter(
            SinkConfig config, SinkMetrics metrics, CqlSession session, Watch watch) {
        this.metrics = metrics;
        this.session = session;
        this.watch = watch;
        KeyspaceMetadata keyspace = TableCheck.keyspace(config, session.getMetadata());
        ReplicationGuard.check(config, keyspace.getReplication());
        List<TableColumn> columns = TableCheck.columns(config, TableCheck.table(config, keyspace));
        statements = new RowStatements(config, columns, session);
        Retries retries =
                new Retries(config.maxRetries, config.retryBackoff, config.retryBackoffMax);
        writes =
                new AsyncWrites<>(
                        session::executeAsync,
                        retries,
                        config.maxInFlight,
                        metrics,
                        config.toString());
    }

    /**
     * Makes every check, in this order: secrets and files, data centre of each contact point,
     * replication, table. Nothing is written before.
     *
     * @throws IOException when Cassandra is not reached
     */
    static CassandraWriter open(SinkConfig config, SinkMetrics metrics) throws IOException {
        try {
            Sessions sessions = new Sessions(config);
            Set<InetSocketAddress> addresses =
                    Set.copyOf(new DataCenterGuard(config, sessions).check());
            Watch watch = new Watch(config, addresses);
            CqlSession session = sessions.pinned(addresses, watch);
            try {
                return new CassandraWriter(config, metrics, session, watch);
            } catch (RuntimeException error) {
                session.close();
                throw error;
            }
        } catch (RefusedException refused) {
            metrics.refused();
            throw refused.endingTheJob();
        } catch (QueryValidationException error) {
            metrics.refused();
            throw new RefusedException(
                            String.format(
                                    "%s does not take the sink's statements (%s). Give its user SELECT and MODIFY on the table.",
                                    config, error.getMessage()))
                    .endingTheJob();
        } catch (DriverException error) {
            throw new IOException(config + " is not reached: " + error.getMessage(), error);
        }
    }

    @Override
    public void write(RowData row, Context context) throws IOException, InterruptedException {
        try {
            watch.check();
            BoundStatement statement = statements.of(row);
            if (statement != null) {
                writes.submit(statement);
            }
        } catch (RefusedException refused) {
            metrics.refused();
            throw refused.endingTheJob();
        } finally {
            metrics.report();
        }
    }

    @Override
    public void flush(boolean endOfInput) throws IOException, InterruptedException {
        try {
            writes.drain();
            watch.check();
        } catch (RefusedException refused) {
            metrics.refused();
            throw refused.endingTheJob();
        } finally {
            metrics.report();
        }
    }

    @Override
    public void close() {
        writes.close();
        session.close();
    }
}
