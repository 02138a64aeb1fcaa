package io.cdcagent.flink.functions;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.ArgumentCount;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.ConstantArgumentCount;
import org.apache.flink.table.types.inference.InputTypeStrategy;
import org.apache.flink.table.types.inference.Signature;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.apache.flink.table.types.utils.TypeConversions;

/**
 * The arguments of ROW_HASH: a text, then columns of types that have one text in SQL and in
 * Cassandra.
 */
final class HashedColumns implements InputTypeStrategy {
    private static final int MILLISECONDS = 3;
    private static final Set<LogicalTypeRoot> PLAIN =
            EnumSet.of(
                    LogicalTypeRoot.CHAR,
                    LogicalTypeRoot.VARCHAR,
                    LogicalTypeRoot.BOOLEAN,
                    LogicalTypeRoot.TINYINT,
                    LogicalTypeRoot.SMALLINT,
                    LogicalTypeRoot.INTEGER,
                    LogicalTypeRoot.BIGINT,
                    LogicalTypeRoot.DECIMAL,
                    LogicalTypeRoot.FLOAT,
                    LogicalTypeRoot.DOUBLE,
                    LogicalTypeRoot.DATE,
                    LogicalTypeRoot.TIME_WITHOUT_TIME_ZONE,
                    LogicalTypeRoot.BINARY,
                    LogicalTypeRoot.VARBINARY,
                    LogicalTypeRoot.NULL);

    @Override
    public ArgumentCount getArgumentCount() {
        return ConstantArgumentCount.from(2);
    }

    @Override
    public Optional<List<DataType>> inferInputTypes(CallContext call, boolean throwOnFailure) {
        List<DataType> found = new ArrayList<>();
        for (DataType argument : call.getArgumentDataTypes()) {
            String problem = problem(argument.getLogicalType(), found.isEmpty());
            if (problem != null) {
                return call.fail(
                        throwOnFailure,
                        "Argument %d of ROW_HASH is %s: %s.",
                        found.size() + 1,
                        argument.getLogicalType().asSummaryString(),
                        problem);
            }
            found.add(TypeConversions.fromLogicalToDataType(argument.getLogicalType()).nullable());
        }
        return Optional.of(found);
    }

    /** Null when there is none. */
    private static String problem(LogicalType type, boolean isTable) {
        LogicalTypeRoot root = type.getTypeRoot();
        if (isTable) {
            return type.is(LogicalTypeFamily.CHARACTER_STRING)
                    ? null
                    : "it must be 'keyspace.table'";
        }
        if (root == LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE
                || root == LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE) {
            return LogicalTypeChecks.getPrecision(type) <= MILLISECONDS
                    ? null
                    : "Cassandra's timestamps are of milliseconds; CAST it to precision 3";
        }
        return PLAIN.contains(root) ? null : "it has no text in a row hash";
    }

    @Override
    public List<Signature> getExpectedSignatures(FunctionDefinition definition) {
        return List.of(
                Signature.of(
                        Signature.Argument.of("table STRING"), Signature.Argument.of("column …")));
    }
}
