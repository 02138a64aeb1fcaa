package io.cdcagent.flink.drift.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cdcagent.flink.drift.DriftCases;
import io.cdcagent.flink.drift.machine.GapNotice;
import io.cdcagent.flink.drift.machine.RowEvent;
import io.cdcagent.flink.drift.machine.Side;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The two forms in which agents write timestamps; src/jobs/drift/record has the same tests. Records
 * of rows, their versions and ranges are in tests/oracle/drift.
 */
class TimestampFormsTest {
    private static final String TEXT = "\"1970-01-01T00:00:00.005Z\"";
    private static final Layout LAYOUT =
            new Layout(
                    "shop.visits",
                    List.of("at", "id"),
                    1,
                    Map.of(),
                    List.of("at", "seen", "left", "gone"),
                    null,
                    1);
    private static final ReadAt READ = new ReadAt(Side.CLOUD, "t", 0, 0, 7);

    @Test
    void timestampsBecomeNumbersAndNothingElseDoes() {
        String row = "{\"id\":%s,\"at\":%s,\"seen\":7,\"left\":\"***\",\"gone\":null}";
        ObjectNode texts = (ObjectNode) DriftCases.parsed(String.format(row, TEXT, TEXT));
        ObjectNode numbers = LAYOUT.inNumbers(texts);
        assertEquals(String.format(row, TEXT, "5"), numbers.toString());
        assertSame(numbers, LAYOUT.inNumbers(numbers));
        assertEquals(String.format(row, TEXT, TEXT), texts.toString(), "it is not changed itself");
    }

    @Test
    void keysOfHashEvents() throws Exception {
        String event =
                "{\"table\":\"shop.visits\",\"key\":{\"at\":%s,\"id\":1},\"op\":\"c\",\"version_us\":1}";
        for (String at : List.of(TEXT, "5")) {
            RowEvent found =
                    (RowEvent)
                            HashEvent.input(
                                    DriftCases.parsed(String.format(event, at)), LAYOUT, READ);
            assertEquals("{\"at\":5,\"id\":1}", found.partitionKey());
        }
    }

    @Test
    void keysOfDeadLetters() throws Exception {
        byte[] key = ("{\"at\":" + TEXT + ",\"id\":1}").getBytes(StandardCharsets.UTF_8);
        GapNotice found =
                (GapNotice)
                        ControlRecord.deadLetter(
                                DriftCases.parsed("{\"topic\":\"t\"}"), key, "t", LAYOUT, READ);
        assertEquals("{\"at\":5}", found.partitionKey());
    }
}
