package cdc.oracle.dump;

import cdc.oracle.Offline;
import cdc.oracle.SchemaFile;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.cassandra.db.commitlog.CommitLogReader;
import org.apache.cassandra.io.util.File;
import org.apache.cassandra.schema.SchemaConstants;

/** Says what Cassandra's own CommitLogReader finds in commit log segments, as canonical JSON Lines. */
public final class SegmentDump {
    private static final String USAGE = "usage: SegmentDump --schema FILE [--config NAME=VALUE]… [--keystore FILE"
            + " --keystore-password TEXT [--key-password TEXT] [--keystore-type JCEKS|PKCS12] [--key-alias TEXT]]"
            + " [--out FILE] [--keyspaces A,B | --only user|system] [--ignore-dropped] [--strict] SEGMENT…";

    private static final Set<String> FLAGS = Set.of("--ignore-dropped", "--strict");

    private final Map<String, String> options = new LinkedHashMap<>();
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final List<String> segments = new ArrayList<>();

    private SegmentDump(String[] args) {
        for (int i = 0; i < args.length; i++) {
            String arg = args[i];
            if (!arg.startsWith("--")) {
                segments.add(arg);
            } else if (FLAGS.contains(arg)) {
                options.put(arg, "");
            } else if (i + 1 == args.length) {
                throw new IllegalArgumentException(arg + " has no value\n" + USAGE);
            } else if (arg.equals("--config")) {
                String[] pair = args[++i].split("=", 2);
                settings.put(pair[0], pair[1]);
            } else {
                options.put(arg, args[++i]);
            }
        }
        if (!options.containsKey("--schema") || segments.isEmpty()) {
            throw new IllegalArgumentException(USAGE);
        }
    }

    public static void main(String[] args) {
        int code = 0;
        try {
            new SegmentDump(args).run();
        } catch (IllegalArgumentException | IOException e) {
            System.err.println(e.getMessage());
            code = 2;
        }
        // Cassandra's classes leave threads behind
        System.exit(code);
    }

    private void run() throws IOException {
        Offline.start(settings, keyStore());
        new SchemaFile(new java.io.File(options.get("--schema")), options.containsKey("--ignore-dropped")).register();
        String out = options.get("--out");
        try (OutputStream stream = new BufferedOutputStream(out == null ? System.out : new FileOutputStream(out));
                JsonGenerator json = new JsonFactory().createGenerator(stream)) {
            json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
            for (String segment : segments) {
                dump(new File(segment), json);
            }
            json.writeRaw('\n');
        }
    }

    private void dump(File segment, JsonGenerator json) throws IOException {
        SegmentHandler handler = new SegmentHandler(segment.name(), json, printed());
        CommitLogReader reader = new CommitLogReader();
        try {
            reader.readCommitLogSegment(handler, segment, !options.containsKey("--strict"));
        } catch (IOException | RuntimeException | Error e) {
            // damaged segments make the reader throw all kinds: what it threw is part of what it says
            handler.failed(e);
        }
        handler.summary(reader.getInvalidMutations());
    }

    /** Which keyspaces' mutations are printed. */
    private Predicate<String> printed() {
        String side = options.get("--only");
        if (side != null) {
            return keyspace -> SchemaConstants.isSystemKeyspace(keyspace) == side.equals("system");
        }
        String names = options.get("--keyspaces");
        return names == null ? keyspace -> true : Set.of(names.split(","))::contains;
    }

    private Offline.KeyStoreOptions keyStore() {
        String file = options.get("--keystore");
        if (file == null) {
            return null;
        }
        String password = options.getOrDefault("--keystore-password", "");
        return new Offline.KeyStoreOptions(
                new java.io.File(file).getAbsolutePath(),
                password,
                options.getOrDefault("--key-password", password),
                options.getOrDefault("--keystore-type", "JCEKS"),
                options.getOrDefault("--key-alias", "testing:1"));
    }
}
