package io.cdcagent.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** The vectors of tests/oracle/vectors, which other programs made. */
public final class Vectors {
    private Vectors() {}

    public static List<JsonNode> of(String file) {
        ObjectMapper mapper = new ObjectMapper();
        List<JsonNode> found = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(Path.of(System.getProperty("vectors"), file))) {
                found.add(mapper.readTree(line));
            }
        } catch (IOException error) {
            throw new AssertionError(error);
        }
        return found;
    }
}
