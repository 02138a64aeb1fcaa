package cdc.oracle.writer;

import java.nio.file.Path;

/**
 * Random schemas and random statements through Cassandra's own parser and commit log.
 *
 * <p>Writes into {@code --out} the segments, {@code schema.json}, {@code statements.cql} and, when encrypted, the key.
 * The statements follow from the seed; the bytes also hold the clock and the list ids of the run.
 */
public final class RandomWriter {
    private static final int STATEMENTS_A_SECTION = 150;
    private static final int STATEMENTS_A_CHANGE = 400;
    /** One in so many may be refused. */
    private static final int MOST_REFUSED = 3;

    private RandomWriter() {
    }

    public static void main(String[] arguments) {
        Program.run(() -> run(arguments));
    }

    private static void run(String[] arguments) throws Exception {
        Options options = new Options(arguments,
            "seed", "statements", "tables", "out", "compression", "compat", "segment-size", "disk-access", "drops");
        long seed = options.number("seed", 1);
        long statements = options.number("statements", 2000);
        Dice dice = new Dice(seed);
        NodeSettings settings = new NodeSettings();
        settings.compression = options.text("compression", "none");
        settings.compatibility = options.text("compat", null);
        settings.diskAccess = options.text("disk-access", null);
        settings.segmentSize = options.text("segment-size", "1MiB");
        settings.chunkKib = dice.of(2, 4, 64);
        Path out = options.path("out");
        Node node = new Node(out, settings);
        write(node, dice, statements, (int) options.number("tables", 24), options.number("drops", 0));
        node.close();
        int refused = node.rejections().values().stream().mapToInt(Integer::intValue).sum();
        System.err.printf("seed %d: %d statements written, %d refused, into %s%n", seed, node.acceptedCount(), refused, out);
        if (System.getenv("WRITER_VERBOSE") != null) {
            node.rejections().forEach((reason, count) -> System.err.println(count + " x " + reason));
        }
        if (refused > node.acceptedCount() / MOST_REFUSED) {
            throw new IllegalStateException("too many statements are refused: the generator is broken");
        }
    }

    private static void write(Node node, Dice dice, long statements, int tables, long drops) throws Exception {
        Literals literals = new Literals(dice);
        RandomSchema schema = new RandomSchema(dice, literals, node);
        schema.create(tables);
        Statements generator = new Statements(dice, literals, schema);
        long dropEvery = drops > 0 ? Math.max(1, statements / (drops + 1)) : Long.MAX_VALUE;
        for (long i = 1; i <= statements; i++) {
            node.execute(generator.next());
            if (i % STATEMENTS_A_SECTION == 0) {
                node.sync();
            }
            if (i % STATEMENTS_A_CHANGE == 0) {
                schema.change();
            }
            if (i % dropEvery == 0) {
                schema.drop();
            }
        }
    }
}
