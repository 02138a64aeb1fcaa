package io.cdcagent.flink.drift.record;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.machine.GapKind;
import io.cdcagent.flink.drift.machine.GapNotice;
import io.cdcagent.flink.drift.machine.Input;

/** Control records (docs/delivery.md, 5): where the promise of a stream ends. */
public final class ControlRecord {
    private ControlRecord() {}

    /** Whether it tells that a node truncated this table: what it held before is gone. */
    public static boolean isTruncation(JsonNode value, Layout layout) {
        String table = Json.text(value, "keyspace") + "." + Json.text(value, "table");
        return "truncate".equals(Json.text(value, "type")) && table.equals(layout.table);
    }

    /** The gap that a control record tells of; null of every other one. */
    public static Input input(JsonNode value, ReadAt read) {
        GapKind kind = kind(Json.text(value, "type"));
        if (kind == null) {
            return null;
        }
        String hostId = Json.text(value, "host_id");
        Long tsMs = Json.number(value, "ts_ms");
        return new GapNotice(
                read.side,
                hostId == null ? "" : hostId,
                tsMs == null ? read.timestampMs : tsMs,
                kind);
    }

    private static GapKind kind(String type) {
        if (type == null) {
            return null;
        }
        switch (type) {
            case "gap":
            case "damage":
            case "damaged_segment":
            case "given_up":
                return GapKind.LOST;
            case "forgotten":
                return GapKind.FORGOTTEN;
            default:
                return null;
        }
    }
}
