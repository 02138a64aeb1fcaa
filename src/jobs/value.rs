//! Values of columns as rules see them, and how they compare: as Flink SQL compares them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::decimal::Decimal;

/// Type of a value, in Flink's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `STRING`
    Text,
    /// `BIGINT`; smaller integers are cast to it.
    Integer,
    /// `DECIMAL(p, s)`
    Decimal,
    /// `DOUBLE`; `FLOAT` is cast to it.
    Double,
    /// `BOOLEAN`
    Boolean,
    /// `TIMESTAMP(3)` in UTC.
    Timestamp,
    /// `DATE`
    Date,
    /// Nanoseconds of the day, `BIGINT`.
    Time,
    /// A value that rules can only find or miss: collections, user-defined types.
    Opaque,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Integer => "a whole number",
            Self::Decimal => "a decimal number",
            Self::Double => "a double",
            Self::Boolean => "true or false",
            Self::Timestamp => "a timestamp",
            Self::Date => "a date",
            Self::Time => "a time",
            Self::Opaque => "a value without operations",
        })
    }
}

/// A value that is not NULL.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'v> {
    /// Text.
    Text(Cow<'v, str>),
    /// Whole number.
    Integer(i64),
    /// Decimal number.
    Decimal(Decimal),
    /// Double.
    Double(f64),
    /// Truth value.
    Boolean(bool),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// Days since the epoch.
    Date(i64),
    /// Nanoseconds of the day.
    Time(i64),
    /// Something, as its JSON.
    Opaque(Cow<'v, str>),
}

impl Value<'_> {
    /// Without what it borrows.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::Integer(number) => Value::Integer(number),
            Self::Decimal(number) => Value::Decimal(number),
            Self::Double(number) => Value::Double(number),
            Self::Boolean(on) => Value::Boolean(on),
            Self::Timestamp(ms) => Value::Timestamp(ms),
            Self::Date(days) => Value::Date(days),
            Self::Time(ns) => Value::Time(ns),
            Self::Opaque(json) => Value::Opaque(json.into_owned().into()),
        }
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Equal, Self::NotEqual, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];

    /// As SQL writes it.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it asks for equality, which needs no order.
    #[must_use]
    pub fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether it holds between two values of one type. No order (a NaN) is no comparison but `<>`, as in IEEE 754.
    #[must_use]
    pub fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let order = order(left, right);
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// Texts are ordered by code points, which is also the order of their UTF-8.
fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Integer(a), Value::Integer(b))
        | (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::Date(a), Value::Date(b))
        | (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Decimal(a), Value::Decimal(b)) => Some(a.compare(*b)),
        (Value::Decimal(a), Value::Integer(b)) => Some(a.compare(Decimal::from(*b))),
        (Value::Integer(a), Value::Decimal(b)) => Some(Decimal::from(*a).compare(*b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
