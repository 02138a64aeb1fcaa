package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** An end of a range. */
public final class Bound {
    /** Values of the first clustering columns. */
    final List<JsonNode> values;

    /** Whether rows with these values are inside. */
    final boolean isInclusive;

    public Bound(List<JsonNode> values, boolean isInclusive) {
        this.values = values;
        this.isInclusive = isInclusive;
    }
}
