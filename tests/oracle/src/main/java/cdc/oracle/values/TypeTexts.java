package cdc.oracle.values;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.apache.cassandra.db.marshal.AbstractType;
import org.apache.cassandra.schema.CQLTypeParser;
import org.apache.cassandra.schema.Types;

/** CQL type texts as Cassandra's types; user types come as rows of system_schema.types. */
final class TypeTexts {
    static final String KEYSPACE = "ks";

    private Types types = Types.none();

    void define(JsonNode rows) {
        Types.RawBuilder raw = Types.rawBuilder(KEYSPACE);
        for (JsonNode row : rows) {
            raw.add(row.get("type_name").asText(), texts(row.get("field_names")), texts(row.get("field_types")));
        }
        types = raw.build();
    }

    @SuppressWarnings("unchecked")
    AbstractType<Object> parse(String type) {
        return (AbstractType<Object>) CQLTypeParser.parse(KEYSPACE, type, types);
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }
}
