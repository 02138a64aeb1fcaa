package io.cdcagent.flink.drift.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.DriftCases;
import io.cdcagent.flink.drift.machine.GapNotice;
import io.cdcagent.flink.drift.machine.Input;
import io.cdcagent.flink.drift.machine.Side;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ControlRecordTest {
    private static final Layout LAYOUT =
            new Layout("shop.orders", List.of("id"), 1, Map.of(), List.of(), null, 1);

    private static boolean isTruncation(String record) {
        return ControlRecord.isTruncation(DriftCases.parsed(record), LAYOUT);
    }

    private static Input told(String record) {
        ReadAt read = new ReadAt(Side.CLOUD, "control", 0, 0, 7);
        return ControlRecord.input(DriftCases.parsed(record), LAYOUT, read);
    }

    @Test
    void gapsOfTheTable() {
        String change = "{\"type\":\"schema_change\",\"change\":\"%s: altered: CDC is %s\"}";
        assertNotNull(told(String.format(change, "shop.orders", "off from here on, which is")));
        assertNotNull(told(String.format(change, "shop.orders", "on from here on")));
        assertNull(told(String.format(change, "shop.orders2", "off from here on")));
        assertNull(told(String.format(change, "shop.orders", "as it was")));
        assertNotNull(told("{\"type\":\"unknown_table\"}"));
        assertNull(told("{\"type\":\"start\"}"));
        assertNull(told("{\"type\":\"truncate\",\"keyspace\":\"shop\",\"table\":\"notes\"}"));
    }

    @Test
    void deadLettersOfTheTable() throws Exception {
        ReadAt read = new ReadAt(Side.CLOUD, "dead", 0, 0, 7);
        JsonNode value = DriftCases.parsed("{\"topic\":\"t\",\"ts_ms\":5}");
        byte[] key = "{\"id\":3}".getBytes(StandardCharsets.UTF_8);
        GapNotice of = (GapNotice) ControlRecord.deadLetter(value, key, "t", LAYOUT, read);
        assertEquals("{\"id\":3}", of.partitionKey());
        GapNotice any = (GapNotice) ControlRecord.deadLetter(value, null, "t", LAYOUT, read);
        assertNull(any.partitionKey());
        assertNull(ControlRecord.deadLetter(value, key, "u", LAYOUT, read));
        JsonNode nothing = DriftCases.parsed("{}");
        assertThrows(
                NoRecordException.class,
                () -> ControlRecord.deadLetter(nothing, key, "t", LAYOUT, read));
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
