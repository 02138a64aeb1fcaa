package io.cdcagent.flink.drift.record;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.JsonText;
import io.cdcagent.flink.drift.machine.Cell;
import io.cdcagent.flink.drift.machine.CellPath;
import io.cdcagent.flink.drift.machine.Content;
import io.cdcagent.flink.drift.machine.PathCell;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The columns of a record as cells with their own times (docs/envelope.md, 4 and 6). Times are the
 * metadata of a column or element, null where there is none.
 */
final class Columns {
    private static final String TRUE = "true";

    /** The time of what has no own one. */
    private final long tsUs;

    private final JsonNode times;
    private final Layout layout;
    private final List<PathCell> cells = new ArrayList<>();

    private Columns(long tsUs, JsonNode times, Layout layout) {
        this.tsUs = tsUs;
        this.times = times;
        this.layout = layout;
    }

    /** What a row event writes. */
    static Content content(JsonNode value, ObjectNode after, Layout layout, long tsUs)
            throws NoRecordException {
        Columns columns = new Columns(tsUs, Json.object(value, "cells"), layout);
        if (!"u".equals(Json.text(value, "op"))) {
            columns.put(CellPath.LIVENESS, TRUE, Json.field(value, "liveness"));
        }
        for (Map.Entry<String, JsonNode> column : fields(after)) {
            if (!layout.key.contains(column.getKey())) {
                columns.column(column.getKey(), column.getValue());
            }
        }
        for (Map.Entry<String, JsonNode> column : fields(Json.object(value, "patch"))) {
            columns.patch(column.getKey(), column.getValue());
        }
        boolean isWhole = layout.columns.keySet().stream().allMatch(after::has);
        boolean isFull = isWhole || "full".equals(Json.text(value, "hash_kind"));
        Long opaqueUs = value.has("truncated") ? (Long) tsUs : null;
        return Content.cells(columns.cells, isFull, opaqueUs);
    }

    private static Iterable<Map.Entry<String, JsonNode>> fields(ObjectNode object) {
        return () ->
                object == null
                        ? List.<Map.Entry<String, JsonNode>>of().iterator()
                        : iterator(object);
    }

    private static Iterator<Map.Entry<String, JsonNode>> iterator(ObjectNode object) {
        return object.fields();
    }

    private static boolean isKnown(JsonNode times) {
        return !Json.is(times, "ts_known", false);
    }

    /** A live cell. What has no time is older than everything. */
    private void put(String path, String value, JsonNode times) {
        Long own = Json.number(times, "ts_us");
        long at = isKnown(times) ? (own == null ? tsUs : own) : Long.MIN_VALUE;
        cells.add(new PathCell(path, new Cell(at, value, Json.number(times, "expires_at"))));
    }

    private void delete(String path, JsonNode times) {
        if (isKnown(times)) {
            Long own = Json.number(times, "deleted_ts_us");
            cells.add(new PathCell(path, new Cell(own == null ? tsUs : own, null, null)));
        }
    }

    /** A column that is written whole. */
    private void column(String column, JsonNode written) {
        JsonNode own = Json.field(times, column);
        String type = layout.columns.get(column);
        boolean isCollection =
                type != null
                        && (type.startsWith("set<")
                                || type.startsWith("map<")
                                || type.startsWith("list<"));
        boolean hasElements =
                isCollection || (written.isObject() && type != null && !type.startsWith("frozen<"));
        if (written.isNull() && !Json.is(own, "empty", true)) {
            delete(hasElements ? CellPath.allElements(column) : column, own);
        } else if (hasElements) {
            elements(column, type, written, own);
        } else {
            put(column, JsonText.of(written), own);
        }
    }

    /**
     * A collection or user-defined type that is assigned whole: a deletion of what was there, and
     * elements.
     */
    private void elements(String column, String type, JsonNode written, JsonNode own) {
        delete(CellPath.allElements(column), own);
        if (written.isArray() && type.startsWith("list<")) {
            // Elements of a list have no identity in what is assigned whole.
            put(CellPath.element(column, "*"), JsonText.of(written), own);
        } else if (written.isArray() && type.startsWith("map<")) {
            for (JsonNode pair : written) {
                element(column, at(pair, 0), JsonText.of(at(pair, 1)), own);
            }
        } else if (written.isArray()) {
            for (JsonNode element : written) {
                element(column, element, TRUE, own);
            }
        } else if (written.isObject()) {
            for (Map.Entry<String, JsonNode> field : fields((ObjectNode) written)) {
                JsonNode path = TextNode.valueOf(field.getKey());
                element(column, path, JsonText.of(field.getValue()), own);
            }
        } else {
            put(column, JsonText.of(written), own);
        }
        removed(column, own);
    }

    private static JsonNode at(JsonNode pair, int number) {
        JsonNode found = pair.isArray() ? pair.get(number) : null;
        return found == null ? NullNode.instance : found;
    }

    /** A collection that is changed in part. */
    private void patch(String column, JsonNode patch) throws NoRecordException {
        JsonNode own = Json.field(times, column);
        for (JsonNode shard : Json.array(patch, "shards")) {
            JsonNode id = Json.field(shard, "id");
            Long clock = Json.number(shard, "clock");
            if (id == null || clock == null) {
                throw new NoRecordException("patch." + column + ": a shard without id or clock");
            }
            JsonNode count = Json.field(shard, "count");
            String value = count == null ? "null" : JsonText.of(count);
            String path = CellPath.element(column, JsonText.of(id));
            cells.add(new PathCell(path, new Cell(clock, value, null)));
        }
        for (JsonNode put : Json.array(patch, "put")) {
            if (put.isArray() && put.size() == 2) {
                element(column, put.get(0), JsonText.of(put.get(1)), own);
            } else {
                element(column, put, TRUE, own);
            }
        }
        for (JsonNode path : Json.array(patch, "remove")) {
            delete(CellPath.element(column, JsonText.of(path)), ownOr(own, path));
        }
    }

    private void element(String column, JsonNode path, String value, JsonNode own) {
        put(CellPath.element(column, JsonText.of(path)), value, ownOr(own, path));
    }

    /** Elements of a whole assignment that are deleted by themselves. */
    private void removed(String column, JsonNode own) {
        for (JsonNode element : Json.array(own, "elements")) {
            if (element.has("deleted_ts_us")) {
                JsonNode path = element.get("path");
                String text = path == null ? "null" : JsonText.of(path);
                delete(CellPath.element(column, text), element);
            }
        }
    }

    /** The times of an element, or else those of its column. */
    private static JsonNode ownOr(JsonNode column, JsonNode path) {
        for (JsonNode element : Json.array(column, "elements")) {
            if (path.equals(element.get("path"))) {
                return element;
            }
        }
        return column;
    }
}
