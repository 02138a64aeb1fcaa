package io.cdcagent.flink.cluster;

import io.cdcagent.flink.Metrics;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.types.Row;

/** Jobs on a local Flink cluster. */
final class Jobs {
    private Jobs() {}

    /** An environment whose jobs are restarted a few times. */
    static StreamTableEnvironment tables() {
        Configuration configuration = Metrics.configuration();
        configuration.setString("restart-strategy", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "1000");
        configuration.setString("restart-strategy.fixed-delay.delay", "500 ms");
        configuration.setString("execution.checkpointing.interval", "500 ms");
        configuration.setString("execution.checkpointing.tolerable-failed-checkpoints", "1000");
        return StreamTableEnvironment.create(
                StreamExecutionEnvironment.getExecutionEnvironment(configuration));
    }

    /** Writes VALUES into a sink with these columns and options. */
    static void insert(String columns, String options, String values) throws Exception {
        TableEnvironment tables = tables();
        tables.executeSql("CREATE TABLE target (" + columns + ") WITH (" + options + ")");
        tables.executeSql("INSERT INTO target VALUES " + values).await();
    }

    /** What ended a job. */
    static String failure(String columns, String options, String values) throws Exception {
        try {
            insert(columns, options, values);
        } catch (ExecutionException error) {
            return Metrics.chain(error);
        }
        throw new AssertionError("the job was not refused");
    }

    /** Starts a job that writes numbered rows, each a millisecond or so after the other. */
    static TableResult numbers(StreamTableEnvironment tables, int rows, String options) {
        tables.executeSql(
                String.format(
                        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',"
                                + " 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '%d')",
                        rows));
        tables.executeSql(
                "CREATE TABLE target (id STRING, n BIGINT, rev BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ("
                        + options
                        + ")");
        return tables.executeSql(
                "INSERT INTO target SELECT CAST(n AS STRING), n, n + 1000000 FROM numbers");
    }

    /**
     * Applies a changelog of (id, n, rev) to a sink with these options. Not one of upserts: Flink
     * would complete the deletions of such a one from the rows before them, and their versions too.
     */
    @SuppressWarnings("deprecation") // its successor is not in Flink 1.17
    static void changes(String options, Row... changes) throws Exception {
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.getExecutionEnvironment(Metrics.configuration());
        environment.setParallelism(1);
        StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
        tables.createTemporaryView(
                "changes",
                tables.fromChangelogStream(
                        environment.fromCollection(
                                List.of(changes),
                                Types.ROW_NAMED(
                                        new String[] {"id", "n", "rev"},
                                        Types.STRING,
                                        Types.LONG,
                                        Types.LONG)),
                        Schema.newBuilder()
                                .column("id", "STRING NOT NULL")
                                .column("n", "BIGINT")
                                .column("rev", "BIGINT")
                                .primaryKey("id")
                                .build(),
                        ChangelogMode.all()));
        tables.executeSql(
                "CREATE TABLE target (id STRING, n BIGINT, rev BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ("
                        + options
                        + ")");
        tables.executeSql("INSERT INTO target SELECT * FROM changes").await();
    }
}
