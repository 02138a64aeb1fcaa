package io.cdcagent.flink.drift.record;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.JsonText;
import io.cdcagent.flink.drift.machine.Beginning;
import io.cdcagent.flink.drift.machine.Cell;
import io.cdcagent.flink.drift.machine.Content;
import io.cdcagent.flink.drift.machine.Heartbeat;
import io.cdcagent.flink.drift.machine.Input;
import io.cdcagent.flink.drift.machine.Micros;
import io.cdcagent.flink.drift.machine.PathCell;
import io.cdcagent.flink.drift.machine.RowEvent;
import io.cdcagent.flink.drift.machine.RowKey;
import io.cdcagent.flink.drift.machine.Told;
import java.util.List;

/** Hash events (docs/jobs.md): whole rows by their hashes. */
public final class HashEvent {
    /** Path of the one cell that stands for a row. */
    private static final String ROW = "(row)";

    private HashEvent() {}

    /** The input of a hash event; null of one of another table. */
    public static Input input(JsonNode value, Layout layout, ReadAt read) throws NoRecordException {
        String hostId = Json.text(value, "host_id");
        hostId = hostId == null ? "" : hostId;
        String op = Json.text(value, "op");
        if ("m".equals(op)) {
            return heartbeat(value, hostId, read);
        }
        String table = Json.text(value, "table");
        JsonNode version = value.get("version_us");
        if (table == null || op == null || version == null) {
            throw new NoRecordException("it lacks table, op or version_us");
        }
        if (!table.equals(layout.table)) {
            return null;
        }
        Long versionUs = Json.number(version);
        if (versionUs == null && !version.isNull()) {
            throw new NoRecordException("version_us is no number");
        }
        ObjectNode object = Json.object(value, "key");
        if (object == null) {
            throw new NoRecordException("key is no object");
        }
        String key = JsonText.of(layout.inNumbers(object));
        String eventId = Json.text(value, "event_id");
        String hash = Json.text(value, "row_hash");
        long loggedUs = Micros.endOfMillis(read.timestampMs);
        return new RowEvent(
                read.side,
                null,
                hostId,
                new RowKey(key, key, null),
                versionUs == null ? loggedUs : versionUs,
                loggedUs,
                content(Json.text(value, "hash_kind"), hash, versionUs),
                new Told(
                        eventId == null ? "" : eventId,
                        op,
                        hash,
                        Json.text(value, "hash_def"),
                        read.place(null, null)));
    }

    private static Input heartbeat(JsonNode value, String hostId, ReadAt read)
            throws NoRecordException {
        Long partition = Json.number(value, "partition");
        Long wmUs = Json.number(value, "wm_us");
        if (partition == null || wmUs == null) {
            throw new NoRecordException("a heartbeat without partition or wm_us");
        }
        if (partition != partition.intValue() || partition < 0) {
            throw new NoRecordException("partition is no number of one");
        }
        Long createdUs = Json.number(value, "created_us");
        if (createdUs != null) {
            return new Beginning(read.side, partition.intValue(), hostId, createdUs);
        }
        return new Heartbeat(read.side, partition.intValue(), hostId, wmUs, read.timestampMs);
    }

    private static Content content(String kind, String hash, Long versionUs) {
        if (versionUs == null) {
            // An update of a part of a row, which need not carry the column of the version.
            return Content.cells(List.of(), false, Content.UNVERSIONED);
        }
        if ("full".equals(kind) && hash != null) {
            // The hash as it is: quotes in it are none of JSON's.
            Cell cell = new Cell(versionUs, "\"" + hash + "\"", null);
            return Content.cells(List.of(new PathCell(ROW, cell)), true, null);
        }
        if ("tombstone".equals(kind)) {
            Cell cell = new Cell(versionUs, null, null);
            return Content.cells(List.of(new PathCell(ROW, cell)), true, null);
        }
        return Content.cells(List.of(), false, versionUs);
    }
}
