//! The texts of values that Java and Cassandra write in one way only.

use super::value::write_uuid_text;
use crate::cql::float::{write_double, write_float, write_not_finite};
use crate::cql::number::{write_integer, write_varint};
use crate::cql::{Value, ValueError};

/// Appends the text of a text, an integer, a floating-point number or a UUID; `false` for other values, of which
/// nothing is appended.
pub(super) fn write_scalar_text(value: &Value<'_>, out: &mut Vec<u8>) -> Result<bool, ValueError> {
    match *value {
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Integer(number) => write_integer(number, out),
        Value::VarInt(bytes) => write_varint(bytes, out)?,
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
        _ => return Ok(false),
    }
    Ok(true)
}
