package io.cdcagent.flink.drift.record;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.NotJsonException;
import io.cdcagent.flink.drift.machine.GapKind;
import io.cdcagent.flink.drift.machine.GapNotice;
import io.cdcagent.flink.drift.machine.Input;
import io.cdcagent.flink.drift.machine.RowKey;

/**
 * Control records and pointers to records that Kafka did not take (docs/delivery.md, 5;
 * docs/kafka.md, 5): where the promise of a stream ends.
 */
public final class ControlRecord {
    private ControlRecord() {}

    /** Whether it tells that a node truncated this table: what it held before is gone. */
    public static boolean isTruncation(JsonNode value, Layout layout) {
        String table = Json.text(value, "keyspace") + "." + Json.text(value, "table");
        return "truncate".equals(Json.text(value, "type")) && table.equals(layout.table);
    }

    /** The gap in the records of the table that a control record tells of; null of others. */
    public static Input input(JsonNode value, Layout layout, ReadAt read) {
        GapKind kind = kind(value, layout);
        if (kind == null) {
            return null;
        }
        String hostId = Json.text(value, "host_id");
        Long saidMs = saidMs(value, read);
        Long truncatedMs = kind == GapKind.TRUNCATED ? Json.number(value, "truncated_at_ms") : null;
        return new GapNotice(
                read.side,
                hostId == null ? "" : hostId,
                truncatedMs == null ? saidMs : truncatedMs,
                kind);
    }

    private static Long saidMs(JsonNode value, ReadAt read) {
        Long saidMs = Json.number(value, "ts_ms");
        return saidMs == null ? (Long) read.timestampMs : saidMs;
    }

    private static GapKind kind(JsonNode value, Layout layout) {
        String type = Json.text(value, "type");
        if (type == null) {
            return null;
        }
        switch (type) {
            case "gap":
            case "damage":
            case "damaged_segment":
            case "given_up":
            // When its mutations were read nobody knew the table: it may be this one.
            case "unknown_table":
                return GapKind.LOST;
            case "forgotten":
                return GapKind.FORGOTTEN;
            case "truncate":
                return isTruncation(value, layout) ? GapKind.TRUNCATED : null;
            case "schema_change":
                return switched(Json.text(value, "change"), layout);
            default:
                return null;
        }
    }

    /** What a change of the schema says of CDC of this table. */
    private static GapKind switched(String change, Layout layout) {
        if (change == null || !change.startsWith(layout.table + ": ")) {
            return null;
        }
        if (change.contains("CDC is off from here on")) {
            return GapKind.OFF;
        }
        return change.contains("CDC is on from here on") ? GapKind.ON : null;
    }

    /**
     * The gap that a pointer tells of: a record of a row that is not in the topic of the table, or
     * not all of it. Null of one of another topic. Without the record's key it may be any row.
     */
    public static Input deadLetter(
            JsonNode value, byte[] key, String topic, Layout layout, ReadAt read)
            throws NoRecordException {
        String of = Json.text(value, "topic");
        if (of == null) {
            throw new NoRecordException("it has no topic");
        }
        if (!of.equals(topic)) {
            return null;
        }
        // It does not say which node wrote it.
        return new GapNotice(read.side, "", saidMs(value, read), GapKind.LOST, row(key, layout));
    }

    private static RowKey row(byte[] key, Layout layout) {
        try {
            JsonNode columns = key == null ? null : Json.read(key);
            return columns instanceof ObjectNode
                    ? ChangeRecord.key(layout.inNumbers((ObjectNode) columns), layout)
                    : null;
        } catch (NotJsonException | NoRecordException error) {
            return null;
        }
    }
}
