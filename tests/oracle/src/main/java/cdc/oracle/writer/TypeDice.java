package cdc.oracle.writer;

import java.util.ArrayList;
import java.util.List;

/** Random types: for keys, for elements (always frozen), and for columns. */
final class TypeDice {
    private static final List<String> SCALARS = List.of("ascii", "bigint", "blob", "boolean", "date", "decimal", "double",
        "duration", "float", "inet", "int", "smallint", "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint");
    private static final String MARSHAL = "org.apache.cassandra.db.marshal.";
    private static final int DEEPEST = 3;

    private final Dice dice;
    private final boolean vectors;
    /** The user-defined types that exist in the keyspace so far, in their frozen form. */
    private final List<CqlType> userTypes;

    TypeDice(Dice dice, boolean vectors, List<CqlType> userTypes) {
        this.dice = dice;
        this.vectors = vectors;
        this.userTypes = userTypes;
    }

    /** A type for a partition or clustering column: no duration anywhere, which cannot be ordered. */
    CqlType key() {
        return dice.chance(0.85) ? ordered(DEEPEST) : ordered(1);
    }

    /** A type for a regular or static column: one value in one cell, or separate cells. */
    CqlType column() {
        if (dice.chance(0.5)) {
            return scalar();
        }
        if (dice.chance(0.5)) {
            return value(1);
        }
        if (!userTypes.isEmpty() && dice.chance(0.3)) {
            return dice.pick(userTypes).thawed();
        }
        return collection(1, false);
    }

    /** A type whose values stand in one piece: an element, a field, a frozen column. */
    CqlType value(int depth) {
        if (depth >= DEEPEST || dice.chance(0.45)) {
            return scalar();
        }
        if (!userTypes.isEmpty() && dice.chance(0.25)) {
            return dice.pick(userTypes);
        }
        if (vectors && dice.chance(0.25)) {
            return CqlType.vector(dice.chance(0.5) ? CqlType.scalar("float") : value(depth + 1), dice.between(1, 4));
        }
        if (dice.chance(0.3)) {
            return tuple(depth);
        }
        return collection(depth, true);
    }

    private CqlType tuple(int depth) {
        List<CqlType> parts = new ArrayList<>();
        for (int i = dice.between(1, 4); i > 0; i--) {
            parts.add(value(depth + 1));
        }
        return CqlType.tuple(parts);
    }

    private CqlType collection(int depth, boolean frozen) {
        switch (dice.between(0, 2)) {
            case 0: return CqlType.collection(CqlType.Kind.LIST, List.of(value(depth + 1)), frozen);
            case 1: return CqlType.collection(CqlType.Kind.SET, List.of(ordered(depth + 1)), frozen);
            default: return CqlType.collection(CqlType.Kind.MAP, List.of(ordered(depth + 1), value(depth + 1)), frozen);
        }
    }

    private CqlType ordered(int depth) {
        while (true) {
            CqlType type = value(depth);
            if (!type.mentions("duration")) {
                return type;
            }
        }
    }

    private CqlType scalar() {
        if (dice.chance(0.01)) {
            return CqlType.custom(MARSHAL + dice.of("LexicalUUIDType", "DateType"));
        }
        return CqlType.scalar(dice.pick(SCALARS));
    }
}
