package io.cdcagent.flink.drift.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.cdcagent.flink.drift.json.JsonText;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Options of a job for a case of tests/oracle/drift. */
final class CaseOptions {
    private CaseOptions() {}

    static Map<String, String> of(JsonNode drift, int shards) {
        JsonNode table = drift.get("table");
        JsonNode options = drift.get("options");
        Map<String, String> found = new HashMap<>();
        found.put("table", table.get("table").asText());
        found.put("key", JsonText.of(table.get("key")));
        found.put("partition-key-columns", table.get("partition_key").asText());
        found.put("columns", JsonText.of(table.get("columns")));
        found.put("clustering", "[{\"kind\":\"number\",\"descending\":false}]");
        JsonNode timestamps = table.get("timestamps");
        found.put("timestamps", timestamps == null ? "[]" : JsonText.of(timestamps));
        JsonNode version = table.get("version");
        found.put("version", version == null ? "write_time" : JsonText.of(version));
        found.put("input", "cdc");
        found.put("mode", options.get("mode").asText());
        for (String name : List.of("tolerance", "grace", "silence")) {
            found.put(name, options.get(name + "_us").asLong() / 1_000_000 + " s");
        }
        found.put("retention", "86400 s");
        found.put("max-rows", "10000");
        found.put("max-event-ids", "100000");
        found.put("max-waiting", "100000");
        found.put("old-writes", "incomparable");
        found.put("write-matches", "true");
        found.put("shards", "" + shards);
        found.put("audit-topic", "audit");
        found.put("current-topic", "current");
        for (String side : List.of("onprem", "cloud")) {
            JsonNode hosts = options.get("hosts").get(side);
            found.put(side + ".hosts", hosts.isArray() ? JsonText.of(hosts) : hosts.asText());
            found.put(side + ".topic", "cdc");
            found.put(side + ".control-topic", "control");
            found.put(side + ".dead-letter-topic", "dead letters");
            found.put(side + ".cdc-topic", side + ".cdc." + table.get("table").asText());
            found.put(side + ".properties.bootstrap.servers", side);
            found.put(side + ".properties.group.id", "g");
        }
        return found;
    }
}
