package cdc.oracle.bench;

import cdc.oracle.writer.Node;
import cdc.oracle.writer.NodeSettings;
import cdc.oracle.writer.Options;
import cdc.oracle.writer.Program;
import java.nio.file.Path;
import java.util.Random;

/**
 * Writes a corpus for measurements through Cassandra's own commit log: segments and {@code schema.json}.
 *
 * <p>Kinds: {@code all-cdc} (every table has cdc), {@code lz4} (the same, compressed), {@code ten-percent} (one mutation
 * in ten is for tables with cdc), {@code unwanted} (none is), {@code small-row} (one table of short rows).
 * {@code --compression} names Cassandra's compressor class for any of them.
 */
public final class CorpusWriter {
    private CorpusWriter() {
    }

    public static void main(String[] arguments) {
        Program.run(() -> run(arguments));
    }

    private static void run(String[] arguments) throws Exception {
        Options options = new Options(arguments, "out", "kind", "mutations", "segment-size", "compression", "seed");
        String kind = options.text("kind", "all-cdc");
        long mutations = options.number("mutations", 1_000_000);
        NodeSettings settings = new NodeSettings();
        settings.segmentSize = options.text("segment-size", "32MiB");
        settings.compression = options.text("compression", kind.equals("lz4") ? "LZ4Compressor" : "none");
        Random random = new Random(options.number("seed", 1));
        Path out = options.path("out");
        LogWriter log;
        long started = System.nanoTime();
        try (Node node = new Node(out, settings)) {
            log = new LogWriter();
            write(kind, node, log, random, mutations);
        }
        System.err.printf("%s: %d mutations in %.1f s into %s%n", kind, log.mutations(), (System.nanoTime() - started) / 1e9, out);
    }

    private static void write(String kind, Node node, LogWriter log, Random random, long mutations) throws Exception {
        if (kind.equals("small-row")) {
            SmallRows rows = new SmallRows(node, log, random);
            while (log.mutations() < mutations) {
                rows.write();
            }
            return;
        }
        double wantedShare;
        switch (kind) {
            case "all-cdc": case "lz4": wantedShare = 1; break;
            case "ten-percent": wantedShare = 0.1; break;
            case "unwanted": wantedShare = 0; break;
            default: throw new IllegalArgumentException("unknown kind " + kind);
        }
        Shop wanted = wantedShare > 0 ? new Shop(node, log, random, "shop", true) : null;
        Shop unwanted = wantedShare < 1 ? new Shop(node, log, random, "bulk", false) : null;
        while (log.mutations() < mutations) {
            (random.nextDouble() < wantedShare ? wanted : unwanted).write();
        }
    }
}
