package io.cdcagent.flink.cassandra;

import java.io.IOException;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.table.data.RowData;

/**
 * Makes a writer in each subtask. One `createWriter` serves Flink 1.17, which has no other, and
 * 1.20.
 */
final class CassandraSink implements Sink<RowData> {
    private static final long serialVersionUID = 1L;

    private final SinkConfig config;

    CassandraSink(SinkConfig config) {
        this.config = config;
    }

    @Override
    @SuppressWarnings("deprecation")
    public SinkWriter<RowData> createWriter(InitContext context) throws IOException {
        return CassandraWriter.open(config, new SinkMetrics(context.metricGroup()));
    }
}
