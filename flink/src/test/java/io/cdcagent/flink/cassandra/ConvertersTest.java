package io.cdcagent.flink.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.api.core.type.DataTypes;
import java.math.BigInteger;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.DateType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.FloatType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.SmallIntType;
import org.apache.flink.table.types.logical.TimeType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.TinyIntType;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;

/**
 * Which types go together, and values that do not fit. Values that do go through a real table in
 * CassandraSinkTest.
 */
class ConvertersTest {
    private static final LogicalType STRING = VarCharType.STRING_TYPE;

    @Test
    void typesThatGoTogether() {
        List<DataType> all =
                List.of(
                        DataTypes.TEXT,
                        DataTypes.ASCII,
                        DataTypes.UUID,
                        DataTypes.TIMEUUID,
                        DataTypes.INET,
                        DataTypes.BOOLEAN,
                        DataTypes.TINYINT,
                        DataTypes.SMALLINT,
                        DataTypes.INT,
                        DataTypes.BIGINT,
                        DataTypes.VARINT,
                        DataTypes.FLOAT,
                        DataTypes.DOUBLE,
                        DataTypes.DECIMAL,
                        DataTypes.DATE,
                        DataTypes.TIME,
                        DataTypes.TIMESTAMP,
                        DataTypes.BLOB,
                        DataTypes.DURATION,
                        DataTypes.COUNTER,
                        DataTypes.listOf(DataTypes.TEXT));
        Map<LogicalType, List<DataType>> pairs =
                Map.ofEntries(
                        Map.entry(
                                STRING,
                                List.of(
                                        DataTypes.TEXT,
                                        DataTypes.ASCII,
                                        DataTypes.UUID,
                                        DataTypes.TIMEUUID,
                                        DataTypes.INET)),
                        Map.entry(new BooleanType(), List.of(DataTypes.BOOLEAN)),
                        Map.entry(
                                new TinyIntType(),
                                List.of(
                                        DataTypes.TINYINT,
                                        DataTypes.SMALLINT,
                                        DataTypes.INT,
                                        DataTypes.BIGINT,
                                        DataTypes.VARINT)),
                        Map.entry(
                                new SmallIntType(),
                                List.of(
                                        DataTypes.SMALLINT,
                                        DataTypes.INT,
                                        DataTypes.BIGINT,
                                        DataTypes.VARINT)),
                        Map.entry(
                                new IntType(),
                                List.of(DataTypes.INT, DataTypes.BIGINT, DataTypes.VARINT)),
                        Map.entry(
                                new BigIntType(),
                                List.of(DataTypes.BIGINT, DataTypes.VARINT, DataTypes.TIME)),
                        Map.entry(new FloatType(), List.of(DataTypes.FLOAT, DataTypes.DOUBLE)),
                        Map.entry(new DoubleType(), List.of(DataTypes.DOUBLE)),
                        Map.entry(new DecimalType(10, 2), List.of(DataTypes.DECIMAL)),
                        Map.entry(
                                new DecimalType(38, 0),
                                List.of(DataTypes.VARINT, DataTypes.DECIMAL)),
                        Map.entry(new DateType(), List.of(DataTypes.DATE)),
                        Map.entry(new TimeType(3), List.of(DataTypes.TIME)),
                        Map.entry(new TimestampType(3), List.of(DataTypes.TIMESTAMP)),
                        Map.entry(new TimestampType(6), List.of()),
                        Map.entry(new LocalZonedTimestampType(3), List.of(DataTypes.TIMESTAMP)),
                        Map.entry(new LocalZonedTimestampType(9), List.of()),
                        Map.entry(new VarBinaryType(9), List.of(DataTypes.BLOB)),
                        Map.entry(
                                new ArrayType(STRING), List.of(DataTypes.listOf(DataTypes.TEXT))));
        pairs.forEach(
                (from, expected) ->
                        all.forEach(
                                to ->
                                        assertEquals(
                                                expected.contains(to),
                                                Converters.between(from, to) != null,
                                                from + " into " + to)));
    }

    @Test
    void textsThatAreNone() {
        unfit(STRING, DataTypes.UUID, StringData.fromString("1-2-3-4-5"));
        unfit(
                STRING,
                DataTypes.TIMEUUID,
                StringData.fromString("00000000-0000-4000-8000-000000000000"));
        unfit(STRING, DataTypes.ASCII, StringData.fromString("é"));
        for (String text : List.of("localhost", "1.2.3", "::g", "")) {
            unfit(STRING, DataTypes.INET, StringData.fromString(text));
        }
        assertEquals(
                UUID.fromString("0000000A-0000-4000-8000-000000000000"),
                convert(
                        STRING,
                        DataTypes.UUID,
                        StringData.fromString("0000000A-0000-4000-8000-000000000000")));
    }

    @Test
    void numbers() {
        assertEquals(BigInteger.valueOf(-7), convert(new IntType(), DataTypes.VARINT, -7));
        assertEquals(-7L, convert(new TinyIntType(), DataTypes.BIGINT, (byte) -7));
        assertEquals(
                new BigInteger("12345678901234567890"),
                convert(
                        new DecimalType(38, 0),
                        DataTypes.VARINT,
                        DecimalData.fromBigDecimal(
                                new java.math.BigDecimal("12345678901234567890"), 38, 0)));
        assertEquals(
                LocalTime.of(23, 59, 59, 999_999_999),
                convert(new BigIntType(), DataTypes.TIME, 86_399_999_999_999L));
        assertThrows(
                java.time.DateTimeException.class,
                () -> convert(new BigIntType(), DataTypes.TIME, 86_400_000_000_000L));
    }

    @Test
    void noNullsInCollections() {
        unfit(
                new ArrayType(STRING),
                DataTypes.setOf(DataTypes.TEXT),
                new GenericArrayData(new Object[] {StringData.fromString("a"), null}));
        assertNull(Converters.between(new ArrayType(STRING), DataTypes.listOf(DataTypes.INT)));
        assertNotNull(
                Converters.between(
                        new ArrayType(new ArrayType(STRING)),
                        DataTypes.listOf(DataTypes.setOf(DataTypes.UUID))));
    }

    private static Object convert(LogicalType from, DataType to, Object value) {
        return Converters.between(from, to).apply(value);
    }

    private static void unfit(LogicalType from, DataType to, Object value) {
        assertThrows(IllegalArgumentException.class, () -> convert(from, to, value));
    }
}
