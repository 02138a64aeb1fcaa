//! The one text of a value, made from a [`Value`] and from what `SELECT JSON` prints. What Cassandra prints alike (NaN and null)
//! is alike here; the order inside sets and maps does not count.

use super::json::Json;
use super::types::{Type, days_of, is_leap};
use super::value::Value;

/// Longer texts stand in `select.jsonl` by length and hash.
const LONGEST: usize = 4096;

/// The text of a value.
pub(super) fn of_value(cql_type: &Type, value: &Value) -> String {
    match (cql_type, value) {
        (_, Value::Null) => "null".to_owned(),
        (_, Value::Empty) => "\"\"".to_owned(),
        (Type::Native(name), _) => of_native(name, value),
        (Type::Set(item), Value::Items(items)) => {
            unordered(items.iter().map(|value| of_value(item, value)).collect())
        }
        (Type::List(item) | Type::Vector(item), Value::Items(items)) => {
            ordered(items.iter().map(|value| of_value(item, value)))
        }
        (Type::Tuple(types), Value::Items(items)) => {
            ordered(types.iter().zip(items).map(|(field, value)| of_value(field, value)))
        }
        (Type::Udt(fields), Value::Items(items)) => {
            ordered(fields.iter().zip(items).map(|((_, field), value)| of_value(field, value)))
        }
        (Type::Map(key, value), Value::Pairs(pairs)) => unordered(
            pairs.iter().map(|(k, v)| format!("{}:{}", of_value(key, k), of_value(value, v))).collect(),
        ),
        _ => panic!("{value:?} is no {cql_type:?}"),
    }
}

/// The text of what `SELECT JSON` prints.
pub(super) fn of_select(cql_type: &Type, json: &Json) -> String {
    match (cql_type, json) {
        (Type::Native(name), Json::Text(text)) if name == "inet" && !text.is_empty() => {
            format!("{:?}", text.parse::<std::net::IpAddr>().unwrap().to_string())
        }
        (Type::Native(name), Json::Number(text)) if name == "double" => float(text.parse::<f64>().unwrap()),
        (Type::Native(name), Json::Number(text)) if name == "float" => {
            float(f64::from(text.parse::<f32>().unwrap()))
        }
        (Type::Native(_), Json::Object(_)) => json.to_string(),
        (Type::Native(_), _) | (_, Json::Null) => json.to_string(),
        (Type::Set(item), _) => unordered(json.items().iter().map(|json| of_select(item, json)).collect()),
        (Type::List(item) | Type::Vector(item), _) => {
            ordered(json.items().iter().map(|json| of_select(item, json)))
        }
        (Type::Tuple(types), _) => {
            ordered(types.iter().zip(json.items()).map(|(field, json)| of_select(field, json)))
        }
        (Type::Udt(fields), _) => {
            ordered(fields.iter().map(|(name, field)| of_select(field, json.at(&quoted(name)))))
        }
        (Type::Map(key, value), _) => unordered(
            json.fields()
                .iter()
                .map(|(name, json)| format!("{}:{}", of_map_key(key, name), of_select(value, json)))
                .collect(),
        ),
    }
}

/// Keys that are no texts are printed as JSON inside a text.
fn of_map_key(key: &Type, name: &str) -> String {
    let is_number_or_more = match key {
        Type::Native(name) => matches!(
            name.as_str(),
            "int" | "bigint" | "smallint" | "tinyint" | "varint" | "decimal" | "float" | "double" | "boolean"
        ),
        _ => true,
    };
    if is_number_or_more {
        of_select(key, &Json::parse(name))
    } else {
        of_select(key, &Json::Text(name.to_owned()))
    }
}

/// How Cassandra prints the name of a column or field: quoted when it is not in lower case.
pub(super) fn quoted(name: &str) -> String {
    if name.to_lowercase() == name { name.to_owned() } else { format!("\"{name}\"") }
}

fn ordered(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn unordered(mut items: Vec<String>) -> String {
    items.sort();
    format!("{{{}}}", items.join(","))
}

fn of_native(name: &str, value: &Value) -> String {
    match value {
        Value::Text(text) if text.len() > LONGEST => {
            use sha2::Digest;
            let hash: String =
                sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{{\"characters\":{},\"sha256\":\"{hash}\"}}", text.chars().count())
        }
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(number) => {
            let small = || i64::try_from(number.clone()).unwrap();
            match name {
                "timestamp" => format!("{:?}", timestamp(small())),
                "date" => format!("{:?}", date(small())),
                "time" => format!("{:?}", time(small())),
                _ => number.to_string(),
            }
        }
        Value::Decimal { text, .. } => text.clone(),
        // What Java's own parser would read from a float's text is that float.
        Value::Float(number) if name == "float" => float(f64::from(*number as f32)),
        Value::Float(number) => float(*number),
        Value::Bytes(bytes) => {
            format!("\"0x{}\"", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        Value::Bool(value) => value.to_string(),
        Value::Inet(address) => format!("{:?}", address.to_string()),
        Value::Uuid(uuid) => format!("{:?}", uuid.to_string()),
        Value::Duration(months, days, nanos) => format!("{:?}", duration(*months, *days, *nanos)),
        other => panic!("{other:?} is no {name}"),
    }
}

fn float(number: f64) -> String {
    if number.is_finite() { format!("{number:e}") } else { "null".to_owned() }
}

/// `yyyy-MM-dd`, where `yyyy` is the year of the era: there is no year 0, and the years before 1 count up again.
fn date_of(days: i64, bare_year: bool) -> String {
    // 400 years have 146,097 days.
    let (cycles, mut left) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let mut year = 1970 + cycles * 400;
    while left >= 365 + i64::from(is_leap(year)) {
        left -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while left >= days_of(year, month) {
        left -= days_of(year, month);
        month += 1;
    }
    let shown = if bare_year || year > 0 { year } else { 1 - year };
    let sign = if shown < 0 {
        "-"
    } else if shown > 9999 {
        "+"
    } else {
        ""
    };
    format!("{sign}{:04}-{month:02}-{:02}", shown.abs(), left + 1)
}

fn date(days: i64) -> String {
    date_of(days, true)
}

fn timestamp(milliseconds: i64) -> String {
    let (days, of_day) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (seconds, rest) = (of_day / 1000 % 60, of_day % 1000);
    format!("{} {hours:02}:{minutes:02}:{seconds:02}.{rest:03}Z", date_of(days, false))
}

fn time(nanoseconds: i64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:09}", seconds % 60, nanoseconds % 1_000_000_000)
}

/// Cassandra's text of a duration: `1y2mo3d4h5m6s7ms8us9ns`, without the parts that are 0.
fn duration(months: i64, days: i64, nanoseconds: i64) -> String {
    let is_negative = months < 0 || days < 0 || nanoseconds < 0;
    let mut text = String::from(if is_negative { "-" } else { "" });
    let mut left = nanoseconds.unsigned_abs();
    let mut part = |number: u64, unit: &str| {
        if number > 0 {
            text += &format!("{number}{unit}");
        }
    };
    part(months.unsigned_abs() / 12, "y");
    part(months.unsigned_abs() % 12, "mo");
    part(days.unsigned_abs(), "d");
    for (unit, length) in [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1000),
        ("ns", 1),
    ] {
        part(left / length, unit);
        left %= length;
    }
    text
}
