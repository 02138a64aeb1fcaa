package io.cdcagent.flink.functions;

import com.fasterxml.jackson.core.io.schubfach.FloatToDecimal;
import org.apache.flink.table.functions.ScalarFunction;

/** `FLOAT_TEXT(float)`: the text that `Float.toString` gives since JDK 19. */
public final class FloatText extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** NULL gives NULL. */
    public String eval(Float number) {
        return number == null ? null : of(number);
    }

    static String of(float number) {
        return FloatToDecimal.toString(number);
    }
}
