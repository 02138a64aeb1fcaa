package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.api.core.type.codec.TypeCodec;
import com.datastax.oss.driver.api.core.type.codec.registry.CodecRegistry;
import java.time.DateTimeException;
import java.util.function.UnaryOperator;
import org.apache.flink.table.data.RowData;

/**
 * A column that is written: what the DDL and the table say of it, and how its values go from one to
 * the other.
 */
final class TableColumn {
    final String name;
    final boolean isKey;
    private final DataType cqlType;
    private final TypeCodec<Object> codec;
    private final RowData.FieldGetter getter;
    private final UnaryOperator<Object> converter;

    TableColumn(Column column, boolean isKey, DataType cqlType, UnaryOperator<Object> converter) {
        name = column.name;
        this.isKey = isKey;
        this.cqlType = cqlType;
        this.codec = CodecRegistry.DEFAULT.codecFor(cqlType);
        this.getter = RowData.createFieldGetter(column.type, column.position);
        this.converter = converter;
    }

    String quoted() {
        return CqlIdentifier.fromInternal(name).asCql(false);
    }

    TypeCodec<Object> codec() {
        return codec;
    }

    /**
     * The value in a row as the driver takes it; null for NULL.
     *
     * @throws RefusedException when the column's type cannot hold it. Does not say the value.
     */
    Object value(RowData row) {
        Object found = getter.getFieldOrNull(row);
        if (found == null) {
            return null;
        }
        try {
            return converter.apply(found);
        } catch (IllegalArgumentException | ArithmeticException | DateTimeException error) {
            throw unfit(error);
        }
    }

    RefusedException unfit(RuntimeException error) {
        return new RefusedException(
                String.format(
                        "A value of column %s is no %s (%s). Guard the column with a rule of its type, or convert it in SQL.",
                        name, cqlType.asCql(false, false), error.getClass().getSimpleName()));
    }
}
