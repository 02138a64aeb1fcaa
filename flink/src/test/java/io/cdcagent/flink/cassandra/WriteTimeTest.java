package io.cdcagent.flink.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.TimestampType;
import org.junit.jupiter.api.Test;

/** Versions as microseconds. */
class WriteTimeTest {
    private static long micros(LogicalType type, boolean inMillis, Object value) {
        return new WriteTime(new Column("v", type, 0), inMillis).micros(GenericRowData.of(value));
    }

    @Test
    void timestamps() {
        TimestampData time =
                TimestampData.fromInstant(Instant.parse("2025-01-01T00:00:00.123456789Z"));
        assertEquals(1_735_689_600_123_456L, micros(new TimestampType(9), false, time));
        assertEquals(1_735_689_600_123_456L, micros(new LocalZonedTimestampType(9), true, time));
        assertEquals(
                -1,
                micros(
                        new TimestampType(6),
                        false,
                        TimestampData.fromInstant(Instant.EPOCH.minusNanos(1_000))));
    }

    @Test
    void numbers() {
        assertEquals(5, micros(new BigIntType(), false, 5L));
        assertEquals(5_000, micros(new BigIntType(), true, 5L));
    }

    @Test
    void whatIsNoTime() {
        assertThrows(RefusedException.class, () -> micros(new BigIntType(), false, null));
        assertThrows(RefusedException.class, () -> micros(new BigIntType(), false, Long.MIN_VALUE));
        assertThrows(RefusedException.class, () -> micros(new BigIntType(), true, Long.MAX_VALUE));
    }
}
