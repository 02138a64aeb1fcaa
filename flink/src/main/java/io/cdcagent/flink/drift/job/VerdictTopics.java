package io.cdcagent.flink.drift.job;

import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSink;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.sink.DataStreamSinkProvider;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.data.RowData;

/** The topics of verdicts as a table that is only ever added to. */
final class VerdictTopics implements DynamicTableSink {
    private final JobOptions out;

    VerdictTopics(JobOptions out) {
        this.out = out;
    }

    @Override
    public ChangelogMode getChangelogMode(ChangelogMode requested) {
        return ChangelogMode.insertOnly();
    }

    @Override
    public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
        return new DataStreamSinkProvider() {
            @Override
            public DataStreamSink<?> consumeDataStream(
                    ProviderContext provider, DataStream<RowData> verdicts) {
                return Pipeline.write(verdicts, out);
            }
        };
    }

    @Override
    public DynamicTableSink copy() {
        return new VerdictTopics(out);
    }

    @Override
    public String asSummaryString() {
        return "Drift";
    }
}
