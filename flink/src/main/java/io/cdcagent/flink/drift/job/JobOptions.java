package io.cdcagent.flink.drift.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.Json;
import io.cdcagent.flink.drift.json.NotJsonException;
import io.cdcagent.flink.drift.machine.Both;
import io.cdcagent.flink.drift.machine.KeyOrder;
import io.cdcagent.flink.drift.machine.KeyType;
import io.cdcagent.flink.drift.machine.Mode;
import io.cdcagent.flink.drift.machine.Options;
import io.cdcagent.flink.drift.machine.Side;
import io.cdcagent.flink.drift.machine.SideOptions;
import io.cdcagent.flink.drift.record.Layout;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.util.TimeUtils;

/**
 * Options of the table whose rows are the verdicts of a drift job: what `cdc-jobs sql` makes of the
 * section `drift` of a rules file. All must be there: defaults are those of the rules file.
 */
final class JobOptions implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Begins the options of Kafka's clients. */
    private static final String PROPERTIES = "properties.";

    private final HashMap<String, String> given;

    JobOptions(Map<String, String> given) {
        this.given = new HashMap<>(given);
    }

    /** Fails unless everything is there and can be read. */
    void validate() {
        layout();
        readsHashes();
        shards();
        text("audit-topic");
        text("current-topic");
        for (Side side : Side.values()) {
            topic(side);
            controlTopic(side);
            deadLetterTopic(side);
            cdcTopic(side);
            kafka(side.word() + ".");
            text(side.word() + "." + PROPERTIES + "group.id");
        }
        machine(new Both<>(1, 1));
    }

    /** What is not there is named. */
    String text(String name) {
        String found = given.get(name);
        if (found == null) {
            throw new ValidationException("the option '" + name + "' is missing");
        }
        return found;
    }

    /** Of the two texts that an option may have, whether it is this one. */
    private boolean is(String name, String wanted, String other) {
        String found = text(name);
        if (!found.equals(wanted) && !found.equals(other)) {
            throw wrong(name, "expected " + wanted + " or " + other, null);
        }
        return found.equals(wanted);
    }

    private int count(String name) {
        try {
            int found = Integer.parseInt(text(name));
            if (found > 0) {
                return found;
            }
        } catch (NumberFormatException error) {
            throw wrong(name, "expected a number", error);
        }
        throw wrong(name, "expected a number from 1 on", null);
    }

    private long micros(String name) {
        try {
            return Math.multiplyExact(TimeUtils.parseDuration(text(name)).toMillis(), 1000L);
        } catch (ArithmeticException | IllegalArgumentException error) {
            throw wrong(name, "expected a time (60 s)", error);
        }
    }

    private JsonNode json(String name) {
        try {
            return Json.read(text(name));
        } catch (NotJsonException error) {
            throw wrong(name, error.getMessage(), error);
        }
    }

    private List<String> names(String name) {
        List<String> found = new ArrayList<>();
        for (JsonNode text : json(name)) {
            found.add(text.asText());
        }
        return found;
    }

    private static ValidationException wrong(String name, String why, Throwable cause) {
        return new ValidationException("the option '" + name + "': " + why, cause);
    }

    /** Whether hash events are compared, and not the records of the agents. */
    boolean readsHashes() {
        return is("input", "hash", "cdc");
    }

    /** Into how many machines the partition keys of the table are divided: part of the state. */
    int shards() {
        return count("shards");
    }

    String topic(Side side) {
        return text(side.word() + ".topic");
    }

    /** The control topic of the agents. */
    String controlTopic(Side side) {
        return text(side.word() + ".control-topic");
    }

    /** Where the agents point to records that Kafka did not take. */
    String deadLetterTopic(Side side) {
        return text(side.word() + ".dead-letter-topic");
    }

    /** Where hash events of this table come from, by their header. */
    String cdcTopic(Side side) {
        return text(side.word() + ".cdc-topic");
    }

    /** Options of Kafka's clients behind a prefix: `onprem.` of a side, nothing of the verdicts. */
    Properties kafka(String prefix) {
        String begin = prefix + PROPERTIES;
        Properties found = new Properties();
        given.forEach(
                (key, value) -> {
                    if (key.startsWith(begin)) {
                        found.setProperty(key.substring(begin.length()), value);
                    }
                });
        text(begin + "bootstrap.servers");
        return found;
    }

    /** What the records of the table hold. */
    Layout layout() {
        Map<String, String> columns = new LinkedHashMap<>();
        json("columns")
                .fields()
                .forEachRemaining(
                        column -> columns.put(column.getKey(), column.getValue().asText()));
        boolean isWriteTime = text("version").equals("write_time");
        JsonNode version = isWriteTime ? null : json("version");
        Long unitUs = Json.number(version, "unit_us");
        return new Layout(
                text("table"),
                names("key"),
                count("partition-key-columns"),
                columns,
                names("timestamps"),
                Json.text(version, "column"),
                unitUs == null ? 1 : unitUs);
    }

    /** What decides, in the machine of each shard, over topics of so many partitions. */
    Options machine(Both<Integer> partitions) {
        Both<SideOptions> sides =
                new Both<>(side(Side.ONPREM, partitions), side(Side.CLOUD, partitions));
        Mode mode = is("mode", "event_id", "merge") ? Mode.EVENT_ID : Mode.MERGE;
        return new Options(mode, sides, clustering())
                .times(micros("tolerance"), micros("grace"), micros("silence"), micros("retention"))
                .most(share("max-rows"), share("max-event-ids"), share("max-waiting"))
                .oldIsIncomparable(is("old-writes", "incomparable", "judge"))
                .writesMatches(is("write-matches", "true", "false"));
    }

    private SideOptions side(Side side, Both<Integer> partitions) {
        String name = side.word() + ".hosts";
        Set<String> hosts = text(name).equals("any") ? null : new TreeSet<>(names(name));
        return new SideOptions(hosts, partitions.of(side));
    }

    /** One shard's part of a bound. */
    private int share(String name) {
        return (int) (((long) count(name) + shards() - 1) / shards());
    }

    private List<KeyOrder> clustering() {
        List<KeyOrder> found = new ArrayList<>();
        for (JsonNode order : json("clustering")) {
            try {
                KeyType type = KeyType.of(String.valueOf(Json.text(order, "kind")));
                found.add(new KeyOrder(type, Json.is(order, "descending", true)));
            } catch (IllegalArgumentException error) {
                throw wrong("clustering", "unknown order " + order, error);
            }
        }
        return found;
    }
}
