//! The type text that `hash_def` covers: CQL without `frozen<>` and spaces, user-defined types by their fields.

use crate::cql::CqlType;

/// Appends the canonical text of a type.
pub(super) fn write_canonical_type(cql_type: &CqlType, out: &mut String) {
    match cql_type {
        CqlType::List { element, .. } => nested("list", &[element], out),
        CqlType::Set { element, .. } => nested("set", &[element], out),
        CqlType::Map { key, value, .. } => nested("map", &[key, value], out),
        CqlType::Tuple(fields) => nested("tuple", &fields.iter().collect::<Vec<_>>(), out),
        CqlType::Udt { udt, .. } => {
            out.push_str("udt<");
            for (position, (name, field)) in udt.fields.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                out.push_str(name);
                out.push(':');
                write_canonical_type(field, out);
            }
            out.push('>');
        }
        CqlType::Vector { element, dimension } => {
            out.push_str("vector<");
            write_canonical_type(element, out);
            out.push_str(&format!(",{dimension}>"));
        }
        CqlType::Custom(class) => out.push_str(&format!("'{class}'")),
        scalar => out.push_str(scalar_name(scalar)),
    }
}

fn nested(name: &str, types: &[&CqlType], out: &mut String) {
    out.push_str(name);
    out.push('<');
    for (position, cql_type) in types.iter().enumerate() {
        out.push_str(if position > 0 { "," } else { "" });
        write_canonical_type(cql_type, out);
    }
    out.push('>');
}

fn scalar_name(scalar: &CqlType) -> &'static str {
    match scalar {
        CqlType::Ascii => "ascii",
        CqlType::BigInt => "bigint",
        CqlType::Blob => "blob",
        CqlType::Boolean => "boolean",
        CqlType::Counter => "counter",
        CqlType::Date => "date",
        CqlType::Decimal => "decimal",
        CqlType::Double => "double",
        CqlType::Duration => "duration",
        CqlType::Float => "float",
        CqlType::Inet => "inet",
        CqlType::Int => "int",
        CqlType::SmallInt => "smallint",
        CqlType::Text => "text",
        CqlType::Time => "time",
        CqlType::Timestamp => "timestamp",
        CqlType::TimeUuid => "timeuuid",
        CqlType::TinyInt => "tinyint",
        CqlType::Uuid => "uuid",
        CqlType::VarInt => "varint",
        _ => "empty",
    }
}
