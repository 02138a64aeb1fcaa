package io.cdcagent.flink.drift.job;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.DynamicTableSourceFactory;

/**
 * `'connector' = 'drift'`: as a source the drift job, whose rows are the records that it says; as a
 * sink the topics that they are for. `cdc-jobs sql` writes both tables from a rules file, so that
 * the job is submitted as those in SQL are.
 */
public final class DriftTableFactory implements DynamicTableSourceFactory, DynamicTableSinkFactory {
    @Override
    public String factoryIdentifier() {
        return "drift";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        // Which ones is another matter for a source than for a sink.
        return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        VerdictRow.check(context.getCatalogTable().getResolvedSchema());
        JobOptions job = new JobOptions(context.getCatalogTable().getOptions());
        job.validate();
        return new VerdictSource(job, context.getPhysicalRowDataType());
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        VerdictRow.check(context.getCatalogTable().getResolvedSchema());
        JobOptions out = new JobOptions(context.getCatalogTable().getOptions());
        out.kafka("");
        out.text("transactional-id-prefix");
        return new VerdictTopics(out);
    }
}
