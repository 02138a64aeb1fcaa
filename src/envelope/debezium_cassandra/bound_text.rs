//! The text of a bound's value: what Cassandra's `AbstractType.getString` gives; nested types in hex.

use crate::cql::number::{
    write_decimal, write_double, write_float, write_integer, write_not_finite, write_varint,
};
use crate::cql::{CqlType, Value, ValueError};
use crate::envelope::connector_forms::write_java_inet;
use crate::envelope::json::write_hex;
use crate::envelope::time_text::{CivilDate, write_clock, write_iso8601, write_padded};
use crate::envelope::value::write_uuid_text;

const NANOS_A_SECOND: i64 = 1_000_000_000;

/// Appends the text of a serialised value; nothing for a value without bytes.
pub(super) fn write_bound_text(
    cql_type: &CqlType,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    match Value::decode(cql_type, bytes)? {
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::LooseText(text) => out.extend_from_slice(text.lossy().as_bytes()),
        Value::Integer(number) => write_integer(number, out),
        Value::VarInt(bytes) => write_varint(bytes, out)?,
        Value::Decimal { scale, unscaled } => write_decimal(scale, unscaled, out)?,
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Double(value) => {
            if !write_double(value, out) {
                write_not_finite(value, out);
            }
        }
        Value::Float(value) => {
            if !write_float(value, out) {
                write_not_finite(f64::from(value), out);
            }
        }
        Value::Uuid(id) => write_uuid_text(id, out),
        Value::Inet(address) => write_java_inet(address, out),
        Value::Timestamp(millis) => write_iso8601(millis, out),
        Value::Date(days) => CivilDate::from_days(days).write(out),
        Value::Time(nanos) => {
            write_clock(nanos.div_euclid(NANOS_A_SECOND), out);
            out.push(b'.');
            write_padded(nanos.rem_euclid(NANOS_A_SECOND), 9, out);
        }
        Value::Blob(_)
        | Value::Duration { .. }
        | Value::Sequence(_)
        | Value::Map(_)
        | Value::Tuple(_)
        | Value::Udt(..)
        | Value::Empty => write_hex(bytes, out),
    }
    Ok(())
}
