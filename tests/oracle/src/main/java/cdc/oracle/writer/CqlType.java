package cdc.oracle.writer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/** A CQL type as the generator knows it. */
final class CqlType {
    enum Kind { SCALAR, LIST, SET, MAP, TUPLE, UDT, VECTOR, CUSTOM }

    final Kind kind;
    /** Scalar: its CQL name. UDT: its quoted name. Custom: the class. */
    final String name;
    /** Element types: list 1, set 1, map 2, tuple and UDT one a field, vector 1. */
    final List<CqlType> parts;
    /** UDT: quoted field names. */
    final List<String> fields;
    final int dimension;
    final boolean frozen;

    private CqlType(Kind kind, String name, List<CqlType> parts, List<String> fields, int dimension, boolean frozen) {
        this.kind = kind;
        this.name = name;
        this.parts = parts;
        this.fields = fields;
        this.dimension = dimension;
        this.frozen = frozen;
    }

    static CqlType scalar(String name) {
        return new CqlType(Kind.SCALAR, name, List.of(), List.of(), 0, true);
    }

    static CqlType custom(String marshalClass) {
        return new CqlType(Kind.CUSTOM, marshalClass, List.of(), List.of(), 0, true);
    }

    static CqlType collection(Kind kind, List<CqlType> parts, boolean frozen) {
        return new CqlType(kind, null, parts, List.of(), 0, frozen);
    }

    static CqlType tuple(List<CqlType> parts) {
        return new CqlType(Kind.TUPLE, null, parts, List.of(), 0, true);
    }

    static CqlType vector(CqlType part, int dimension) {
        return new CqlType(Kind.VECTOR, null, Collections.singletonList(part), List.of(), dimension, true);
    }

    /** A user-defined type in its frozen form. Its lists stay open for {@link #addField}. */
    static CqlType udt(String name, List<String> fields, List<CqlType> parts) {
        return new CqlType(Kind.UDT, name, new ArrayList<>(parts), new ArrayList<>(fields), 0, true);
    }

    /** The same user-defined type held as separate cells; shares the fields, so that altering one alters both. */
    CqlType thawed() {
        return new CqlType(kind, name, parts, fields, dimension, false);
    }

    void addField(String field, CqlType type) {
        fields.add(field);
        parts.add(type);
    }

    /** Whether a column of this type is stored as one cell an element. */
    boolean isComplex() {
        return !frozen;
    }

    /** Whether the scalar type of this name occurs anywhere inside. */
    boolean mentions(String scalar) {
        return (kind == Kind.SCALAR && name.equals(scalar)) || parts.stream().anyMatch(part -> part.mentions(scalar));
    }

    /** The type as CQL writes it in a column definition. */
    String cql() {
        String inner = parts.stream().map(CqlType::cql).collect(Collectors.joining(", "));
        switch (kind) {
            case LIST: return frozen("list<" + inner + ">");
            case SET: return frozen("set<" + inner + ">");
            case MAP: return frozen("map<" + inner + ">");
            case TUPLE: return frozen("tuple<" + inner + ">");
            case UDT: return frozen(name);
            case VECTOR: return "vector<" + inner + ", " + dimension + ">";
            case CUSTOM: return "'" + name + "'";
            default: return name;
        }
    }

    private String frozen(String text) {
        return frozen ? "frozen<" + text + ">" : text;
    }
}
