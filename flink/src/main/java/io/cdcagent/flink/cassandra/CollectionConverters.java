package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.type.DataType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;

/** Arrays into lists and sets, maps into maps. Cassandra holds no NULL in any of them. */
final class CollectionConverters {
    private CollectionConverters() {}

    /** Null when the elements do not go together, as in the other functions. */
    static UnaryOperator<Object> list(LogicalType from, DataType to) {
        UnaryOperator<Object> element = Converters.between(from, to);
        return element == null ? null : value -> elements((ArrayData) value, from, element);
    }

    static UnaryOperator<Object> set(LogicalType from, DataType to) {
        UnaryOperator<Object> element = Converters.between(from, to);
        return element == null
                ? null
                : value -> new LinkedHashSet<>(elements((ArrayData) value, from, element));
    }

    static UnaryOperator<Object> map(
            MapType from, com.datastax.oss.driver.api.core.type.MapType to) {
        UnaryOperator<Object> key = Converters.between(from.getKeyType(), to.getKeyType());
        UnaryOperator<Object> element = Converters.between(from.getValueType(), to.getValueType());
        if (key == null || element == null) {
            return null;
        }
        return value -> {
            List<Object> keys = elements(((MapData) value).keyArray(), from.getKeyType(), key);
            List<Object> values =
                    elements(((MapData) value).valueArray(), from.getValueType(), element);
            Map<Object, Object> found = new LinkedHashMap<>();
            for (int position = 0; position < keys.size(); position++) {
                found.put(keys.get(position), values.get(position));
            }
            return found;
        };
    }

    private static List<Object> elements(
            ArrayData array, LogicalType type, UnaryOperator<Object> converter) {
        ArrayData.ElementGetter getter = ArrayData.createElementGetter(type);
        List<Object> found = new ArrayList<>(array.size());
        for (int position = 0; position < array.size(); position++) {
            Object element = getter.getElementOrNull(array, position);
            if (element == null) {
                throw new IllegalArgumentException();
            }
            found.add(converter.apply(element));
        }
        return found;
    }
}
