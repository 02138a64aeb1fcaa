package io.cdcagent.flink.functions;

import org.apache.flink.table.functions.ScalarFunction;

/**
 * `JSON_PART(json, kind, name, …)`: the member of an object, or of an object in it, as it stands in
 * the text: no digit of a number changes. Without a name the object itself. `kind` is `text`,
 * `integer` (of 64 bits) or `object`. The text `null` where there is none of that name and kind; of
 * a name that stands there twice the last counts.
 */
public final class JsonPart extends ScalarFunction {
    private static final long serialVersionUID = 1L;
    private static final String NONE = "null";

    /** Never NULL. */
    public String eval(String json, String kind, String... path) {
        String found = path.length > 0 || JsonMembers.isObject(json) ? json : null;
        for (String name : path) {
            found = found == null ? null : JsonMembers.last(found, name);
        }
        return found != null && isOf(kind, found) ? found : NONE;
    }

    private static boolean isOf(String kind, String found) {
        switch (kind) {
            case "text":
                return found.startsWith("\"");
            case "object":
                return found.startsWith("{");
            case "integer":
                return isLong(found);
            default:
                throw new IllegalArgumentException("JSON_PART knows no " + kind);
        }
    }

    private static boolean isLong(String found) {
        try {
            Long.parseLong(found);
            return true;
        } catch (NumberFormatException error) {
            return false;
        }
    }
}
