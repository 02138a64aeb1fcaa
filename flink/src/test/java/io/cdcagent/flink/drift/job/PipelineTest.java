package io.cdcagent.flink.drift.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cdcagent.flink.drift.DriftCases;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.flink.runtime.jobgraph.JobVertex;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.api.bridge.java.StreamStatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.junit.jupiter.api.Test;

/** The job as the planner puts it together; nothing of it runs. */
class PipelineTest {
    private static final int SHARDS = 4;
    private static final String COLUMNS =
            " (`topic` STRING, `key` STRING, `value` STRING, `timestamp_ms` BIGINT)";

    private static void table(
            StreamTableEnvironment tables, String name, String columns, Map<String, String> given) {
        Map<String, String> options = new HashMap<>(given);
        options.put("connector", "drift");
        String with =
                options.entrySet().stream()
                        .map(option -> "'" + option.getKey() + "' = '" + option.getValue() + "'")
                        .collect(Collectors.joining(", "));
        tables.executeSql("CREATE TABLE " + name + columns + " WITH (" + with + ")");
    }

    private static StreamExecutionEnvironment inserted(
            int parallelism, String columns, Map<String, String> job) {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(parallelism);
        StreamTableEnvironment tables = StreamTableEnvironment.create(env);
        table(tables, "verdicts", columns, job);
        Map<String, String> out = new HashMap<>();
        out.put("properties.bootstrap.servers", "nowhere");
        out.put("transactional-id-prefix", "t");
        table(tables, "topics", COLUMNS, out);
        StreamStatementSet statements = tables.createStatementSet();
        statements.addInsertSql("INSERT INTO topics SELECT * FROM verdicts");
        statements.attachAsDataStream();
        return env;
    }

    private static Map<String, String> options() throws Exception {
        return CaseOptions.of(DriftCases.vectors().get(0), SHARDS);
    }

    @Test
    void everyOperatorHasAName() throws Exception {
        StreamExecutionEnvironment env = inserted(6, COLUMNS, options());
        Set<String> names = new TreeSet<>();
        for (StreamNode node : env.getStreamGraph(false).getStreamNodes()) {
            String name = node.getTransformationUID();
            assertNotNull(name, node.getOperatorName());
            names.add(name);
            if (name.equals("drift-machines") || name.startsWith("drift-verdicts")) {
                assertEquals(SHARDS, node.getParallelism(), name);
            }
        }
        assertTrue(
                names.containsAll(
                        Set.of(
                                "drift-onprem-records",
                                "drift-onprem-control",
                                "drift-onprem-dead-letters",
                                "drift-cloud-records",
                                "drift-cloud-control",
                                "drift-cloud-dead-letters",
                                "drift-machines",
                                "drift-verdicts")),
                names.toString());
        boolean hasKeyGroups = false;
        for (JobVertex vertex : env.getStreamGraph(false).getJobGraph().getVertices()) {
            hasKeyGroups |=
                    vertex.getMaxParallelism() == SHARDS && vertex.getParallelism() == SHARDS;
        }
        assertTrue(hasKeyGroups, "a key group for each shard");
    }

    @Test
    void otherColumnsAreRefused() throws Exception {
        Map<String, String> options = options();
        String columns = " (`topic` STRING, `key` BYTES, `value` STRING, `timestamp_ms` BIGINT)";
        ValidationException error =
                assertThrows(ValidationException.class, () -> inserted(1, columns, options));
        String told = error.getMessage() + error.getCause();
        assertTrue(told.contains("expected the columns"), told);
    }
}
