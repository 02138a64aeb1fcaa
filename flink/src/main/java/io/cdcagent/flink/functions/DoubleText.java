package io.cdcagent.flink.functions;

import com.fasterxml.jackson.core.io.schubfach.DoubleToDecimal;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * `DOUBLE_TEXT(double)`: the text that `Double.toString` gives since JDK 19. Older ones print other
 * digits for some numbers, as `2.0E23`, so that `CAST(… AS STRING)` depends on the JVM.
 */
public final class DoubleText extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** NULL gives NULL. */
    public String eval(Double number) {
        return number == null ? null : of(number);
    }

    static String of(double number) {
        return DoubleToDecimal.toString(number);
    }
}
