package io.cdcagent.flink.functions;

import java.math.BigDecimal;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * `DECIMAL_TEXT(decimal)`: `BigDecimal.toString` of a decimal of any precision and scale, as `1.50`
 * and `0E-8`.
 */
public final class DecimalText extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** NULL gives NULL. */
    public String eval(BigDecimal number) {
        return number == null ? null : number.toString();
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TypeInference.newBuilder()
                .inputTypeStrategy(
                        InputTypeStrategies.sequence(
                                InputTypeStrategies.logical(LogicalTypeRoot.DECIMAL)))
                .outputTypeStrategy(TypeStrategies.explicit(DataTypes.STRING()))
                .build();
    }
}
