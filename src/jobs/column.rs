//! Columns of a table: which field of a record they come from, and which texts are values of their type.

mod sql;

use std::borrow::Cow;

use super::calendar;
use super::decimal::{Decimal, MAX_PRECISION};
use super::value::{Type, Value};

/// A column as `rules/<table>.yaml` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in Cassandra, unquoted.
    pub name: String,
    /// Type as CQL writes it (`system_schema.columns.type`).
    pub cql_type: String,
    /// Which texts are its values.
    pub shape: Shape,
    /// Where the value comes from.
    pub source: ColumnSource,
}

/// Where the value of a column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnSource {
    /// The field of this name.
    Field(String),
    /// The job computes it: the row's hash.
    RowHash,
}

/// How dates and times are written in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// `2025-01-31T12:00:00Z`, `2025-01-31`, `12:00:00.5`
    Iso8601,
    /// Milliseconds or days since the epoch, nanoseconds of the day: as the agent writes them.
    Epoch,
}

/// Which texts are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// Text of ASCII.
    Ascii,
    /// Whole number in a range.
    Integer {
        /// Smallest.
        least: i64,
        /// Greatest.
        most: i64,
    },
    /// Decimal number, rounded half up to its scale.
    Decimal {
        /// Most digits.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// Finite double.
    Double,
    /// Finite float.
    Float,
    /// `true` or `false`.
    Boolean,
    /// Timestamp.
    Timestamp(TimeForm),
    /// Date.
    Date(TimeForm),
    /// Time of the day.
    Time(TimeForm),
    /// UUID, of this version only when there is one; its value is in lower case.
    Uuid(Option<char>),
    /// Base64 of bytes, as RFC 4648 has encoders write it: bytes have one text.
    Base64,
    /// Anything that is not null: collections and other types that rules do not look into.
    Opaque,
}

/// The types that every source can carry, and their shapes. A decimal gets its digits from the rules.
const SHAPES: [(&str, Shape); 19] = [
    ("text", Shape::Text),
    ("varchar", Shape::Text),
    ("ascii", Shape::Ascii),
    ("tinyint", Shape::Integer { least: -128, most: 127 }),
    ("smallint", Shape::Integer { least: -32_768, most: 32_767 }),
    ("int", Shape::Integer { least: -2_147_483_648, most: 2_147_483_647 }),
    ("bigint", Shape::Integer { least: i64::MIN, most: i64::MAX }),
    ("varint", Shape::Decimal { precision: MAX_PRECISION, scale: 0 }),
    ("decimal", Shape::Decimal { precision: MAX_PRECISION, scale: 0 }),
    ("double", Shape::Double),
    ("float", Shape::Float),
    ("boolean", Shape::Boolean),
    ("timestamp", Shape::Timestamp(TimeForm::Iso8601)),
    ("date", Shape::Date(TimeForm::Iso8601)),
    ("time", Shape::Time(TimeForm::Iso8601)),
    ("uuid", Shape::Uuid(None)),
    ("timeuuid", Shape::Uuid(Some('1'))),
    ("blob", Shape::Base64),
    ("inet", Shape::Opaque),
];

/// The names of the types that a business topic can carry.
pub(super) fn scalar_types() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|(name, _)| *name).filter(|name| !matches!(*name, "varchar" | "inet"))
}

impl Shape {
    /// The shape of a CQL type; [`Shape::Opaque`] of those that rules do not look into.
    #[must_use]
    pub fn of(cql_type: &str) -> Self {
        SHAPES.iter().find(|(name, _)| *name == cql_type).map_or(Self::Opaque, |(_, shape)| *shape)
    }

    /// The same in another form, when it is a time.
    #[must_use]
    pub fn with_form(self, form: TimeForm) -> Self {
        match self {
            Self::Timestamp(_) => Self::Timestamp(form),
            Self::Date(_) => Self::Date(form),
            Self::Time(_) => Self::Time(form),
            other => other,
        }
    }

    /// Whether it has a form to choose.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::Timestamp(_) | Self::Date(_) | Self::Time(_))
    }

    /// What expressions see.
    #[must_use]
    pub fn value_type(self) -> Type {
        match self {
            Self::Text | Self::Ascii | Self::Uuid(_) | Self::Base64 => Type::Text,
            Self::Integer { .. } => Type::Integer,
            Self::Decimal { .. } => Type::Decimal,
            Self::Double | Self::Float => Type::Double,
            Self::Boolean => Type::Boolean,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Date(_) => Type::Date,
            Self::Time(_) => Type::Time,
            Self::Opaque => Type::Opaque,
        }
    }

    /// The value that a text stands for; None when it is none of this type. Stricter than Flink's casts, which take
    /// ` 12 `, `1d` and 30 February: docs/rules.md has the expression that guards them.
    #[must_use]
    pub fn read<'t>(self, text: Cow<'t, str>) -> Option<Value<'t>> {
        match self {
            Self::Text => Some(Value::Text(text)),
            Self::Ascii => text.is_ascii().then_some(Value::Text(text)),
            Self::Uuid(version) => is_uuid(&text, version).then(|| Value::Text(lower_case(text))),
            Self::Base64 => is_base64(&text).then_some(Value::Text(text)),
            Self::Opaque => Some(Value::Opaque(text)),
            Self::Integer { least, most } => {
                integer(&text).filter(|number| (least..=most).contains(number)).map(Value::Integer)
            }
            Self::Decimal { precision, scale } => Decimal::parse(&text, precision, scale).map(Value::Decimal),
            Self::Double => float::<f64>(&text).filter(|number| number.is_finite()).map(Value::Double),
            Self::Float => float::<f32>(&text)
                .filter(|number| number.is_finite())
                .map(|number| Value::Double(number.into())),
            Self::Boolean => match &*text {
                "true" => Some(Value::Boolean(true)),
                "false" => Some(Value::Boolean(false)),
                _ => None,
            },
            Self::Timestamp(TimeForm::Iso8601) => calendar::iso_timestamp(&text).map(Value::Timestamp),
            Self::Timestamp(TimeForm::Epoch) => {
                integer(&text).filter(|ms| calendar::is_timestamp(*ms)).map(Value::Timestamp)
            }
            Self::Date(TimeForm::Iso8601) => calendar::iso_date(&text).map(Value::Date),
            Self::Date(TimeForm::Epoch) => {
                integer(&text).filter(|days| calendar::is_date(*days)).map(Value::Date)
            }
            Self::Time(TimeForm::Iso8601) => calendar::iso_time(&text, 9).map(Value::Time),
            Self::Time(TimeForm::Epoch) => {
                integer(&text).filter(|ns| (0..86_400_000_000_000).contains(ns)).map(Value::Time)
            }
        }
    }
}

/// `[-+]?[0-9]{1,20}`
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// `[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?`
pub(in crate::jobs) fn float<F: std::str::FromStr>(text: &str) -> Option<F> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction) && digits(exponent)).then(|| text.parse().ok()).flatten()
}

/// Eight, four, four, four and twelve hexadecimal digits with hyphens between them.
pub(in crate::jobs) fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut groups = text.split('-');
    let mut group = |length: usize| {
        groups.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let (first, second) = (group(8), group(4));
    let third = group(4).filter(|part| version.is_none_or(|version| part.starts_with(version)));
    let (fourth, last) = (group(4), group(12));
    [first, second, third, fourth, last].iter().all(Option::is_some) && groups.next().is_none()
}

fn lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text }
}

/// `[A-Za-z0-9+/]*([AEIMQUYcgkosw048]=|[AQgw]==)?` of a length that four divides: the bits of the last digit that mean
/// nothing are zero.
fn is_base64(text: &str) -> bool {
    let (content, last) = match (text.strip_suffix("=="), text.strip_suffix('=')) {
        (Some(content), _) => (content, Some("AQgw")),
        (None, Some(content)) => (content, Some("AEIMQUYcgkosw048")),
        (None, None) => (text, None),
    };
    text.len().is_multiple_of(4)
        && content.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
        && last.is_none_or(|digits| content.ends_with(|digit: char| digits.contains(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Flink's casts take beside numbers (measured: docs/rules.md) must not be values here.
    #[test]
    fn stricter_than_casts() {
        for (cql_type, texts) in [
            ("double", ["1", "-1.5", "1e3", "1.7976931348623157E308", "+0.1", "1E-400"].as_slice()),
            ("int", ["0", "-2147483648", "+5", "007"].as_slice()),
            ("bigint", ["9223372036854775807"].as_slice()),
            ("boolean", ["true", "false"].as_slice()),
            ("date", ["2024-02-29", "0001-01-01"].as_slice()),
            ("time", ["23:59:59.999999999", "00:00:00"].as_slice()),
            ("uuid", ["00000000-0000-0000-0000-00000000ABcd"].as_slice()),
            ("timeuuid", ["00000000-0000-1000-8000-000000000000"].as_slice()),
            ("blob", ["", "AA==", "AAA=", "AAAA"].as_slice()),
            ("ascii", ["", "a~"].as_slice()),
            ("varint", ["99999999999999999999999999999999999999"].as_slice()),
        ] {
            for text in texts {
                assert!(Shape::of(cql_type).read((*text).into()).is_some(), "{cql_type} {text}");
            }
        }
        for (cql_type, texts) in [
            (
                "double",
                [" 12 ", "1d", "1f", "0x1p3", "NaN", "Infinity", ".5", "5.", "1e400", "", "1_0", "inf"]
                    .as_slice(),
            ),
            ("float", ["1e39", "1f"].as_slice()),
            ("int", [" 12 ", "12.7", ".5", "2147483648", "1e3", "", "+", "--1"].as_slice()),
            ("bigint", ["9223372036854775808", "100000000000000000000000"].as_slice()),
            ("boolean", ["TRUE", "t", "yes", "1"].as_slice()),
            ("date", ["2025-02-30", "2025-1-1", "1", "2025-01-01 00:00:00"].as_slice()),
            ("time", ["24:00:00", "12:00", "12:00:00.", "12:00:00.0000000000"].as_slice()),
            (
                "uuid",
                ["00000000000000000000000000000000", "0-0-0-0-0", "00000000-0000-0000-0000-00000000000g"]
                    .as_slice(),
            ),
            ("timeuuid", ["00000000-0000-4000-8000-000000000000"].as_slice()),
            ("blob", ["A", "AA", "A===", "AA=A", "é===", "====", "AB==", "AAB=", "A/=="].as_slice()),
            ("ascii", ["é"].as_slice()),
            ("varint", ["1.0e40", "999999999999999999999999999999999999999"].as_slice()),
        ] {
            for text in texts {
                assert_eq!(Shape::of(cql_type).read((*text).into()), None, "{cql_type} {text}");
            }
        }
    }

    /// Two texts of one value are one value.
    #[test]
    fn one_text_of_a_value() {
        for cql_type in ["uuid", "timeuuid"] {
            let read = |text: &'static str| Shape::of(cql_type).read(text.into());
            let lower = read("5132b130-ae79-11e4-ab27-0800200c9a66");
            assert_eq!(lower, Some(Value::Text("5132b130-ae79-11e4-ab27-0800200c9a66".into())));
            assert_eq!(read("5132B130-AE79-11e4-AB27-0800200C9A66"), lower);
        }
    }

    #[test]
    fn epochs() {
        let read = |cql_type: &str, text: &'static str| {
            Shape::of(cql_type).with_form(TimeForm::Epoch).read(text.into())
        };
        assert_eq!(read("timestamp", "1735689600000"), Some(Value::Timestamp(1_735_689_600_000)));
        assert_eq!(read("timestamp", "253402300800000"), None);
        assert_eq!(read("date", "-1"), Some(Value::Date(-1)));
        assert_eq!(read("time", "86400000000000"), None);
    }
}
