package io.cdcagent.flink.cassandra;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.catalog.UniqueConstraint;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** `'connector' = 'cassandra'`. */
public class CassandraTableFactory implements DynamicTableSinkFactory {
    @Override
    public String factoryIdentifier() {
        return "cassandra";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return CassandraOptions.required();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return CassandraOptions.optional();
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        ReadableConfig options = helper.getOptions();
        ResolvedSchema schema = context.getCatalogTable().getResolvedSchema();
        List<String> key =
                schema.getPrimaryKey().map(UniqueConstraint::getColumns).orElse(List.of());
        SinkConfig config = new SinkConfig(options, columns(context.getPhysicalRowDataType()), key);
        return new CassandraTableSink(
                config, options.getOptional(FactoryUtil.SINK_PARALLELISM).orElse(null));
    }

    private static List<Column> columns(DataType row) {
        List<Column> found = new ArrayList<>();
        for (RowType.RowField field : ((RowType) row.getLogicalType()).getFields()) {
            found.add(new Column(field.getName(), field.getType(), found.size()));
        }
        return found;
    }
}
