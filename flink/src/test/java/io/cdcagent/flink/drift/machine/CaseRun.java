package io.cdcagent.flink.drift.machine;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.DriftCases;
import io.cdcagent.flink.drift.record.ChangeRecord;
import io.cdcagent.flink.drift.record.ControlRecord;
import io.cdcagent.flink.drift.record.Layout;
import io.cdcagent.flink.drift.record.NoRecordException;
import io.cdcagent.flink.drift.record.ReadAt;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A case of tests/oracle/drift, taken by machines. */
final class CaseRun {
    private final JsonNode drift;
    private final Options options;
    private final State[] states;

    /** What was said, in order. */
    final List<Said> said = new ArrayList<>();

    /** With the partition keys divided among so many machines. */
    CaseRun(JsonNode drift, int machines) {
        this.drift = drift;
        options = options(drift.get("options"));
        states = new State[machines];
        for (int number = 0; number < machines; number++) {
            states[number] = new State();
        }
    }

    private static Options options(JsonNode given) {
        KeyOrder order = new KeyOrder(KeyType.NUMBER, false);
        Mode mode = Mode.of(given.get("mode").asText());
        Both<SideOptions> sides = new Both<>(side(given, "onprem"), side(given, "cloud"));
        return new Options(mode, sides, List.of(order))
                .times(
                        given.get("tolerance_us").asLong(),
                        given.get("grace_us").asLong(),
                        given.get("silence_us").asLong(),
                        86_400_000_000L)
                .most(1000, 10_000, 10_000)
                .oldIsIncomparable(true)
                .writesMatches(true);
    }

    private static SideOptions side(JsonNode given, String side) {
        JsonNode names = given.get("hosts").get(side);
        Set<String> hosts = names.isArray() ? new TreeSet<>() : null;
        names.forEach(name -> hosts.add(name.asText()));
        return new SideOptions(hosts, given.get("partitions").get(side).asInt());
    }

    static Layout layout(JsonNode table) {
        List<String> key = new ArrayList<>();
        table.get("key").forEach(name -> key.add(name.asText()));
        Map<String, String> columns = new LinkedHashMap<>();
        JsonNode types = table.get("columns");
        types.fieldNames().forEachRemaining(name -> columns.put(name, types.get(name).asText()));
        List<String> timestamps = new ArrayList<>();
        table.path("timestamps").forEach(name -> timestamps.add(name.asText()));
        JsonNode version = table.path("version");
        return new Layout(
                table.get("table").asText(),
                key,
                table.get("partition_key").asInt(),
                columns,
                timestamps,
                version.path("column").textValue(),
                version.path("unit_us").asLong(1));
    }

    /**
     * Takes all records; after every so many, machines and inputs are written down and read again.
     */
    CaseRun run(int restartEvery) throws IOException, NoRecordException {
        Layout layout = layout(drift.get("table"));
        int number = 0;
        for (JsonNode record : drift.get("records")) {
            Side side = record.get("side").asText().equals("cloud") ? Side.CLOUD : Side.ONPREM;
            String topic = record.get("topic").asText();
            JsonNode value = record.get("value");
            int partition = record.get("partition").asInt();
            ReadAt read = new ReadAt(side, topic, partition, 0, value.get("ts_ms").asLong());
            Input input = input(record, layout, read);
            boolean isRestart = restartEvery > 0 && number % restartEvery == 0;
            take(isRestart ? InputWire.of(InputWire.bytes(input)) : input);
            for (int state = 0; isRestart && state < states.length; state++) {
                states[state] = again(states[state]);
            }
            number++;
        }
        return this;
    }

    private static Input input(JsonNode record, Layout layout, ReadAt read)
            throws NoRecordException {
        JsonNode value = record.get("value");
        switch (record.get("topic").asText()) {
            case "control":
                return ControlRecord.input(value, layout, read);
            case "dead letters":
                byte[] key = DriftCases.key(record);
                String topic = record.get("side").asText() + ".cdc." + layout.table();
                return ControlRecord.deadLetter(value, key, topic, layout, read);
            default:
                return ChangeRecord.input(value, layout, read);
        }
    }

    private void take(Input input) {
        for (int number = 0; number < states.length; number++) {
            boolean isEvent = input instanceof RowEvent;
            boolean isOther =
                    isEvent
                            && Math.floorMod(
                                            ((RowEvent) input).partitionKey().hashCode(),
                                            states.length)
                                    != number;
            if (!isOther) {
                new Machine(options, states[number], number == 0).take(input, said::add);
            }
        }
    }

    private static State again(State state) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StateWire.write(state, new DataOutputStream(bytes));
        byte[] written = bytes.toByteArray();
        return StateWire.read(new DataInputStream(new ByteArrayInputStream(written)));
    }

    /** Values for the audit topic. */
    List<String> audit() {
        List<String> records = new ArrayList<>();
        for (Said said : said) {
            if (!said.isCurrent()) {
                records.add(said.recordValue("shop.orders"));
            }
        }
        return records;
    }

    /** The records of all that was said, one a line. */
    List<String> texts() {
        List<String> texts = new ArrayList<>();
        for (Said said : said) {
            String topic = said.isCurrent() ? "current" : "audit";
            String key = said.recordKey("shop.orders");
            texts.add(topic + "\t" + key + "\t" + said.recordValue("shop.orders") + "\n");
        }
        return texts;
    }
}
