package io.cdcagent.flink.cassandra;

import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.SinkV2Provider;

/** The sink as the planner sees it: it takes upserts and deletes by key. */
final class CassandraTableSink implements DynamicTableSink {
    private final SinkConfig config;

    /** Null: that of the input. */
    private final Integer parallelism;

    CassandraTableSink(SinkConfig config, Integer parallelism) {
        this.config = config;
        this.parallelism = parallelism;
    }

    @Override
    public ChangelogMode getChangelogMode(ChangelogMode requested) {
        return ChangelogMode.upsert();
    }

    @Override
    public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
        return SinkV2Provider.of(new CassandraSink(config), parallelism);
    }

    @Override
    public DynamicTableSink copy() {
        return new CassandraTableSink(config, parallelism);
    }

    @Override
    public String asSummaryString() {
        return config.toString();
    }
}
