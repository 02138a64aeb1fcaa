package io.cdcagent.flink.drift.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cdcagent.flink.drift.DriftCases;
import io.cdcagent.flink.drift.record.ChangeRecord;
import io.cdcagent.flink.drift.record.Layout;
import io.cdcagent.flink.drift.record.NoRecordException;
import io.cdcagent.flink.drift.record.ReadAt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Numbers of which two programs can think otherwise; src/jobs/drift/record/tests.rs has the same.
 */
class ChangeRecordTest {
    private static RowEvent event(String json) throws NoRecordException {
        Map<String, String> columns = Map.of("s", "set<double>");
        Layout layout = new Layout("shop.orders", List.of("id"), 1, columns, List.of(), null, 1);
        ReadAt read = new ReadAt(Side.CLOUD, "t", 0, 0, 7);
        return (RowEvent) ChangeRecord.input(DriftCases.parsed(json), layout, read);
    }

    /** Positions are numbers of 64 bits with a sign, of which the negative ones are none. */
    @Test
    void positions() throws Exception {
        Map<String, Long> expected = new HashMap<>(Map.of("7", 7L));
        expected.put("9223372036854775807", Long.MAX_VALUE);
        for (String none :
                List.of("9223372036854775808", "18446744073709551615", "-1", "7.0", "\"7\"")) {
            expected.put(none, null);
        }
        String json =
                "{\"op\":\"d\",\"ts_ms\":1,\"before\":{\"id\":1},\"source\":{\"ts_us\":1,\"pos\":%s}}";
        for (Map.Entry<String, Long> pos : expected.entrySet()) {
            RowEvent event = event(String.format(json, pos.getKey()));
            assertEquals(pos.getValue(), event.told.place.pos, pos.getKey());
        }
    }

    /** A set of doubles can hold both zeros, each with its own time. */
    @Test
    void timesOfBothZeros() throws Exception {
        String elements = "[{\"path\":-0.0,\"ts_us\":3},{\"path\":0.0,\"ts_us\":4}]";
        RowEvent event =
                event(
                        "{\"op\":\"u\",\"ts_ms\":1,\"after\":{\"id\":1},\"patch\":{\"s\":{\"put\":[0.0,-0.0]}},"
                                + "\"cells\":{\"s\":{\"elements\":"
                                + elements
                                + "}},\"source\":{\"ts_us\":1}}");
        List<Long> times = new ArrayList<>();
        event.content.cells.forEach(written -> times.add(written.cell.tsUs));
        assertEquals(List.of(4L, 3L), times);
    }
}
