package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.NotJsonException;
import java.util.Comparator;
import java.util.Objects;

/** A cell with its own time, and which of two is newer: Cassandra's rules of reconciliation. */
public final class Cell {
    private static final Comparator<String> NULL_FIRST = Comparator.nullsFirst(Texts.ORDER);

    /** Write time, microseconds. */
    final long tsUs;

    /** The value as compact JSON; null of a tombstone. */
    final String value;

    /** When it expires, seconds since 1970; null: never. */
    final Long expiresAt;

    public Cell(long tsUs, String value, Long expiresAt) {
        this.tsUs = tsUs;
        this.value = value;
        this.expiresAt = expiresAt;
    }

    /** The same at another time. */
    Cell at(long otherUs) {
        return new Cell(otherUs, value, expiresAt);
    }

    /** Whether it shows no value at this time: a tombstone, or expired. */
    boolean isDead(long nowUs) {
        return value == null || isExpired(nowUs);
    }

    /** Whether its time to live is over. */
    boolean isExpired(long nowUs) {
        return expiresAt != null && expiresUs() <= nowUs;
    }

    /** When it expires, microseconds; null: never. */
    Long expiresUs() {
        return expiresAt == null ? null : (Long) Micros.multiply(expiresAt, 1_000_000);
    }

    /**
     * Which of two cells of one path Cassandra keeps. Of the same time a tombstone wins, then what
     * expires, the later the better, then the larger value.
     */
    int compare(Cell other) {
        int found = Long.compare(tsUs, other.tsUs);
        found = found != 0 ? found : Boolean.compare(value == null, other.value == null);
        found = found != 0 ? found : Micros.compare(expiresAt, other.expiresAt);
        return found != 0 ? found : compareValues(value, other.value);
    }

    /**
     * Whether two cells are the same write, as far as anybody can see at this time. Of one that has
     * expired repair leaves a tombstone; coordinators of two clusters count a time to live by their
     * own clocks.
     */
    boolean isSame(Cell other, long nowUs, long toleranceUs) {
        if (tsUs != other.tsUs) {
            return false;
        }
        if (equals(other) || (isDead(nowUs) && other.isDead(nowUs))) {
            return true;
        }
        if ((expiresAt == null) != (other.expiresAt == null)) {
            return false;
        }
        boolean isClose = true;
        if (expiresAt != null) {
            long later = Math.max(expiresUs(), other.expiresUs());
            long earlier = Math.min(expiresUs(), other.expiresUs());
            isClose = Micros.subtract(later, earlier) <= toleranceUs;
        }
        return isClose && Objects.equals(value, other.value);
    }

    /**
     * The order of two values' bytes in Cassandra, as far as JSON tells: integers and doubles by
     * their unsigned bits, texts by their bytes.
     */
    private static int compareValues(String one, String other) {
        if (Objects.equals(one, other)) {
            return 0;
        }
        JsonNode first = parsed(one);
        JsonNode second = parsed(other);
        if (Json.number(first) != null && Json.number(second) != null) {
            return Long.compareUnsigned(first.longValue(), second.longValue());
        }
        if (first.isNumber() && second.isNumber()) {
            return Long.compareUnsigned(
                    Double.doubleToRawLongBits(first.doubleValue()),
                    Double.doubleToRawLongBits(second.doubleValue()));
        }
        if (first.isTextual() && second.isTextual()) {
            return Texts.ORDER.compare(first.textValue(), second.textValue());
        }
        return NULL_FIRST.compare(one, other);
    }

    private static JsonNode parsed(String json) {
        try {
            return json == null ? NullNode.instance : Json.read(json);
        } catch (NotJsonException error) {
            return NullNode.instance;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Cell
                && tsUs == ((Cell) other).tsUs
                && Objects.equals(value, ((Cell) other).value)
                && Objects.equals(expiresAt, ((Cell) other).expiresAt);
    }

    @Override
    public int hashCode() {
        return Objects.hash(tsUs, value, expiresAt);
    }
}
