package io.cdcagent.flink.drift;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.JsonText;
import io.cdcagent.flink.drift.json.NotJsonException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The cases of tests/oracle/drift, and the verdicts that its oracle comes to. */
public final class DriftCases {
    private static final Path FOLDER = Path.of(System.getProperty("drift"));

    private DriftCases() {}

    /** A case, read in. */
    public static JsonNode parsed(String line) {
        try {
            return Json.read(line);
        } catch (NotJsonException error) {
            throw new AssertionError(line, error);
        }
    }

    /** The key of a record in bytes; null where it has none. */
    public static byte[] key(JsonNode record) {
        JsonNode key = record.get("key");
        return key == null ? null : JsonText.of(key).getBytes(StandardCharsets.UTF_8);
    }

    /** The committed ones. */
    public static List<JsonNode> vectors() throws IOException {
        List<JsonNode> cases = new ArrayList<>();
        for (String line : Files.readAllLines(FOLDER.resolve("vectors.jsonl"))) {
            cases.add(parsed(line));
        }
        return cases;
    }

    /** Digest of the records of each of them, and its name. */
    public static List<String> digests() throws IOException {
        return Files.readAllLines(FOLDER.resolve("records.sha256"));
    }

    /** Random histories, made now. */
    public static List<JsonNode> random(int count) throws IOException, InterruptedException {
        String program = FOLDER.resolve("histories.py").toString();
        Process oracle =
                new ProcessBuilder("python3", program, "--seed", "5000", "--count", "" + count)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        List<JsonNode> cases = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(oracle.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                cases.add(parsed(line));
            }
        }
        if (oracle.waitFor() != 0) {
            throw new AssertionError("histories.py: exit code " + oracle.exitValue());
        }
        return cases;
    }

    /** The oracle's verdicts in a form that can be sorted: of one moment they have no order. */
    public static List<String> expected(JsonNode drift) {
        List<String> lines = new ArrayList<>();
        for (JsonNode verdict : drift.get("verdicts")) {
            lines.add(line(verdict, verdict.get("columns")));
        }
        Collections.sort(lines);
        return lines;
    }

    /** The same of records of the audit topic. */
    public static List<String> told(List<String> records) {
        List<String> lines = new ArrayList<>();
        for (String record : records) {
            JsonNode verdict = parsed(record);
            JsonNode columns = verdict.get("evidence").get("columns");
            lines.add(line(verdict, columns == null ? parsed("[]") : columns));
        }
        Collections.sort(lines);
        return lines;
    }

    private static String line(JsonNode verdict, JsonNode columns) {
        StringBuilder line = new StringBuilder();
        for (String name : List.of("decided_us", "key", "version_us", "status")) {
            line.append(JsonText.of(verdict.get(name))).append(' ');
        }
        return line.append(JsonText.of(columns)).toString();
    }
}
