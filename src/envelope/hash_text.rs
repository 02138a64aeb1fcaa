//! The texts of values under `row_hash` v1 and v0.

use super::json::write_hex;
use super::options::ValueFormat;
use super::row_hash::HashText;
use super::scalar_text::write_scalar_text;
use super::time_text::{CivilDate, split_millis, write_clock, write_padded};
use super::value::write_value;
use crate::cql::number::{write_decimal, write_integer, write_plain_decimal, write_varint};
use crate::cql::{CqlType, Value, ValueError};

/// Text of v1.
pub(super) fn v1_text(cql_type: &CqlType, bytes: &[u8], out: &mut Vec<u8>) -> Result<HashText, ValueError> {
    match Value::decode(cql_type, bytes)? {
        Value::Blob(bytes) => write_hex(bytes, out),
        Value::Decimal { scale, unscaled } => write_decimal(scale, unscaled, out)?,
        Value::Timestamp(number) | Value::Date(number) | Value::Time(number) => write_integer(number, out),
        Value::Duration { .. } | Value::Sequence(_) | Value::Map(_) | Value::Tuple(_) | Value::Udt(..) => {
            write_value(cql_type, bytes, ValueFormat::default(), out)?;
        }
        value => return common_text(value, out),
    }
    Ok(HashText::Written)
}

/// Whether values of the type have a text in v0.
pub(super) fn has_v0_text(cql_type: &CqlType) -> bool {
    !matches!(
        cql_type,
        CqlType::Blob
            | CqlType::Duration
            | CqlType::Counter
            | CqlType::Custom(_)
            | CqlType::Empty
            | CqlType::List { .. }
            | CqlType::Set { .. }
            | CqlType::Map { .. }
            | CqlType::Tuple(_)
            | CqlType::Udt { .. }
            | CqlType::Vector { .. }
    )
}

/// Text of v0; several ranges of values have none.
pub(super) fn v0_text(cql_type: &CqlType, bytes: &[u8], out: &mut Vec<u8>) -> Result<HashText, ValueError> {
    match Value::decode(cql_type, bytes)? {
        Value::Double(value) if !is_exact(value, 1.8e16) => return Ok(HashText::Inexact),
        Value::Float(value) if !is_exact(f64::from(value), 33_554_432.0) => return Ok(HashText::Inexact),
        Value::Decimal { scale, unscaled } => return v0_decimal(scale, unscaled, out),
        Value::Timestamp(millis) => return Ok(v0_timestamp(millis, out)),
        Value::Date(days) => return Ok(v0_date(days, out)),
        Value::Time(nanos) => write_clock(nanos.div_euclid(1_000_000_000), out),
        value => return common_text(value, out),
    }
    Ok(HashText::Written)
}

/// What both versions write alike.
fn common_text(value: Value<'_>, out: &mut Vec<u8>) -> Result<HashText, ValueError> {
    match value {
        Value::LooseText(text) => match text.exact() {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => return Ok(HashText::Inexact),
        },
        Value::Boolean(value) => out.extend_from_slice(if value { b"TRUE" } else { b"FALSE" }),
        Value::Inet(address) => out.extend_from_slice(address.to_string().as_bytes()),
        value => {
            if !write_scalar_text(&value, out)? {
                return Ok(HashText::Inexact);
            }
        }
    }
    Ok(HashText::Written)
}

/// Where every Java version prints the same digits.
fn is_exact(value: f64, below: f64) -> bool {
    !value.is_finite() || value == 0.0 || (6e-8..below).contains(&value.abs())
}

/// Most digits and largest scale of a decimal that v0 writes.
const V0_DECIMAL: usize = 1000;

fn v0_decimal(scale: i32, unscaled: &[u8], out: &mut Vec<u8>) -> Result<HashText, ValueError> {
    // So many bytes are more digits, which take long to print.
    let fill = if unscaled.first().is_some_and(|first| *first >= 0x80) { 0xFF } else { 0 };
    let significant = unscaled.iter().skip_while(|byte| **byte == fill).count();
    if scale.unsigned_abs() > 1000 || significant > V0_DECIMAL {
        return Ok(HashText::Inexact);
    }
    let mut digits = Vec::new();
    write_varint(unscaled, &mut digits)?;
    if digits.strip_prefix(b"-").unwrap_or(&digits).len() > V0_DECIMAL {
        return Ok(HashText::Inexact);
    }
    write_plain_decimal(scale, unscaled, out)?;
    Ok(HashText::Written)
}

/// `yyyy-MM-dd HH:mm:ss.SSS`
fn v0_timestamp(millis: i64, out: &mut Vec<u8>) -> HashText {
    let (days, of_day) = split_millis(millis);
    if let HashText::Inexact = v0_date(days, out) {
        return HashText::Inexact;
    }
    out.push(b' ');
    write_clock(of_day / 1000, out);
    out.push(b'.');
    write_padded(of_day % 1000, 3, out);
    HashText::Written
}

fn v0_date(days: i64, out: &mut Vec<u8>) -> HashText {
    let date = CivilDate::from_days(days);
    if !date.has_four_digit_year() {
        return HashText::Inexact;
    }
    date.write(out);
    HashText::Written
}
