//! Values as JSON. Of the types whose form depends on the profile, the form of `flat` is here.

use std::net::IpAddr;

use super::connector_forms::{write_connector_duration, write_connector_inet, write_connector_tuple};
use super::json::{
    write_base64, write_escaped, write_loose_string, write_null, write_plain_ascii, write_string,
};
use super::options::{DecimalHandling, TimestampFormat, ValueFormat, ValueForms, VarintHandling};
use super::time_text::write_iso8601;
use crate::cql::float::{write_double, write_float, write_not_finite};
use crate::cql::nested::{Elements, Fields};
use crate::cql::number::{write_decimal, write_integer, write_varint};
use crate::cql::{CqlType, UserType, Value, ValueError};

/// Appends the JSON of a serialised value. What is no value of its type becomes null.
///
/// # Errors
/// The bytes are no value of the type; `out` then holds a part of it.
#[inline]
pub fn write_value(
    cql_type: &CqlType,
    bytes: &[u8],
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    if matches!(cql_type, CqlType::Text | CqlType::Ascii) && write_plain_ascii(bytes, out) {
        return Ok(());
    }
    let connector = format.forms == ValueForms::Connector;
    match Value::decode(cql_type, bytes)? {
        Value::Text(text) => write_string(text, out),
        Value::LooseText(text) => write_loose_string(text, out),
        Value::Integer(number) => write_integer(number, out),
        Value::Blob(bytes) => write_base64(bytes, out),
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Double(value) => write_json_double(value, out),
        Value::Float(value) => write_json_float(value, out),
        Value::Timestamp(millis) => write_timestamp(millis, format, out),
        Value::Date(number) | Value::Time(number) => write_integer(number, out),
        Value::Uuid(id) => write_uuid(id, out),
        Value::Inet(address) if connector => write_connector_inet(address, out),
        Value::Inet(address) => write_inet(address, out),
        Value::VarInt(bytes) => write_json_varint(bytes, format, out)?,
        Value::Decimal { scale, unscaled } => write_json_decimal(scale, unscaled, format, out)?,
        Value::Duration { months, days, nanos } if connector => {
            write_connector_duration(months, days, nanos, out);
        }
        Value::Duration { months, days, nanos } => write_duration(months, days, nanos, out),
        Value::Sequence(elements) => write_array(elements, format, out)?,
        Value::Map(elements) => write_map(cql_type, elements, format, out)?,
        Value::Tuple(fields) if connector => write_connector_tuple(fields, format, out)?,
        Value::Tuple(fields) => write_array(fields, format, out)?,
        Value::Udt(udt, fields) => write_udt(udt, fields, format, out)?,
        Value::Empty => write_null(out),
    }
    Ok(())
}

pub(super) fn write_nested(
    cql_type: &CqlType,
    bytes: Option<&[u8]>,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    match bytes {
        Some(bytes) => write_value(cql_type, bytes, format, out),
        None => {
            write_null(out);
            Ok(())
        }
    }
}

pub(super) fn write_json_double(value: f64, out: &mut Vec<u8>) {
    if !write_double(value, out) {
        write_quoted_not_finite(value, out);
    }
}

fn write_json_float(value: f32, out: &mut Vec<u8>) {
    if !write_float(value, out) {
        write_quoted_not_finite(f64::from(value), out);
    }
}

fn write_quoted_not_finite(value: f64, out: &mut Vec<u8>) {
    out.push(b'"');
    write_not_finite(value, out);
    out.push(b'"');
}

fn write_timestamp(millis: i64, format: ValueFormat, out: &mut Vec<u8>) {
    match format.timestamps {
        TimestampFormat::EpochMillis => write_integer(millis, out),
        TimestampFormat::Iso8601 => {
            out.push(b'"');
            write_iso8601(millis, out);
            out.push(b'"');
        }
    }
}

pub(super) fn write_uuid(id: [u8; 16], out: &mut Vec<u8>) {
    out.push(b'"');
    write_uuid_text(id, out);
    out.push(b'"');
}

pub(super) fn write_uuid_text(id: [u8; 16], out: &mut Vec<u8>) {
    let mut text = [0; 36];
    out.extend_from_slice(uuid::Uuid::from_bytes(id).hyphenated().encode_lower(&mut text).as_bytes());
}

fn write_inet(address: IpAddr, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(address.to_string().as_bytes());
    out.push(b'"');
}

fn write_json_varint(bytes: &[u8], format: ValueFormat, out: &mut Vec<u8>) -> Result<(), ValueError> {
    match format.varints {
        VarintHandling::String => {
            out.push(b'"');
            write_varint(bytes, out)?;
            out.push(b'"');
        }
        VarintHandling::Long => write_varint(bytes, out)?,
        VarintHandling::Precise => write_base64(bytes, out),
    }
    Ok(())
}

fn write_json_decimal(
    scale: i32,
    unscaled: &[u8],
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    match format.decimals {
        DecimalHandling::String => {
            out.push(b'"');
            write_decimal(scale, unscaled, out)?;
            out.push(b'"');
        }
        DecimalHandling::Precise => {
            out.extend_from_slice(b"{\"scale\":");
            write_integer(scale, out);
            out.extend_from_slice(b",\"value\":");
            write_base64(unscaled, out);
            out.push(b'}');
        }
        DecimalHandling::Double => {
            let mut text = Vec::new();
            write_decimal(scale, unscaled, &mut text)?;
            write_json_double(parse_double(&text), out);
        }
    }
    Ok(())
}

/// The double nearest to a printed number.
fn parse_double(text: &[u8]) -> f64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

fn write_duration(months: i64, days: i64, nanos: i64, out: &mut Vec<u8>) {
    for (name, number) in [(&b"{\"months\":"[..], months), (b",\"days\":", days), (b",\"nanos\":", nanos)] {
        out.extend_from_slice(name);
        write_integer(number, out);
    }
    out.push(b'}');
}

/// A list, set, vector or tuple.
fn write_array<'a>(
    elements: impl Iterator<Item = Result<(&'a CqlType, Option<&'a [u8]>), ValueError>>,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    out.push(b'[');
    for (position, element) in elements.enumerate() {
        let (cql_type, bytes) = element?;
        if position > 0 {
            out.push(b',');
        }
        write_nested(cql_type, bytes, format, out)?;
    }
    out.push(b']');
    Ok(())
}

/// Whether a map of this key type is a JSON object; others are arrays of pairs.
#[must_use]
pub(super) fn is_object_key(key: &CqlType) -> bool {
    matches!(key, CqlType::Text | CqlType::Ascii | CqlType::Uuid | CqlType::TimeUuid | CqlType::Inet)
}

fn write_map(
    map: &CqlType,
    mut elements: Elements<'_>,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let object = matches!(map, CqlType::Map { key, .. } if is_object_key(key));
    out.push(if object { b'{' } else { b'[' });
    let mut first = true;
    while let Some(key) = elements.next() {
        let (key_type, key) = key?;
        let (value_type, value) = elements.next().transpose()?.ok_or(MISSING_VALUE)?;
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_map_entry((key_type, key), (value_type, value), object, format, out)?;
    }
    out.push(if object { b'}' } else { b']' });
    Ok(())
}

const MISSING_VALUE: ValueError = ValueError { type_name: "map", problem: "a key has no value" };

/// `key:value` of an object or `[key,value]` of an array.
pub(super) fn write_map_entry(
    (key_type, key): (&CqlType, Option<&[u8]>),
    (value_type, value): (&CqlType, Option<&[u8]>),
    object: bool,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    if object {
        write_object_key(key_type, key.unwrap_or_default(), format, out)?;
        out.push(b':');
        return write_nested(value_type, value, format, out);
    }
    out.push(b'[');
    write_nested(key_type, key, format, out)?;
    out.push(b',');
    write_nested(value_type, value, format, out)?;
    out.push(b']');
    Ok(())
}

/// A key of a JSON object; one of no bytes is the empty string.
fn write_object_key(
    key_type: &CqlType,
    key: &[u8],
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    if key.is_empty() {
        write_string("", out);
        return Ok(());
    }
    write_value(key_type, key, format, out)
}

fn write_udt(
    udt: &UserType,
    fields: Fields<'_>,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    out.push(b'{');
    let mut names = udt.fields.iter();
    for (position, field) in fields.enumerate() {
        let (cql_type, bytes) = field?;
        if position > 0 {
            out.push(b',');
        }
        out.push(b'"');
        write_escaped(names.next().map_or("", |(name, _)| name), out);
        out.extend_from_slice(b"\":");
        write_nested(cql_type, bytes, format, out)?;
    }
    out.push(b'}');
    Ok(())
}
