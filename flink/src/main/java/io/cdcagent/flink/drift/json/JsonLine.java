package io.cdcagent.flink.drift.json;

import java.util.Collection;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/** An object that is written field by field, in that order. */
public final class JsonLine {
    private final StringJoiner fields = new StringJoiner(",", "{", "}");

    /** A field whose value is JSON already. */
    public JsonLine json(String name, String json) {
        fields.add(JsonText.quoted(name) + ":" + (json == null ? "null" : json));
        return this;
    }

    /** A text, or null. */
    public JsonLine text(String name, String text) {
        return json(name, text == null ? null : JsonText.quoted(text));
    }

    /** A number, or null. */
    public JsonLine number(String name, Number number) {
        return json(name, number == null ? null : number.toString());
    }

    /** An array of values that are JSON already. */
    public static String array(Collection<String> json) {
        return json.stream().collect(Collectors.joining(",", "[", "]"));
    }

    @Override
    public String toString() {
        return fields.toString();
    }
}
