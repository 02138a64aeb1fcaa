package io.cdcagent.flink.drift.record;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cdcagent.flink.drift.DriftCases;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ControlRecordTest {
    private static final Layout LAYOUT =
            new Layout("shop.orders", List.of("id"), 1, Map.of(), null, 1);

    private static boolean isTruncation(String record) {
        return ControlRecord.isTruncation(DriftCases.parsed(record), LAYOUT);
    }

    @Test
    void truncationsOfTheTable() {
        String of = "{\"type\":\"%s\",\"keyspace\":\"shop\",\"table\":\"%s\"}";
        assertEquals(true, isTruncation(String.format(of, "truncate", "orders")));
        assertEquals(false, isTruncation(String.format(of, "truncate", "notes")));
        assertEquals(false, isTruncation(String.format(of, "gap", "orders")));
        assertEquals(false, isTruncation("{\"type\":\"truncate\"}"));
        assertEquals(false, isTruncation("[]"));
    }
}
