package io.cdcagent.flink.functions;

import org.apache.flink.table.functions.ScalarFunction;

/** `RULE_LIST(text)`: an array of what commas part in the text; empty for an empty text. */
public final class RuleList extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** NULL for NULL. */
    public String[] eval(String text) {
        if (text == null) {
            return null;
        }
        return text.isEmpty() ? new String[0] : text.split(",", -1);
    }
}
