package cdc.oracle.writer;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.QueryProcessor;
import org.apache.cassandra.db.Keyspace;
import org.apache.cassandra.db.SystemKeyspace;
import org.apache.cassandra.db.commitlog.CommitLog;
import org.apache.cassandra.schema.Schema;

/**
 * Cassandra's storage engine in this JVM, without a server: statements go through its parser, its write path and its
 * commit log. One a process, since its state is static. The folder {@code out} gets the segments, the schema and the
 * accepted statements.
 */
public final class Node implements AutoCloseable {
    private final Path home;
    private final Path out;
    private final BufferedWriter accepted;
    private final Segments segments;
    private final Map<String, Integer> rejections = new TreeMap<>();
    private int acceptedCount;

    /** Starts the engine with empty folders; its own files stand in a temporary folder beside {@code out}. */
    public Node(Path out, NodeSettings settings) throws Exception {
        this.out = out;
        Files.createDirectories(out);
        this.home = Files.createTempDirectory(out, ".node");
        if (settings.encrypted()) {
            byte[] key = new byte[16];
            for (int i = 0; i < key.length; i++) {
                key[i] = (byte) (i * 7 + 1);
            }
            settings.writeKey(home, key);
            settings.writeKey(out, key);
        }
        System.setProperty("cassandra.config", settings.write(home).toUri().toString());
        System.setProperty("cassandra.storagedir", home.toString());
        System.setProperty("cassandra.expiration_date_overflow_policy", "CAP_NOWARN");
        // a flush would let Cassandra discard segments, and costs time at every change of the schema
        System.setProperty("cassandra.test.flush_local_schema_changes", "false");
        DatabaseDescriptor.daemonInitialization();
        DatabaseDescriptor.createAllDirectories();
        CommitLog.instance.start();
        Keyspace.setInitialized();
        SystemKeyspace.persistLocalMetadata();
        Schema.instance.loadFromDisk();
        SystemKeyspace.getOrInitializeLocalHostId();
        accepted = Files.newBufferedWriter(out.resolve("statements.cql"));
        segments = new Segments(home.resolve("commitlog"), out);
    }

    /** Whether this release knows the type {@code vector}. */
    public boolean hasVectors() {
        try {
            Class.forName("org.apache.cassandra.db.marshal.VectorType");
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /** Executes a statement; false when Cassandra refuses it, which is counted with its reason. */
    public boolean execute(String cql) {
        try {
            QueryProcessor.executeOnceInternal(cql);
        } catch (RuntimeException e) {
            String reason = String.valueOf(e.getMessage()).replaceAll("\"[^\"]*\"|'[^']*'|[0-9]+|\\s+", " ");
            String kind = e.getClass().getSimpleName() + ": " + reason.substring(0, Math.min(90, reason.length()));
            rejections.merge(kind, 1, Integer::sum);
            return false;
        }
        record(cql);
        return true;
    }

    /** Executes a statement that has to work. */
    public void require(String cql) {
        QueryProcessor.executeOnceInternal(cql);
        record(cql);
    }

    private void record(String cql) {
        acceptedCount++;
        try {
            accepted.write(cql + ";\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the running section of the commit log. */
    public void sync() throws IOException {
        CommitLog.instance.sync(true);
        segments.keep();
    }

    public int acceptedCount() {
        return acceptedCount;
    }

    /** Why statements were refused, and how often. */
    public Map<String, Integer> rejections() {
        return rejections;
    }

    /** Ends the commit log, then completes {@code out} and removes the engine's own files. */
    @Override
    public void close() throws Exception {
        SchemaExport.write(out.resolve("schema.json"));
        sync();
        CommitLog.instance.shutdownBlocking();
        segments.keep();
        segments.dropUnused();
        accepted.close();
        remove(home);
    }

    /** Removes a folder in which the engine's background threads may still remove files too. */
    private static void remove(Path folder) throws IOException {
        for (int attempt = 0; Files.exists(folder); attempt++) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                    Files.deleteIfExists(file);
                }
            } catch (IOException | UncheckedIOException e) {
                if (attempt == 20) {
                    throw e;
                }
            }
        }
    }
}
