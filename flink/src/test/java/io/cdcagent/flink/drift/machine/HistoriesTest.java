package io.cdcagent.flink.drift.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.DriftCases;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The machine beside the oracle of tests/oracle/drift, which derives the same verdicts the slow
 * way; as src/jobs/drift/tests.rs does with the machine of the embedded engine.
 */
class HistoriesTest {
    private static void check(List<JsonNode> cases) throws Exception {
        for (JsonNode drift : cases) {
            String name = drift.get("name").asText();
            List<String> expected = DriftCases.expected(drift);
            CaseRun whole = new CaseRun(drift, 1).run(0);
            assertEquals(expected, DriftCases.told(whole.audit()), name);
            assertEquals(whole.texts(), new CaseRun(drift, 1).run(7).texts(), name + ": restarts");
            CaseRun divided = new CaseRun(drift, 4).run(50);
            assertEquals(expected, DriftCases.told(divided.audit()), name + ": four machines");
            holdsWhatIsOpen(whole.said, name);
        }
    }

    /**
     * The compacted topic must hold exactly the rows of which a verdict still holds, each with one
     * that does.
     */
    private static void holdsWhatIsOpen(List<Said> all, String name) {
        Map<String, Map<Long, Status>> open = new TreeMap<>();
        Map<String, Verdict> current = new TreeMap<>();
        for (Said said : all) {
            String key = String.valueOf(said.rowKey());
            Verdict verdict = said.verdict();
            if (said.isCurrent() && verdict == null) {
                assertNotNull(current.remove(key), name);
            } else if (said.isCurrent()) {
                current.put(key, verdict);
            } else {
                Map<Long, Status> versions = open.computeIfAbsent(key, row -> new TreeMap<>());
                if (verdict.status == Status.RESOLVED) {
                    versions.remove(version(verdict));
                } else if (verdict.status != Status.MATCH) {
                    versions.put(version(verdict), verdict.status);
                }
            }
        }
        open.values().removeIf(Map::isEmpty);
        assertEquals(open.keySet(), current.keySet(), name);
        current.forEach(
                (key, verdict) ->
                        assertEquals(open.get(key).get(version(verdict)), verdict.status, name));
    }

    private static Long version(Verdict verdict) {
        return verdict.versionUs == null ? Long.valueOf(-1) : verdict.versionUs;
    }

    @Test
    void vectors() throws Exception {
        List<JsonNode> cases = DriftCases.vectors();
        assertEquals(45, cases.size());
        check(cases);
    }

    /** The embedded engine writes the same bytes: src/jobs/drift/tests.rs wrote the file. */
    @Test
    void bytesOfRecords() throws Exception {
        List<String> digests = new ArrayList<>();
        for (JsonNode drift : DriftCases.vectors()) {
            String records = String.join("", new CaseRun(drift, 1).run(0).texts());
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(records.getBytes(StandardCharsets.UTF_8));
            String hex = String.format("%064x", new BigInteger(1, digest));
            digests.add(hex + "  " + drift.get("name").asText());
        }
        assertEquals(DriftCases.digests(), digests);
    }

    /** `-Ddrift.histories=5000` asks for more of them. */
    @Test
    void randomHistories() throws Exception {
        int count = Integer.getInteger("drift.histories", 200);
        List<JsonNode> cases = DriftCases.random(count);
        assertEquals(count, cases.size());
        check(cases);
    }
}
