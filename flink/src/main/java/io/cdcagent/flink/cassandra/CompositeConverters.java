package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.data.SettableByIndex;
import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.api.core.type.TupleType;
import com.datastax.oss.driver.api.core.type.UserDefinedType;
import com.datastax.oss.driver.api.core.type.codec.registry.CodecRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Rows into tuples, by position, and into UDTs, by the names of the fields. */
final class CompositeConverters {
    private CompositeConverters() {}

    /** Null when the fields do not go together, as in the other function. */
    static UnaryOperator<Object> tuple(RowType from, TupleType to) {
        List<DataType> types = to.getComponentTypes();
        if (types.size() != from.getFieldCount()) {
            return null;
        }
        List<Field> fields = new ArrayList<>();
        for (int position = 0; position < types.size(); position++) {
            fields.add(Field.of(from, position, position, types.get(position)));
        }
        return fields.contains(null)
                ? null
                : value -> filled(to.newValue(), (RowData) value, fields);
    }

    static UnaryOperator<Object> udt(RowType from, UserDefinedType to) {
        if (to.getFieldNames().size() != from.getFieldCount()) {
            return null;
        }
        List<Field> fields = new ArrayList<>();
        for (int index = 0; index < to.getFieldNames().size(); index++) {
            int position = from.getFieldIndex(to.getFieldNames().get(index).asInternal());
            fields.add(
                    position < 0
                            ? null
                            : Field.of(from, position, index, to.getFieldTypes().get(index)));
        }
        return fields.contains(null)
                ? null
                : value -> filled(to.newValue(), (RowData) value, fields);
    }

    private static <T extends SettableByIndex<T>> T filled(
            T empty, RowData row, List<Field> fields) {
        T filled = empty;
        for (Field field : fields) {
            Object value = field.getter.getFieldOrNull(row);
            filled =
                    value == null
                            ? filled.setToNull(field.index)
                            : filled.set(
                                    field.index,
                                    field.converter.apply(value),
                                    CodecRegistry.DEFAULT.codecFor(field.type));
        }
        return filled;
    }

    private static final class Field {
        final int index;
        final DataType type;
        final RowData.FieldGetter getter;
        final UnaryOperator<Object> converter;

        private Field(
                int index,
                DataType type,
                RowData.FieldGetter getter,
                UnaryOperator<Object> converter) {
            this.index = index;
            this.type = type;
            this.getter = getter;
            this.converter = converter;
        }

        /** Null when the types do not go together. */
        static Field of(RowType from, int position, int index, DataType to) {
            UnaryOperator<Object> converter = Converters.between(from.getTypeAt(position), to);
            return converter == null
                    ? null
                    : new Field(
                            index,
                            to,
                            RowData.createFieldGetter(from.getTypeAt(position), position),
                            converter);
        }
    }
}
