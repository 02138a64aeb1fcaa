//! The class text of a type, as Cassandra's `AbstractType.toString` gives it.

use crate::cql::CqlType;
use crate::schema::Column;

const PACKAGE: &str = "org.apache.cassandra.db.marshal.";

/// Appends the class of a clustering column, its order included.
pub(super) fn write_clustering_class(column: &Column, out: &mut String) {
    if column.descending {
        call("ReversedType", out, |out| write_class(&column.cql_type, false, out));
    } else {
        write_class(&column.cql_type, false, out);
    }
}

/// `inside_frozen`: the type is part of a frozen one, which tells it already.
fn write_class(cql_type: &CqlType, inside_frozen: bool, out: &mut String) {
    match cql_type {
        CqlType::List { element, frozen } => {
            collection("ListType", &[element], *frozen, inside_frozen, out);
        }
        CqlType::Set { element, frozen } => {
            collection("SetType", &[element], *frozen, inside_frozen, out);
        }
        CqlType::Map { key, value, frozen } => {
            collection("MapType", &[key, value], *frozen, inside_frozen, out);
        }
        CqlType::Tuple(fields) => call("TupleType", out, |out| {
            for (position, field) in fields.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                write_class(field, true, out);
            }
        }),
        CqlType::Udt { udt, frozen } => freeze(*frozen && !inside_frozen, out, |out| {
            call("UserType", out, |out| {
                out.push_str(&format!("{},{}", udt.keyspace, hex::encode(&udt.name)));
                for (name, field) in &udt.fields {
                    out.push_str(&format!(",{}:", hex::encode(name)));
                    write_class(field, *frozen || inside_frozen, out);
                }
            });
        }),
        CqlType::Vector { element, dimension } => call("VectorType", out, |out| {
            write_class(element, false, out);
            out.push_str(&format!(" , {dimension}"));
        }),
        CqlType::Custom(class) => out.push_str(class),
        scalar => {
            out.push_str(PACKAGE);
            out.push_str(scalar_class(scalar));
        }
    }
}

fn collection(class: &str, types: &[&CqlType], frozen: bool, inside_frozen: bool, out: &mut String) {
    freeze(frozen && !inside_frozen, out, |out| {
        call(class, out, |out| {
            for (position, cql_type) in types.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                write_class(cql_type, frozen || inside_frozen, out);
            }
        });
    });
}

fn freeze(say_so: bool, out: &mut String, inner: impl FnOnce(&mut String)) {
    if say_so { call("FrozenType", out, inner) } else { inner(out) }
}

fn call(class: &str, out: &mut String, inner: impl FnOnce(&mut String)) {
    out.push_str(PACKAGE);
    out.push_str(class);
    out.push('(');
    inner(out);
    out.push(')');
}

fn scalar_class(scalar: &CqlType) -> &'static str {
    match scalar {
        CqlType::Ascii => "AsciiType",
        CqlType::BigInt => "LongType",
        CqlType::Blob => "BytesType",
        CqlType::Boolean => "BooleanType",
        CqlType::Counter => "CounterColumnType",
        CqlType::Date => "SimpleDateType",
        CqlType::Decimal => "DecimalType",
        CqlType::Double => "DoubleType",
        CqlType::Duration => "DurationType",
        CqlType::Float => "FloatType",
        CqlType::Inet => "InetAddressType",
        CqlType::Int => "Int32Type",
        CqlType::SmallInt => "ShortType",
        CqlType::Text => "UTF8Type",
        CqlType::Time => "TimeType",
        CqlType::Timestamp => "TimestampType",
        CqlType::TimeUuid => "TimeUUIDType",
        CqlType::TinyInt => "ByteType",
        CqlType::Uuid => "UUIDType",
        CqlType::VarInt => "IntegerType",
        _ => "EmptyType",
    }
}
