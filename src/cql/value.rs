//! Serialised bytes of a value → the value. Nested values are decoded when they are visited.
//!
//! The encodings are those of the native protocol from version 3 on, which Cassandra also stores.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::loose_text::LooseText;
use super::nested::{CUT, Elements, Fields, elements, vector};
use super::types::{CqlType, UserType};
use crate::primitives::{self, Malformed, Parsed};

/// How deep values are followed into each other. Cassandra's own types stay far below.
pub const MAX_DEPTH: usize = 64;

/// Day zero of the stored `date`.
const DATE_ZERO: i64 = 1 << 31;

/// A value, borrowed from its bytes.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `text`, `ascii`.
    Text(&'a str),
    /// `text` that Cassandra takes and UTF-8 does not have.
    LooseText(LooseText<'a>),
    /// `blob` and types known only by their Java class.
    Blob(&'a [u8]),
    /// `tinyint`, `smallint`, `int`, `bigint`.
    Integer(i64),
    /// `varint`: two's complement, big-endian, never empty.
    VarInt(&'a [u8]),
    /// `decimal`: unscaled two's complement integer times ten to the minus `scale`.
    Decimal {
        /// Digits behind the point; may be negative.
        scale: i32,
        /// Two's complement, big-endian, never empty.
        unscaled: &'a [u8],
    },
    /// `double`.
    Double(f64),
    /// `float`.
    Float(f32),
    /// `boolean`.
    Boolean(bool),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// Days since the epoch.
    Date(i64),
    /// Nanoseconds since midnight.
    Time(i64),
    /// Months, days and nanoseconds.
    Duration {
        /// Months.
        months: i64,
        /// Days.
        days: i64,
        /// Nanoseconds.
        nanos: i64,
    },
    /// `uuid`, `timeuuid`.
    Uuid([u8; 16]),
    /// `inet`.
    Inet(IpAddr),
    /// Frozen `list` or `set`, `vector`.
    Sequence(Elements<'a>),
    /// Frozen `map`: keys and values in turn.
    Map(Elements<'a>),
    /// `tuple`: its fields; missing ones at the end are null.
    Tuple(Fields<'a>),
    /// Frozen user-defined type.
    Udt(&'a UserType, Fields<'a>),
    /// No value, though something is stored: [`is_no_value`].
    Empty,
}

/// Bytes that are no value of their type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no {type_name}: {problem}")]
pub struct ValueError {
    /// The type that was expected.
    pub type_name: &'static str,
    /// What does not fit. Never holds data.
    pub problem: &'static str,
}

impl<'a> Value<'a> {
    /// Decodes `bytes` as a value of type `cql_type`. Counters are not values: see [`super::counter`].
    ///
    /// # Errors
    /// The bytes do not fit the type.
    #[inline]
    pub fn decode(cql_type: &'a CqlType, bytes: &'a [u8]) -> Result<Self, ValueError> {
        if bytes.is_empty() {
            return Ok(Self::of_no_bytes(cql_type));
        }
        match cql_type {
            CqlType::Text | CqlType::Ascii => text(bytes),
            CqlType::Blob | CqlType::Custom(_) => Ok(Self::Blob(bytes)),
            CqlType::TinyInt => {
                exact("tinyint", bytes).map(|v| Self::Integer(i64::from(i8::from_be_bytes(v))))
            }
            CqlType::SmallInt => {
                exact("smallint", bytes).map(|v| Self::Integer(i64::from(i16::from_be_bytes(v))))
            }
            CqlType::Int => exact("int", bytes).map(|v| Self::Integer(i64::from(i32::from_be_bytes(v)))),
            CqlType::BigInt => exact("bigint", bytes).map(|v| Self::Integer(i64::from_be_bytes(v))),
            CqlType::VarInt => Ok(Self::VarInt(bytes)),
            CqlType::Decimal => decimal(bytes),
            CqlType::Double => exact("double", bytes).map(|v| Self::Double(f64::from_be_bytes(v))),
            CqlType::Float => exact("float", bytes).map(|v| Self::Float(f32::from_be_bytes(v))),
            CqlType::Boolean => exact("boolean", bytes).map(|[v]| Self::Boolean(v != 0)),
            CqlType::Timestamp => exact("timestamp", bytes).map(|v| Self::Timestamp(i64::from_be_bytes(v))),
            CqlType::Date => {
                exact("date", bytes).map(|v| Self::Date(i64::from(u32::from_be_bytes(v)) - DATE_ZERO))
            }
            CqlType::Time => exact("time", bytes).map(|v| Self::Time(i64::from_be_bytes(v))),
            // Cassandra accepts what follows and does not look at it.
            CqlType::Duration => duration(bytes).map(|(_, value)| value).map_err(|_| cut("duration")),
            CqlType::Uuid | CqlType::TimeUuid => exact("uuid", bytes).map(Self::Uuid),
            CqlType::Inet => inet(bytes),
            CqlType::List { .. } | CqlType::Set { .. } | CqlType::Map { .. }
                if is_no_value(cql_type, bytes) =>
            {
                Ok(Self::Empty)
            }
            CqlType::List { element, .. } => elements("list", bytes, element, element, 1).map(Self::Sequence),
            CqlType::Set { element, .. } => elements("set", bytes, element, element, 1).map(Self::Sequence),
            CqlType::Map { key, value, .. } => elements("map", bytes, key, value, 2).map(Self::Map),
            CqlType::Vector { element, dimension } => Ok(Self::Sequence(vector(bytes, element, *dimension))),
            CqlType::Tuple(types) => Ok(Self::Tuple(Fields::of_tuple(bytes, types))),
            CqlType::Udt { udt, .. } => Ok(Self::Udt(udt, Fields::of_udt(bytes, &udt.fields))),
            CqlType::Empty => Err(ValueError { type_name: "empty", problem: "it has bytes" }),
            CqlType::Counter => {
                Err(ValueError { type_name: "counter", problem: "a counter is no plain value" })
            }
        }
    }

    fn of_no_bytes(cql_type: &CqlType) -> Self {
        match cql_type {
            CqlType::Text | CqlType::Ascii => Self::Text(""),
            CqlType::Blob | CqlType::Custom(_) => Self::Blob(&[]),
            _ => Self::Empty,
        }
    }
}

/// Whether the bytes are no value, though Cassandra stores them for the type: no bytes (but of text and blobs), a
/// decimal of a scale alone, a frozen collection with a negative count. Cassandra itself fails to print the second and
/// to read the third.
#[must_use]
#[inline]
pub fn is_no_value(cql_type: &CqlType, bytes: &[u8]) -> bool {
    match (cql_type, bytes) {
        (CqlType::Text | CqlType::Ascii | CqlType::Blob | CqlType::Custom(_), _) => false,
        (CqlType::Decimal, [_, _, _, _]) => true,
        (CqlType::List { .. } | CqlType::Set { .. } | CqlType::Map { .. }, [sign, _, _, _]) => *sign >= 0x80,
        (_, bytes) => bytes.is_empty(),
    }
}

fn text(bytes: &[u8]) -> Result<Value<'_>, ValueError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Value::Text(text)),
        Err(_) => loose_text(bytes),
    }
}

#[cold]
fn loose_text(bytes: &[u8]) -> Result<Value<'_>, ValueError> {
    let problem = "Cassandra would not take it";
    LooseText::new(bytes).map(Value::LooseText).ok_or(ValueError { type_name: "text", problem })
}

pub(super) fn cut(type_name: &'static str) -> ValueError {
    ValueError { type_name, problem: "it is cut short" }
}

/// Exactly `N` bytes.
#[inline]
fn exact<const N: usize>(type_name: &'static str, bytes: &[u8]) -> Result<[u8; N], ValueError> {
    bytes.try_into().map_err(|_| ValueError { type_name, problem: "its length is wrong" })
}

fn decimal(bytes: &[u8]) -> Result<Value<'_>, ValueError> {
    match primitives::i32(bytes) {
        Ok((unscaled, scale)) if !unscaled.is_empty() => Ok(Value::Decimal { scale, unscaled }),
        Ok(_) => Ok(Value::Empty),
        Err(_) => Err(cut("decimal")),
    }
}

fn duration(bytes: &[u8]) -> Parsed<'_, Value<'_>> {
    let (rest, months) = primitives::svint(bytes)?;
    let (rest, days) = primitives::svint(rest)?;
    let (rest, nanos) = primitives::svint(rest)?;
    Ok((rest, Value::Duration { months, days, nanos }))
}

fn inet(bytes: &[u8]) -> Result<Value<'_>, ValueError> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Ok(Value::Inet(Ipv4Addr::from(v4).into()));
    }
    exact::<16>("inet", bytes).map(|v6| Value::Inet(Ipv6Addr::from(v6).into()))
}

impl From<nom::Err<Malformed>> for ValueError {
    fn from(_: nom::Err<Malformed>) -> Self {
        CUT
    }
}
