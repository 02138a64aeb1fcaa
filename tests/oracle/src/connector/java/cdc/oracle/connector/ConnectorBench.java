package cdc.oracle.connector;

import cdc.oracle.Offline;
import cdc.oracle.SchemaFile;
import cdc.oracle.bench.Corpus;
import cdc.oracle.bench.Rounds;
import cdc.oracle.writer.Options;
import cdc.oracle.writer.Program;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import io.debezium.config.Configuration;
import io.debezium.connector.base.ChangeEventQueue;
import io.debezium.connector.base.QueueProvider;
import io.debezium.connector.cassandra.Cassandra4CommitLogSegmentReader;
import io.debezium.connector.cassandra.Cassandra4TypeProvider;
import io.debezium.connector.cassandra.CassandraConnectorConfig;
import io.debezium.connector.cassandra.CommitLogSegmentReader;
import io.debezium.connector.cassandra.Event;
import io.debezium.connector.cassandra.Record;
import io.debezium.connector.cassandra.metrics.CassandraStreamingMetrics;
import io.debezium.connector.cassandra.transforms.CassandraTypeDeserializer;
import io.debezium.connector.common.CdcSourceTaskContext;
import io.debezium.util.LoggingContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * Measures the JVM connector's segment reader without a node or Kafka. Levels: {@code events} (its records are made and
 * counted), {@code queue} (the same through its real queue, drained by a second thread), {@code json} (its records are also
 * converted to JSON keys and values, as its emitter does).
 */
public final class ConnectorBench {
    private static final String PREFIX = "bench";

    private final CassandraConnectorConfig config;
    private final List<TableMetadata> tables;
    private final CassandraStreamingMetrics metrics;

    private ConnectorBench(Path schema) throws Exception {
        Configuration settings = Configuration.create().with("topic.prefix", PREFIX).with("connector.name", PREFIX)
            .with("cassandra.cluster.name", "bench").build();
        config = new CassandraConnectorConfig(settings);
        CassandraTypeDeserializer.init(new Cassandra4TypeProvider().deserializers(), config.getDecimalMode(),
            config.getVarIntMode(), new Cassandra4TypeProvider().baseTypeForReversedType());
        tables = new DriverTables(schema).withCdc();
        metrics = new CassandraStreamingMetrics(new CdcSourceTaskContext<>(settings, config, Map.of()));
    }

    public static void main(String[] arguments) {
        Program.run(() -> run(arguments));
    }

    private static void run(String[] arguments) throws Exception {
        Options options = Rounds.options(arguments);
        Corpus corpus = new Corpus(options.path("corpus"));
        Offline.start(Map.of("cdc_enabled", "true"), null);
        new SchemaFile(corpus.schema.toFile(), false).register();
        ConnectorBench bench = new ConnectorBench(corpus.schema);
        new Rounds(corpus, Map.of("events", bench::events, "queue", bench::queue, "json", bench::json)).run(options);
    }

    private Rounds.Count events(List<Path> segments) throws Exception {
        Rounds.Count count = new Rounds.Count();
        return read(segments, count, event -> count.records += event instanceof Record ? 1 : 0);
    }

    private Rounds.Count json(List<Path> segments) throws Exception {
        Rounds.Count count = new Rounds.Count();
        JsonConverter keys = converter(true);
        JsonConverter values = converter(false);
        return read(segments, count, event -> {
            if (event instanceof Record) {
                Record record = (Record) event;
                byte[] key = keys.fromConnectData(PREFIX, record.getKeySchema(), record.buildKey());
                byte[] value = values.fromConnectData(PREFIX, record.getValueSchema(), record.buildValue());
                count.outBytes += key.length + value.length;
                count.records++;
            }
        });
    }

    private static JsonConverter converter(boolean key) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false"), key);
        return converter;
    }

    /** Reads on this thread, which also consumes the records. */
    private Rounds.Count read(List<Path> segments, Rounds.Count count, Consumer<Event> consumer) throws Exception {
        ChangeEventQueue<Event> queue = queueOf(new Handover(consumer));
        readAll(segments, queue);
        count.mutations = metrics.getNumberOfProcessedMutations();
        return count;
    }

    private Rounds.Count queue(List<Path> segments) throws Exception {
        ChangeEventQueue<Event> queue = queueOf(null);
        AtomicLong records = new AtomicLong();
        Thread drain = new Thread(() -> {
            try {
                while (true) {
                    records.addAndGet(queue.poll().size());
                }
            } catch (InterruptedException e) {
                // the pass is over
            }
        });
        drain.start();
        readAll(segments, queue);
        while (queue.remainingCapacity() < queue.totalCapacity()) {
            Thread.onSpinWait();
        }
        drain.interrupt();
        drain.join();
        Rounds.Count count = new Rounds.Count();
        count.mutations = metrics.getNumberOfProcessedMutations();
        count.records = records.get();
        return count;
    }

    private void readAll(List<Path> segments, ChangeEventQueue<Event> queue) throws Exception {
        metrics.reset();
        Context context = new Context(config, tables, queue);
        CommitLogSegmentReader reader = new Cassandra4CommitLogSegmentReader(context, metrics);
        for (Path segment : segments) {
            String id = segment.getFileName().toString().replaceAll(".*-(\\d+)\\.log", "$1");
            reader.readCommitLogSegment(segment.toFile(), Long.parseLong(id), 0);
        }
    }

    /** The connector's queue with its default sizes; {@code provider} null for its own store. */
    private ChangeEventQueue<Event> queueOf(QueueProvider<Event> provider) {
        ChangeEventQueue.Builder<Event> builder = new ChangeEventQueue.Builder<Event>().pollInterval(Duration.ofMillis(1))
            .maxBatchSize(config.maxBatchSize()).maxQueueSize(config.maxQueueSize())
            .loggingContextSupplier(() -> LoggingContext.forConnector("cassandra", PREFIX, "bench"));
        return provider == null ? builder.build() : builder.queueProvider(provider).build();
    }
}
