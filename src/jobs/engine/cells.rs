//! Values of columns as Cassandra serialises them: to write them, and for the row hash.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::jobs::value::Value;

/// The types that [`cell`] knows.
pub const TYPES: [&str; 19] = [
    "ascii",
    "bigint",
    "blob",
    "boolean",
    "date",
    "decimal",
    "double",
    "float",
    "inet",
    "int",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timeuuid",
    "tinyint",
    "uuid",
    "varchar",
    "varint",
];

/// A value of a column of this type. None when the type is not one of [`TYPES`], or the value is none of it.
#[must_use]
pub fn cell(cql_type: &str, value: &Value<'_>) -> Option<Vec<u8>> {
    Some(match (cql_type, value) {
        ("text" | "varchar" | "ascii", Value::Text(text)) => text.as_bytes().to_vec(),
        ("uuid" | "timeuuid", Value::Text(text)) => Uuid::try_parse(text).ok()?.as_bytes().to_vec(),
        ("blob", Value::Text(text)) => STANDARD.decode(text.as_bytes()).ok()?,
        ("inet", Value::Opaque(text)) => match text.parse().ok()? {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        },
        ("tinyint", Value::Integer(number)) => i8::try_from(*number).ok()?.to_be_bytes().to_vec(),
        ("smallint", Value::Integer(number)) => i16::try_from(*number).ok()?.to_be_bytes().to_vec(),
        ("int", Value::Integer(number)) => i32::try_from(*number).ok()?.to_be_bytes().to_vec(),
        ("bigint", Value::Integer(number))
        | ("timestamp", Value::Timestamp(number))
        | ("time", Value::Time(number)) => number.to_be_bytes().to_vec(),
        ("varint", Value::Decimal(number)) => varint(number.parts().0),
        ("decimal", Value::Decimal(number)) => {
            let (unscaled, scale) = number.parts();
            let mut cell = i32::from(scale).to_be_bytes().to_vec();
            cell.extend(varint(unscaled));
            cell
        }
        ("double", Value::Double(number)) => number.to_be_bytes().to_vec(),
        // The number was read as a float: its digits lead back to it.
        ("float", Value::Double(number)) => number.to_string().parse::<f32>().ok()?.to_be_bytes().to_vec(),
        ("boolean", Value::Boolean(on)) => vec![u8::from(*on)],
        // Days are counted from 2^31.
        ("date", Value::Date(days)) => u32::try_from(days.checked_add(1 << 31)?).ok()?.to_be_bytes().to_vec(),
        _ => return None,
    })
}

/// Two's complement in as few bytes as it takes, one at least.
fn varint(number: i128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let fill = if number < 0 { 0xFF } else { 0 };
    let mut rest = bytes.as_slice();
    while let [first, tail @ ..] = rest
        && *first == fill
        && tail.first().is_some_and(|next| (next ^ fill) & 0x80 == 0)
    {
        rest = tail;
    }
    rest.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::column::Shape;

    /// What Cassandra 4.1 stores, by the CQL binary protocol v4, section 6.
    #[test]
    fn as_cassandra_serialises() {
        for (cql_type, text, expected) in [
            ("text", "é", "c3a9"),
            ("tinyint", "-1", "ff"),
            ("smallint", "258", "0102"),
            ("int", "-2", "fffffffe"),
            ("bigint", "1", "0000000000000001"),
            ("double", "1.5", "3ff8000000000000"),
            ("float", "0.1", "3dcccccd"),
            ("boolean", "true", "01"),
            ("timestamp", "1970-01-01T00:00:01Z", "00000000000003e8"),
            ("date", "1970-01-02", "80000001"),
            ("time", "00:00:00.000000001", "0000000000000001"),
            ("uuid", "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233445566778899aabbccddeeff"),
            ("blob", "AP8=", "00ff"),
            ("varint", "0", "00"),
            ("varint", "128", "0080"),
            ("varint", "-128", "80"),
            ("varint", "-129", "ff7f"),
        ] {
            let value = Shape::of(cql_type).read(text.into()).unwrap();
            assert_eq!(
                cell(cql_type, &value).map(hex::encode).as_deref(),
                Some(expected),
                "{cql_type} {text}"
            );
        }
        let decimal = Shape::Decimal { precision: 10, scale: 2 }.read("-1.5".into()).unwrap();
        assert_eq!(cell("decimal", &decimal).map(hex::encode).as_deref(), Some("00000002ff6a"));
        assert_eq!(cell("inet", &Value::Opaque("10.0.0.1".into())), Some(vec![10, 0, 0, 1]));
        assert_eq!(cell("list<int>", &Value::Opaque("[]".into())), None);
    }
}
