package cdc.oracle.connector;

import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import io.debezium.connector.SourceInfoStructMaker;
import io.debezium.connector.base.ChangeEventQueue;
import io.debezium.connector.cassandra.AbstractSchemaChangeListener;
import io.debezium.connector.cassandra.CassandraClient;
import io.debezium.connector.cassandra.CassandraConnectorConfig;
import io.debezium.connector.cassandra.CassandraConnectorContext;
import io.debezium.connector.cassandra.CassandraSourceInfoStructMaker;
import io.debezium.connector.cassandra.Event;
import io.debezium.connector.cassandra.KeyspaceTable;
import io.debezium.connector.cassandra.OffsetWriter;
import io.debezium.connector.cassandra.SchemaHolder;
import io.debezium.connector.cassandra.SourceInfo;
import io.debezium.util.LoggingContext;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

/** What the connector's segment reader asks of its surroundings, without a node: schemas of given tables, no offsets. */
final class Context implements CassandraConnectorContext {
    private final CassandraConnectorConfig config;
    private final SchemaHolder schemas = new SchemaHolder();
    private final ChangeEventQueue<Event> queue;

    Context(CassandraConnectorConfig config, List<TableMetadata> tables, ChangeEventQueue<Event> queue) {
        this.config = config;
        this.queue = queue;
        CassandraSourceInfoStructMaker source = new CassandraSourceInfoStructMaker();
        source.init("cassandra", "3.5.0.Final", config);
        Schemas listener = new Schemas(config.getLogicalName(), source, schemas);
        tables.forEach(listener::add);
    }

    /** Gives access to how the connector derives a schema from a table. */
    private static final class Schemas extends AbstractSchemaChangeListener {
        Schemas(String prefix, SourceInfoStructMaker<SourceInfo> source, SchemaHolder schemas) {
            super(prefix, source, schemas);
        }

        void add(TableMetadata table) {
            getSchemaHolder().addOrUpdateTableSchema(new KeyspaceTable(table), getKeyValueSchema(table));
        }
    }

    @Override
    public CassandraConnectorConfig getCassandraConnectorConfig() {
        return config;
    }

    @Override
    public List<ChangeEventQueue<Event>> getQueues() {
        return List.of(queue);
    }

    @Override
    public SchemaHolder getSchemaHolder() {
        return schemas;
    }

    @Override
    public OffsetWriter getOffsetWriter() {
        return new OffsetWriter() {
            @Override
            public Future<?> markOffset(String table, String position, boolean snapshot) {
                return CompletableFuture.completedFuture(null);
            }

            @Override
            public boolean isOffsetProcessed(String table, String position, boolean snapshot) {
                return false;
            }

            @Override
            public Future<?> flush() {
                return CompletableFuture.completedFuture(null);
            }

            @Override
            public void close() {
                // nothing is open
            }
        };
    }

    @Override
    public Set<String> getErroneousCommitLogs() {
        return Set.of();
    }

    @Override
    public String getClusterName() {
        return "bench";
    }

    @Override
    public LoggingContext.PreviousContext configureLoggingContext(String name) {
        return LoggingContext.forConnector("cassandra", config.getLogicalName(), name);
    }

    @Override
    public CassandraClient getCassandraClient() {
        throw new UnsupportedOperationException("there is no node");
    }

    @Override
    public void cleanUp() {
        // nothing to clean
    }
}
