package io.cdcagent.flink.functions;

import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * `COLUMN_NAMES(values, patch, key, …)`: the names of the members of two objects, each once, but
 * for those of the key's columns, as a JSON array.
 */
public final class ColumnNames extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** Never NULL; what is no object has no members. */
    public String eval(String values, String patch, String... key) {
        Set<String> hidden = Set.of(key);
        Set<String> names = new LinkedHashSet<>();
        for (String object : new String[] {values, patch}) {
            JsonMembers.each(
                    object,
                    (name, quoted, value) -> {
                        if (!hidden.contains(name)) {
                            names.add(quoted);
                        }
                    });
        }
        return "[" + String.join(",", names) + "]";
    }
}
