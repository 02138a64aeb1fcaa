package cdc.oracle.bench;

import cdc.oracle.writer.Options;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Measures levels of work over a corpus, a whole pass a round.
 *
 * <p>{@code --rounds N --warmup N [--levels A,B]}: one JSON object a level on standard output. {@code --serve true}: reads
 * level names from standard input, one a line, runs one pass for each and answers with one line of JSON, so that several
 * programs can take turns.
 */
public final class Rounds {
    private static final double MEGA = 1e6;

    /** What one pass saw. */
    public static final class Count {
        public long mutations;
        public long records;
        /** Bytes of what was made of the records. */
        public long outBytes;
    }

    /** One kind of pass over all segments. */
    public interface Level {
        Count pass(List<Path> segments) throws Exception;
    }

    private final ObjectMapper json = new ObjectMapper();
    private final Corpus corpus;
    private final Map<String, Level> levels;

    public Rounds(Corpus corpus, Map<String, Level> levels) {
        this.corpus = corpus;
        this.levels = levels;
    }

    public static Options options(String[] arguments) {
        return new Options(arguments, "corpus", "rounds", "warmup", "levels", "serve");
    }

    /** Does what the options say. */
    public void run(Options options) throws Exception {
        if (options.text("serve", "false").equals("true")) {
            serve();
            return;
        }
        for (String level : options.text("levels", String.join(",", levels.keySet())).split(",")) {
            System.out.println(measure(level, options.number("warmup", 3), options.number("rounds", 10)));
        }
    }

    private void serve() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (String level = in.readLine(); level != null; level = in.readLine()) {
            Count count = new Count();
            double seconds = pass(level, count);
            ObjectNode answer = json.createObjectNode().put("level", level).put("seconds", seconds);
            System.out.println(sizes(answer, count));
        }
    }

    private ObjectNode measure(String level, long warmup, long rounds) throws Exception {
        ObjectNode result = json.createObjectNode().put("level", level);
        ArrayNode megabytes = result.putArray("mb_per_s");
        ArrayNode mutations = result.putArray("mutations_per_s");
        ArrayNode records = result.putArray("records_per_s");
        List<Double> rates = new ArrayList<>();
        Count count = new Count();
        for (long round = -warmup; round < rounds; round++) {
            double seconds = pass(level, count);
            if (round >= 0) {
                rates.add(corpus.bytes / MEGA / seconds);
                megabytes.add(corpus.bytes / MEGA / seconds);
                mutations.add(count.mutations / seconds);
                records.add(count.records / seconds);
            }
        }
        Collections.sort(rates);
        return sizes(result, count).put("best", rates.get(rates.size() - 1)).put("median", rates.get(rates.size() / 2))
            .put("peak_rss", peakResident());
    }

    private ObjectNode sizes(ObjectNode into, Count count) {
        return into.put("mutations", count.mutations).put("records", count.records).put("bytes", corpus.bytes)
            .put("out_bytes", count.outBytes);
    }

    private double pass(String level, Count count) throws Exception {
        Level chosen = levels.get(level);
        if (chosen == null) {
            throw new IllegalArgumentException("unknown level " + level + ": one of " + new TreeMap<>(levels).keySet());
        }
        long started = System.nanoTime();
        Count seen = chosen.pass(corpus.segments);
        double seconds = (System.nanoTime() - started) / 1e9;
        count.mutations = seen.mutations;
        count.records = seen.records;
        count.outBytes = seen.outBytes;
        return seconds;
    }

    /** Bytes; the most this process has had in memory, files included. */
    private static long peakResident() throws IOException {
        for (String line : Files.readAllLines(Paths.get("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        return 0;
    }
}
