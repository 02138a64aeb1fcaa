package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * A place between the rows of a partition: values, and whether it is before (-1) or behind (1) all
 * rows that begin with them; 0 is a row itself. Without values: before or behind everything.
 */
final class Edge {
    private final List<JsonNode> values;
    private final int where;

    private Edge(List<JsonNode> values, int where) {
        this.values = values;
        this.where = where;
    }

    static Edge start(Bound bound) {
        return bound == null
                ? new Edge(null, -1)
                : new Edge(bound.values, bound.isInclusive ? -1 : 1);
    }

    static Edge end(Bound bound) {
        return bound == null
                ? new Edge(null, 1)
                : new Edge(bound.values, bound.isInclusive ? 1 : -1);
    }

    static Edge row(List<JsonNode> clustering) {
        return new Edge(clustering, 0);
    }

    int compare(Edge other, List<KeyOrder> orders) {
        if (values == null || other.values == null) {
            int own = values == null ? where : 0;
            int others = other.values == null ? other.where : 0;
            return Integer.compare(own, others);
        }
        int shared = Math.min(Math.min(values.size(), other.values.size()), orders.size());
        for (int at = 0; at < shared; at++) {
            int found = orders.get(at).compare(values.get(at), other.values.get(at));
            if (found != 0) {
                return found;
            }
        }
        // The one with fewer values stands at an edge of all rows that begin with them.
        int own = values.size() <= other.values.size() ? where : 0;
        int others = values.size() >= other.values.size() ? other.where : 0;
        return Integer.compare(own, others);
    }
}
