package cdc.oracle.writer;

import java.util.ArrayList;
import java.util.List;

/** What a statement does to columns: assignments of an UPDATE, selections of a DELETE. */
final class Columns {
    private final Dice dice;
    private final Literals literals;

    Columns(Dice dice, Literals literals) {
        this.dice = dice;
        this.literals = literals;
    }

    /** Some of the columns: usually a few, now and then nearly all. */
    List<Table.Column> some(List<Table.Column> columns) {
        if (columns.isEmpty() || dice.chance(0.15)) {
            return new ArrayList<>(columns);
        }
        int most = columns.size();
        return dice.sample(columns, dice.chance(0.2) ? dice.between(1, most) : dice.between(1, Math.min(4, most)));
    }

    /** A value to insert, or null. */
    String valueOrNull(CqlType type) {
        return dice.chance(0.1) ? "null" : literals.of(type);
    }

    /** One assignment of an UPDATE. */
    String assignment(Table.Column column) {
        CqlType type = column.type;
        String name = column.name;
        if (type.kind == CqlType.Kind.SCALAR && type.name.equals("counter")) {
            return name + " = " + name + dice.of(" + ", " - ") + (dice.spreadLong() >> 2);
        }
        if (!type.isComplex() || dice.chance(0.3)) {
            return name + " = " + valueOrNull(type);
        }
        switch (type.kind) {
            case LIST: return listOperation(name, type);
            case SET: return name + " = " + name + dice.of(" + ", " - ") + literals.plain(type);
            case MAP: return mapOperation(name, type);
            default: return fieldOperation(name, type);
        }
    }

    private String listOperation(String name, CqlType type) {
        switch (dice.between(0, 3)) {
            case 0: return name + " = " + name + " + " + literals.plain(type);
            case 1: return name + " = " + literals.plain(type) + " + " + name;
            case 2: return name + " = " + name + " - " + literals.plain(type);
            default: return name + "[" + dice.between(0, 2) + "] = " + valueOrNull(type.parts.get(0));
        }
    }

    private String mapOperation(String name, CqlType type) {
        CqlType key = type.parts.get(0);
        switch (dice.between(0, 2)) {
            case 0: return name + " = " + name + " + " + literals.plain(type);
            case 1: return name + " = " + name + " - {" + literals.of(key) + ", " + literals.of(key) + "}";
            default: return name + "[" + literals.of(key) + "] = " + valueOrNull(type.parts.get(1));
        }
    }

    private String fieldOperation(String name, CqlType type) {
        int field = dice.between(0, type.fields.size() - 1);
        return name + "." + type.fields.get(field) + " = " + valueOrNull(type.parts.get(field));
    }

    /** What a DELETE names: the column, or a part of it. */
    String selection(Table.Column column) {
        CqlType type = column.type;
        if (!type.isComplex() || dice.chance(0.5)) {
            return column.name;
        }
        switch (type.kind) {
            case LIST: return column.name + "[" + dice.between(0, 2) + "]";
            case UDT: return column.name + "." + dice.pick(type.fields);
            default: return column.name + "[" + literals.of(type.parts.get(0)) + "]";
        }
    }
}
