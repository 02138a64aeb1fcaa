package io.cdcagent.flink.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cdcagent.flink.Vectors;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

class AgentTimestampTest {
    /** src/jobs/calendar.rs reads the same file. */
    @Test
    void vectors() {
        List<JsonNode> vectors = Vectors.of("agent_timestamps.jsonl");
        assertTrue(vectors.size() > 200, "" + vectors.size());
        for (JsonNode vector : vectors) {
            Long expected = vector.get("ms").isNull() ? null : (Long) vector.get("ms").longValue();
            assertEquals(
                    expected, AgentTimestamp.millis(vector.get("text").textValue()), "" + vector);
        }
    }
}
