package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.api.core.type.DataTypes;
import com.datastax.oss.driver.api.core.type.ListType;
import com.datastax.oss.driver.api.core.type.MapType;
import com.datastax.oss.driver.api.core.type.SetType;
import com.datastax.oss.driver.api.core.type.TupleType;
import com.datastax.oss.driver.api.core.type.UserDefinedType;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/**
 * Which SQL types go into which CQL types, and how: from Flink's internal values to those of the
 * driver's codecs. Nothing is rounded or cut; a value that does not fit raises an
 * IllegalArgumentException, ArithmeticException or DateTimeException.
 */
final class Converters {
    private static final List<DataType> INTEGERS =
            List.of(DataTypes.TINYINT, DataTypes.SMALLINT, DataTypes.INT, DataTypes.BIGINT);
    private static final List<LogicalTypeRoot> INTEGER_ROOTS =
            List.of(
                    LogicalTypeRoot.TINYINT,
                    LogicalTypeRoot.SMALLINT,
                    LogicalTypeRoot.INTEGER,
                    LogicalTypeRoot.BIGINT);
    private static final int MILLISECONDS = 3;
    private static final long NANOS_OF_MILLI = 1_000_000;

    private Converters() {}

    /** How values of `from` become values of `to`; null when they do not. */
    static UnaryOperator<Object> between(LogicalType from, DataType to) {
        switch (from.getTypeRoot()) {
            case CHAR:
            case VARCHAR:
                return TextConverters.to(to);
            case BOOLEAN:
                return to.equals(DataTypes.BOOLEAN) ? value -> value : null;
            case TINYINT:
            case SMALLINT:
            case INTEGER:
            case BIGINT:
                return integer(from.getTypeRoot(), to);
            case FLOAT:
                if (to.equals(DataTypes.DOUBLE)) {
                    return value -> ((Float) value).doubleValue();
                }
                return to.equals(DataTypes.FLOAT) ? value -> value : null;
            case DOUBLE:
                return to.equals(DataTypes.DOUBLE) ? value -> value : null;
            case DECIMAL:
                return decimal((DecimalType) from, to);
            case DATE:
                return to.equals(DataTypes.DATE)
                        ? value -> LocalDate.ofEpochDay((Integer) value)
                        : null;
            case TIME_WITHOUT_TIME_ZONE:
                return to.equals(DataTypes.TIME)
                        ? value -> LocalTime.ofNanoOfDay((Integer) value * NANOS_OF_MILLI)
                        : null;
            case TIMESTAMP_WITHOUT_TIME_ZONE: // read as UTC
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return to.equals(DataTypes.TIMESTAMP)
                                && LogicalTypeChecks.getPrecision(from) <= MILLISECONDS
                        ? value -> ((TimestampData) value).toInstant()
                        : null;
            case BINARY:
            case VARBINARY:
                return to.equals(DataTypes.BLOB) ? value -> ByteBuffer.wrap((byte[]) value) : null;
            case ARRAY:
                return array(((ArrayType) from).getElementType(), to);
            case MAP:
                return to instanceof MapType
                        ? CollectionConverters.map(
                                (org.apache.flink.table.types.logical.MapType) from, (MapType) to)
                        : null;
            case ROW:
                return row((RowType) from, to);
            default:
                return null;
        }
    }

    /**
     * Into the same or a wider type, into varint; a BIGINT also into time, as nanoseconds of the
     * day.
     */
    private static UnaryOperator<Object> integer(LogicalTypeRoot from, DataType to) {
        if (to.equals(DataTypes.VARINT)) {
            return value -> BigInteger.valueOf(((Number) value).longValue());
        }
        if (to.equals(DataTypes.TIME)) {
            return from == LogicalTypeRoot.BIGINT
                    ? value -> LocalTime.ofNanoOfDay((Long) value)
                    : null;
        }
        int width = INTEGERS.indexOf(to);
        if (width < INTEGER_ROOTS.indexOf(from)) {
            return null;
        }
        switch (width) {
            case 0:
                return value -> value;
            case 1:
                return value -> ((Number) value).shortValue();
            case 2:
                return value -> ((Number) value).intValue();
            default:
                return value -> ((Number) value).longValue();
        }
    }

    private static UnaryOperator<Object> decimal(DecimalType from, DataType to) {
        if (to.equals(DataTypes.DECIMAL)) {
            return value -> ((DecimalData) value).toBigDecimal();
        }
        return to.equals(DataTypes.VARINT) && from.getScale() == 0
                ? value -> ((DecimalData) value).toBigDecimal().toBigIntegerExact()
                : null;
    }

    private static UnaryOperator<Object> array(LogicalType element, DataType to) {
        if (to instanceof ListType) {
            return CollectionConverters.list(element, ((ListType) to).getElementType());
        }
        return to instanceof SetType
                ? CollectionConverters.set(element, ((SetType) to).getElementType())
                : null;
    }

    private static UnaryOperator<Object> row(RowType from, DataType to) {
        if (to instanceof UserDefinedType) {
            return CompositeConverters.udt(from, (UserDefinedType) to);
        }
        return to instanceof TupleType ? CompositeConverters.tuple(from, (TupleType) to) : null;
    }
}
