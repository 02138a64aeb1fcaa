package io.cdcagent.flink.functions;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The members of a JSON object with their texts as they stand. */
final class JsonMembers {
    /** What a record may hold, this may read: the record is in memory already. */
    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(Integer.MAX_VALUE)
                                    .maxNumberLength(Integer.MAX_VALUE)
                                    .maxStringLength(Integer.MAX_VALUE)
                                    .maxNameLength(Integer.MAX_VALUE)
                                    .build())
                    .build();

    /** Takes a member: its name, the name as it stands, its value as it stands. */
    interface Taker {
        void take(String name, String quoted, String value);
    }

    private JsonMembers() {}

    /** The value of the last member of that name; null when there is none. */
    static String last(String json, String wanted) {
        String[] found = new String[1];
        each(
                json,
                (name, quoted, value) -> {
                    if (name.equals(wanted)) {
                        found[0] = value;
                    }
                });
        return found[0];
    }

    /** Whether a text is one object with nothing behind it. */
    static boolean isObject(String json) {
        return json != null && read(json, new ArrayList<>());
    }

    /** Hands over the members in their order; of a text that is no object, none. */
    static void each(String json, Taker taker) {
        List<String[]> members = new ArrayList<>();
        if (json == null || !read(json, members)) {
            return;
        }
        for (String[] member : members) {
            taker.take(member[0], member[1], member[2]);
        }
    }

    private static boolean read(String json, List<String[]> members) {
        try (JsonParser parser = JSON.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                String quoted = quoted(json, (int) parser.currentTokenLocation().getCharOffset());
                parser.nextToken();
                int start = (int) parser.currentTokenLocation().getCharOffset();
                parser.finishToken();
                parser.skipChildren();
                int end = (int) parser.currentLocation().getCharOffset();
                members.add(new String[] {name, quoted, json.substring(start, end)});
            }
            return parser.nextToken() == null;
        } catch (IOException error) {
            return false;
        }
    }

    /** The text in quotes that begins there. */
    private static String quoted(String json, int start) {
        int end = start + 1;
        while (json.charAt(end) != '"') {
            end += json.charAt(end) == '\\' ? 2 : 1;
        }
        return json.substring(start, end + 1);
    }
}
