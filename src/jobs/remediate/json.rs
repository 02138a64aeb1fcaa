//! Values as the agent writes them (docs/envelope.md, 3) → JSON that `fromJson` of Cassandra takes.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use time::{Date, OffsetDateTime};

use crate::cql::{CqlType, TypeExpr};
use crate::jobs::calendar::agent_timestamp;
use crate::jobs::column::{float, is_uuid};

const NANOS_A_SECOND: i64 = 1_000_000_000;

/// Whether a column of this type has a cell for each element.
pub(super) fn is_multi_cell(kind: &TypeExpr) -> bool {
    !matches!(
        kind,
        TypeExpr::Native(_)
            | TypeExpr::Frozen(_)
            | TypeExpr::Tuple(_)
            | TypeExpr::Vector(..)
            | TypeExpr::Custom(_)
    )
}

/// A value that is not null. None when Cassandra would take it for none of this type (a number out of its range), or values
/// of the type are not written.
pub(super) fn cassandra_json(kind: &TypeExpr, value: &Value) -> Option<Value> {
    match kind {
        TypeExpr::Native(native) => scalar(native, value),
        TypeExpr::Frozen(inner) => cassandra_json(inner, value),
        TypeExpr::Vector(_, length)
            if value.as_array().is_none_or(|elements| u32::try_from(elements.len()) != Ok(*length)) =>
        {
            None
        }
        TypeExpr::List(of) | TypeExpr::Set(of) | TypeExpr::Vector(of, _) => {
            value.as_array()?.iter().map(|element| cassandra_json(of, element)).collect()
        }
        TypeExpr::Map(key, of) => map(key, of, value),
        TypeExpr::Tuple(kinds) => {
            let fields = value.as_array().filter(|fields| fields.len() == kinds.len())?;
            let field = |(kind, field): (&TypeExpr, &Value)| match field {
                Value::Null => Some(Value::Null),
                field => cassandra_json(kind, field),
            };
            kinds.iter().zip(fields).map(field).collect()
        }
        // The fields of a user-defined type are known to the schema alone.
        TypeExpr::Named(..) | TypeExpr::Inline { .. } | TypeExpr::Custom(_) => None,
    }
}

/// An object whose names are the keys: texts as they are, others as their JSON.
fn map(key: &TypeExpr, of: &TypeExpr, value: &Value) -> Option<Value> {
    let entry = |found: &Value, value: &Value| {
        let name = match cassandra_json(key, found)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Some((name, cassandra_json(of, value)?))
    };
    let entries: Option<Map<String, Value>> = match value {
        Value::Object(entries) => {
            entries.iter().map(|(name, value)| entry(&Value::from(name.as_str()), value)).collect()
        }
        Value::Array(pairs) => {
            let pair = |pair: &Value| match pair.as_array().map(Vec::as_slice) {
                Some([key, value]) => entry(key, value),
                _ => None,
            };
            pairs.iter().map(pair).collect()
        }
        _ => None,
    };
    entries.map(Value::Object)
}

fn scalar(kind: &CqlType, value: &Value) -> Option<Value> {
    match kind {
        CqlType::Text => text(value, |_| true),
        CqlType::Ascii => text(value, str::is_ascii),
        CqlType::Uuid => text(value, |text| is_uuid(text, None)),
        CqlType::TimeUuid => text(value, |text| is_uuid(text, Some('1'))),
        CqlType::Inet => text(value, |text| text.parse::<IpAddr>().is_ok()),
        CqlType::VarInt => text(value, is_whole_number),
        CqlType::Decimal => text(value, |text| float::<f64>(text).is_some()),
        CqlType::BigInt => integer(value, |_| true),
        CqlType::Timestamp => match value.as_str() {
            Some(text) => agent_timestamp(text).map(Value::from),
            None => integer(value, |_| true),
        },
        CqlType::Int => integer(value, |number| i32::try_from(number).is_ok()),
        CqlType::SmallInt => integer(value, |number| i16::try_from(number).is_ok()),
        CqlType::TinyInt => integer(value, |number| i8::try_from(number).is_ok()),
        CqlType::Boolean => value.is_boolean().then(|| value.clone()),
        // As a text it is read in its own width, and NaN is one.
        CqlType::Double | CqlType::Float => match value {
            Value::Number(number) => Some(Value::from(number.to_string())),
            _ => text(value, |text| matches!(text, "NaN" | "Infinity" | "-Infinity")),
        },
        CqlType::Blob => {
            let bytes = STANDARD.decode(value.as_str()?).ok()?;
            Some(Value::from(format!("0x{}", hex::encode(bytes))))
        }
        CqlType::Date => date(value.as_i64()?),
        CqlType::Time => time_of_day(value.as_i64()?),
        CqlType::Duration => duration(value),
        _ => None,
    }
}

fn text(value: &Value, is_one: impl Fn(&str) -> bool) -> Option<Value> {
    value.as_str().is_some_and(is_one).then(|| value.clone())
}

fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn integer(value: &Value, fits: impl Fn(i64) -> bool) -> Option<Value> {
    value.as_i64().is_some_and(fits).then(|| value.clone())
}

/// `yyyy-MM-dd`, of the years 1 to 9999.
fn date(days: i64) -> Option<Value> {
    let julian = days.checked_add(i64::from(OffsetDateTime::UNIX_EPOCH.to_julian_day()))?;
    let date = Date::from_julian_day(i32::try_from(julian).ok()?).ok()?;
    let (year, month, day) = date.to_calendar_date();
    (1..=9999).contains(&year).then(|| Value::from(format!("{year:04}-{:02}-{day:02}", u8::from(month))))
}

fn time_of_day(nanos: i64) -> Option<Value> {
    let seconds = nanos.div_euclid(NANOS_A_SECOND);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let text = format!("{hours:02}:{minutes:02}:{:02}.{:09}", seconds % 60, nanos.rem_euclid(NANOS_A_SECOND));
    (nanos >= 0 && hours < 24).then(|| Value::from(text))
}

/// `-1mo2d3ns`: all of one sign.
fn duration(value: &Value) -> Option<Value> {
    let part = |name: &str| value.get(name).and_then(Value::as_i64);
    let (months, days, nanos) = (part("months")?, part("days")?, part("nanos")?);
    i32::try_from(months).and(i32::try_from(days)).ok()?;
    let sign = if months < 0 || days < 0 || nanos < 0 { "-" } else { "" };
    let number = i64::unsigned_abs;
    Some(Value::from(format!("{sign}{}mo{}d{}ns", number(months), number(days), number(nanos))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cql::type_grammar::parse;

    /// The right-hand side is what `SELECT JSON` of Cassandra 4.1 prints, or its reader is documented to take.
    #[test]
    fn as_cassandra_reads_it() {
        for (kind, value, expected) in [
            ("text", json!("it's"), json!("it's")),
            ("bigint", json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_993_i64)),
            ("double", json!(7.5), json!("7.5")),
            ("float", json!(0.1), json!("0.1")),
            ("double", json!("NaN"), json!("NaN")),
            ("double", json!(-0.0), json!("-0.0")),
            ("decimal", json!("1E-7"), json!("1E-7")),
            (
                "varint",
                json!("170141183460469231731687303715884105727"),
                json!("170141183460469231731687303715884105727"),
            ),
            ("int", json!(-2_147_483_648_i64), json!(-2_147_483_648_i64)),
            ("tinyint", json!(127), json!(127)),
            ("inet", json!("2001:db8:0:0:0:0:0:1"), json!("2001:db8:0:0:0:0:0:1")),
            (
                "timeuuid",
                json!("6ab09bec-e68e-11d9-a5f8-97e6fb4c9b47"),
                json!("6ab09bec-e68e-11d9-a5f8-97e6fb4c9b47"),
            ),
            ("boolean", json!(true), json!(true)),
            ("blob", json!("3q2+7w=="), json!("0xdeadbeef")),
            ("blob", json!(""), json!("0x")),
            ("date", json!(20_455), json!("2026-01-02")),
            ("date", json!(-719_162), json!("0001-01-01")),
            ("time", json!(11_045_123_456_789_i64), json!("03:04:05.123456789")),
            ("timestamp", json!(1_767_323_045_678_i64), json!(1_767_323_045_678_i64)),
            ("timestamp", json!("2026-01-02T03:04:05.678Z"), json!(1_767_323_045_678_i64)),
            ("duration", json!({"months":1,"days":2,"nanos":3}), json!("1mo2d3ns")),
            ("duration", json!({"months":0,"days":-2,"nanos":-3}), json!("-0mo2d3ns")),
            ("frozen<list<blob>>", json!(["/w=="]), json!(["0xff"])),
            ("set<date>", json!([0]), json!(["1970-01-01"])),
            ("map<int, text>", json!([[1, "a"]]), json!({"1": "a"})),
            ("map<text, blob>", json!({"w": "/w=="}), json!({"w": "0xff"})),
            ("map<frozen<list<int>>, int>", json!([[[1, 2], 3]]), json!({"[1,2]": 3})),
            ("tuple<int, text>", json!([7, null]), json!([7, null])),
            ("vector<float, 2>", json!([0.5, 1.0]), json!(["0.5", "1.0"])),
        ] {
            assert_eq!(cassandra_json(&parse(kind).unwrap(), &value), Some(expected), "{kind} {value}");
        }
    }

    #[test]
    fn what_is_not_written() {
        for (kind, value) in [
            ("addr", json!({"street": "Main"})),
            ("frozen<addr>", json!({})),
            ("counter", json!(1)),
            ("list<frozen<addr>>", json!([{}])),
            ("int", json!("1")),
            ("int", json!(2_147_483_648_i64)),
            ("smallint", json!(32_768)),
            ("tinyint", json!(-129)),
            ("bigint", json!(9_223_372_036_854_775_808_u64)),
            ("varint", json!("1.5")),
            ("decimal", json!("x")),
            ("double", json!("1")),
            ("ascii", json!("\u{e9}")),
            ("uuid", json!("1")),
            ("timeuuid", json!("00000000-0000-4000-8000-000000000000")),
            ("inet", json!("host")),
            ("vector<float, 2>", json!([0.5])),
            ("duration", json!({"months": 2_147_483_648_i64, "days": 0, "nanos": 0})),
            ("timestamp", json!("1767323045678")),
            ("text", json!(1)),
            ("blob", json!("?")),
            ("date", json!(100_000_000)),
            ("time", json!(-1)),
            ("tuple<int, int>", json!([1])),
            ("map<int, int>", json!([[1]])),
        ] {
            assert_eq!(cassandra_json(&parse(kind).unwrap(), &value), None, "{kind} {value}");
        }
        assert!(is_multi_cell(&parse("set<int>").unwrap()) && is_multi_cell(&parse("addr").unwrap()));
        assert!(
            !is_multi_cell(&parse("frozen<set<int>>").unwrap())
                && !is_multi_cell(&parse("tuple<int>").unwrap())
        );
    }
}
