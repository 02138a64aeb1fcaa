//! The text of a bound's value: what Cassandra's `AbstractType.getString` gives; nested types in hex.

use crate::cql::number::write_decimal;
use crate::cql::{CqlType, Value, ValueError};
use crate::envelope::connector_forms::write_java_inet;
use crate::envelope::json::write_hex;
use crate::envelope::scalar_text::write_scalar_text;
use crate::envelope::time_text::{CivilDate, write_clock, write_iso8601, write_padded};

const NANOS_A_SECOND: i64 = 1_000_000_000;

/// Appends the text of a serialised value; nothing for a value without bytes.
pub(super) fn write_bound_text(
    cql_type: &CqlType,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    match Value::decode(cql_type, bytes)? {
        Value::LooseText(text) => out.extend_from_slice(text.lossy().as_bytes()),
        Value::Decimal { scale, unscaled } => write_decimal(scale, unscaled, out)?,
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Inet(address) => write_java_inet(address, out),
        Value::Timestamp(millis) => write_iso8601(millis, out),
        Value::Date(days) => CivilDate::from_days(days).write(out),
        Value::Time(nanos) => {
            write_clock(nanos.div_euclid(NANOS_A_SECOND), out);
            out.push(b'.');
            write_padded(nanos.rem_euclid(NANOS_A_SECOND), 9, out);
        }
        value => {
            if !write_scalar_text(&value, out)? {
                write_hex(bytes, out);
            }
        }
    }
    Ok(())
}
