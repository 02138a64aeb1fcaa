package io.cdcagent.flink.drift.record;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.JsonText;
import io.cdcagent.flink.drift.machine.Beginning;
import io.cdcagent.flink.drift.machine.Bound;
import io.cdcagent.flink.drift.machine.Content;
import io.cdcagent.flink.drift.machine.Heartbeat;
import io.cdcagent.flink.drift.machine.Input;
import io.cdcagent.flink.drift.machine.Micros;
import io.cdcagent.flink.drift.machine.RangeDeletion;
import io.cdcagent.flink.drift.machine.RowEvent;
import io.cdcagent.flink.drift.machine.RowKey;
import io.cdcagent.flink.drift.machine.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Records of the agents in profile `flat`. */
public final class ChangeRecord {
    private static final Set<String> ROWS = Set.of("c", "u", "r");
    private static final Set<String> DELETIONS = Set.of("d", "rt");

    private ChangeRecord() {}

    /** What a record tells the machine. */
    public static Input input(JsonNode value, Layout layout, ReadAt read) throws NoRecordException {
        ObjectNode source = Json.object(value, "source");
        if (source == null) {
            throw new NoRecordException("it has no source");
        }
        String op = orEmpty(Json.text(value, "op"));
        String hostId = orEmpty(Json.text(source, "host_id"));
        Long tsMs = Json.number(value, "ts_ms");
        if (tsMs == null) {
            throw new NoRecordException("it has no ts_ms");
        }
        if (op.equals("m")) {
            Long wmUs = Json.number(value, "wm_us");
            if (wmUs == null) {
                throw new NoRecordException("a heartbeat without wm_us");
            }
            Long createdUs = Json.number(source, "ts_us");
            if (createdUs != null && Json.text(source, "file") != null) {
                // It points at the table's creation.
                return new Beginning(read.side, read.partition, hostId, createdUs);
            }
            return new Heartbeat(read.side, read.partition, hostId, wmUs, tsMs);
        }
        return event(value, source, op, hostId, tsMs, layout, read);
    }

    private static Input event(
            JsonNode value,
            ObjectNode source,
            String op,
            String hostId,
            long tsMs,
            Layout layout,
            ReadAt read)
            throws NoRecordException {
        boolean isRow = ROWS.contains(op);
        ObjectNode row = Json.object(value, isRow ? "after" : "before");
        if (row == null || !(isRow || DELETIONS.contains(op))) {
            throw new NoRecordException(
                    "it has no op of profile flat, or neither after nor before");
        }
        row = layout.inNumbers(row);
        Long written = Json.number(source, "ts_us");
        if (written == null && !op.equals("r")) {
            throw new NoRecordException("source.ts_us is missing");
        }
        long tsUs = written == null ? Long.MIN_VALUE : written;
        RowKey key = key(row, layout);
        Content content = content(value, op, row, layout, tsUs);
        Long version = isRow ? version(row, layout) : null;
        long versionUs = version == null ? tsUs : version;
        JsonNode pos = source.get("pos");
        Long position = Json.number(pos);
        return new RowEvent(
                read.side,
                read.partition,
                hostId,
                key,
                versionUs,
                Micros.endOfMillis(tsMs),
                content.shifted(Micros.subtract(versionUs, tsUs)),
                new Told(
                        orEmpty(Json.text(value, "event_id")),
                        op,
                        Json.text(value, "row_hash"),
                        Json.text(value, "hash_def"),
                        read.place(
                                Json.text(source, "file"),
                                position == null || position < 0 ? null : position)));
    }

    private static Content content(
            JsonNode value, String op, ObjectNode row, Layout layout, long tsUs)
            throws NoRecordException {
        switch (op) {
            case "d":
                return Content.rowDeletion(tsUs);
            case "rt":
                return Content.rangeDeletion(range(value, layout, tsUs));
            default:
                return Columns.content(value, row, layout, tsUs);
        }
    }

    static RowKey key(ObjectNode row, Layout layout) throws NoRecordException {
        String partition = text(row, layout.partitionColumns());
        if (partition == null) {
            String names = String.join(", ", layout.partitionColumns());
            throw new NoRecordException("it lacks columns of the partition key (" + names + ")");
        }
        String whole = text(row, layout.key);
        if (whole == null || layout.clusteringColumns().isEmpty()) {
            return new RowKey(partition, partition, null);
        }
        List<JsonNode> clustering = new ArrayList<>();
        for (String name : layout.clusteringColumns()) {
            clustering.add(row.get(name));
        }
        return new RowKey(partition, whole, clustering);
    }

    /** These columns as compact JSON; null when one is not there. */
    private static String text(ObjectNode row, List<String> names) {
        ObjectNode columns = JsonNodeFactory.instance.objectNode();
        for (String name : names) {
            if (!row.has(name)) {
                return null;
            }
            columns.set(name, row.get(name));
        }
        return JsonText.of(columns);
    }

    private static RangeDeletion range(JsonNode value, Layout layout, long tsUs)
            throws NoRecordException {
        ObjectNode range = Json.object(value, "range");
        if (range == null) {
            throw new NoRecordException("op rt without a range");
        }
        return new RangeDeletion(bound(range, "start", layout), bound(range, "end", layout), tsUs);
    }

    private static Bound bound(ObjectNode range, String name, Layout layout)
            throws NoRecordException {
        JsonNode bound = range.get(name);
        if (bound == null || bound.isNull()) {
            return null;
        }
        ObjectNode columns = Json.object(bound, "values");
        JsonNode inclusive = Json.field(bound, "inclusive");
        if (columns == null || inclusive == null || !inclusive.isBoolean()) {
            throw new NoRecordException("range." + name + " is no bound");
        }
        columns = layout.inNumbers(columns);
        List<JsonNode> values = new ArrayList<>();
        for (String column : layout.clusteringColumns()) {
            if (!columns.has(column)) {
                break;
            }
            values.add(columns.get(column));
        }
        return new Bound(values, inclusive.booleanValue());
    }

    /** The version that the row itself carries, microseconds; null when it carries none. */
    private static Long version(ObjectNode row, Layout layout) {
        Long number = layout.versionColumn == null ? null : Json.number(row, layout.versionColumn);
        if (number == null) {
            return null;
        }
        try {
            return Math.multiplyExact(number, layout.versionUnitUs);
        } catch (ArithmeticException error) {
            return null;
        }
    }

    private static String orEmpty(String text) {
        return text == null ? "" : text;
    }
}
