package cdc.oracle.values;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.apache.cassandra.cql3.Duration;
import org.apache.cassandra.db.marshal.AbstractType;
import org.apache.cassandra.db.marshal.ListType;
import org.apache.cassandra.db.marshal.MapType;
import org.apache.cassandra.db.marshal.SetType;
import org.apache.cassandra.db.marshal.TupleType;
import org.apache.cassandra.utils.TimeUUID;

/** Random values as the Java objects that Cassandra's types compose. */
final class RandomValues {
    private static final String[] TEXTS = {"", "a", "key", "é", "中文", "😀", "x\"y", "tab\t", "\u0001", "back\\slash", "NULL"};

    private final Random random;

    RandomValues(Random random) {
        this.random = random;
    }

    Object value(AbstractType<?> type) {
        if (type.isReversed()) {
            throw new IllegalArgumentException("a reversed type has no values of its own: " + type);
        }
        if (type instanceof ListType) {
            return many(((ListType<?>) type).getElementsType());
        }
        if (type instanceof SetType) {
            return new HashSet<>(many(((SetType<?>) type).getElementsType()));
        }
        if (type instanceof MapType) {
            Map<Object, Object> map = new HashMap<>();
            for (Object key : many(((MapType<?, ?>) type).getKeysType())) {
                map.put(key, value(((MapType<?, ?>) type).getValuesType()));
            }
            return map;
        }
        if (type instanceof TupleType) {
            return fields((TupleType) type);
        }
        String name = type.asCQL3Type().toString();
        if (name.startsWith("vector<")) {
            int dimension = Integer.parseInt(name.substring(name.lastIndexOf(',') + 1, name.length() - 1).trim());
            List<Object> elements = new ArrayList<>();
            for (int i = 0; i < dimension; i++) {
                elements.add(value(type.subTypes().get(0)));
            }
            return elements;
        }
        return scalar(name);
    }

    private List<Object> many(AbstractType<?> type) {
        List<Object> values = new ArrayList<>();
        int count = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            values.add(value(type));
        }
        return values;
    }

    /** A tuple or user type: each field by length, -1 for null; now and then the last ones are missing. */
    private ByteBuffer fields(TupleType type) {
        ByteBuffer out = ByteBuffer.allocate(1 << 16);
        int present = random.nextInt(4) == 0 ? random.nextInt(type.size() + 1) : type.size();
        for (int i = 0; i < present; i++) {
            if (random.nextInt(4) == 0) {
                out.putInt(-1);
                continue;
            }
            @SuppressWarnings("unchecked")
            AbstractType<Object> field = (AbstractType<Object>) type.type(i);
            // duplicated below: Cassandra hands out the same buffer for every true
            ByteBuffer value = field.decompose(value(field));
            out.putInt(value.remaining()).put(value.duplicate());
        }
        out.flip();
        return out;
    }

    private Object scalar(String type) {
        switch (type) {
            case "ascii":
                return Integer.toString(random.nextInt(100_000), 36);
            case "text":
                return TEXTS[random.nextInt(TEXTS.length)] + TEXTS[random.nextInt(TEXTS.length)];
            case "tinyint":
                return (byte) random.nextInt();
            case "smallint":
                return (short) random.nextInt();
            case "int":
                return random.nextInt() >> random.nextInt(32);
            case "bigint":
                return random.nextLong() >> random.nextInt(64);
            case "time":
                return (random.nextLong() >>> 1) % 86_400_000_000_000L;
            case "varint":
                return new BigInteger(1 + random.nextInt(200), random).subtract(BigInteger.ONE.shiftLeft(100));
            case "decimal":
                return new BigDecimal(new BigInteger(1 + random.nextInt(100), random), random.nextInt(60) - 30);
            case "float":
                return Float.intBitsToFloat(random.nextInt());
            case "double":
                return random.nextBoolean()
                        ? Double.longBitsToDouble(random.nextLong())
                        : random.nextInt(1_000_000) / Math.pow(10, random.nextInt(8));
            case "boolean":
                return random.nextBoolean();
            case "blob":
                return ByteBuffer.wrap(bytes(random.nextInt(12)));
            case "uuid":
                return new UUID(random.nextLong(), random.nextLong());
            case "timeuuid":
                return TimeUUID.fromUuid(new UUID(random.nextLong() & ~0xf000L | 0x1000L, random.nextLong() >>> 2 | 1L << 63));
            case "inet":
                return address();
            case "timestamp":
                return new Date(random.nextLong() >> random.nextInt(40));
            case "date":
                return random.nextInt(100_000) + Integer.MIN_VALUE / 2 * (random.nextInt(2) + 1);
            case "duration":
                int sign = random.nextBoolean() ? 1 : -1;
                return Duration.newInstance(
                        sign * random.nextInt(1000), sign * random.nextInt(1000), sign * (random.nextLong() >>> random.nextInt(62) + 1));
            default:
                throw new IllegalArgumentException("no random values for " + type);
        }
    }

    private InetAddress address() {
        try {
            return InetAddress.getByAddress(bytes(random.nextBoolean() ? 4 : 16));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
