//! Cassandra's own JSON of a value, brought into the form of records.

use base64::Engine as _;
use cdc_agent::cql::CqlType;
use serde_json::value::RawValue;

use crate::support::json::Entries;

/// The text that a record carries where Cassandra's JSON is `raw`; `None` where that does not tell the value.
pub(super) fn expected(cql_type: &CqlType, raw: &RawValue) -> Option<String> {
    let raw_text = raw.get();
    let not_a_number = raw_text == "null" && matches!(cql_type, CqlType::Double | CqlType::Float);
    if raw_text == "null" {
        return (!not_a_number).then(|| "null".to_owned());
    }
    if raw_text == "\"\"" && !matches!(cql_type, CqlType::Text | CqlType::Ascii | CqlType::Duration) {
        return Some("null".to_owned());
    }
    let string = || serde_json::from_str::<String>(raw_text).unwrap();
    Some(match cql_type {
        CqlType::VarInt | CqlType::Decimal => format!("\"{raw_text}\""),
        CqlType::Text | CqlType::Ascii => serde_json::to_string(&string()).unwrap(),
        CqlType::Blob => {
            let bytes = hex::decode(string().strip_prefix("0x").unwrap()).unwrap();
            format!("\"{}\"", base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        CqlType::Inet => inet(&string()),
        CqlType::Date => days(&string())?.to_string(),
        CqlType::Timestamp => millis(&string())?.to_string(),
        CqlType::Time => nanos(&string()).to_string(),
        CqlType::Duration => duration(&string()),
        CqlType::List { element, .. } | CqlType::Set { element, .. } | CqlType::Vector { element, .. } => {
            array(array_items(raw_text).iter().map(|item| expected(element, item)))?
        }
        CqlType::Map { key, value, .. } => map(key, value, raw_text)?,
        CqlType::Tuple(fields) => {
            array(array_items(raw_text).iter().zip(fields).map(|(item, field)| expected(field, item)))?
        }
        CqlType::Udt { udt, .. } => {
            let Entries(entries) = serde_json::from_str(raw_text).unwrap();
            assert_eq!(entries.len(), udt.fields.len());
            let fields = entries.iter().zip(&udt.fields).map(|((_, value), (name, cql_type))| {
                Some(format!("{}:{}", serde_json::to_string(name).unwrap(), expected(cql_type, value)?))
            });
            format!("{{{}}}", fields.collect::<Option<Vec<_>>>()?.join(","))
        }
        _ => raw_text.to_owned(),
    })
}

fn array_items(raw: &str) -> Vec<Box<RawValue>> {
    serde_json::from_str(raw).unwrap()
}

fn array(items: impl Iterator<Item = Option<String>>) -> Option<String> {
    Some(format!("[{}]", items.collect::<Option<Vec<_>>>()?.join(",")))
}

/// An object where the key's JSON is a string of its own, else pairs. Cassandra's keys are the JSON of the
/// key, made a string.
fn map(key_type: &CqlType, value_type: &CqlType, raw: &str) -> Option<String> {
    let Entries(entries) = serde_json::from_str(raw).unwrap();
    let object = matches!(
        key_type,
        CqlType::Text | CqlType::Ascii | CqlType::Uuid | CqlType::TimeUuid | CqlType::Inet
    );
    let nested = !matches!(
        key_type,
        CqlType::List { .. }
            | CqlType::Set { .. }
            | CqlType::Map { .. }
            | CqlType::Tuple(_)
            | CqlType::Udt { .. }
    );
    let entries = entries.iter().map(|(key, value)| {
        let bare = nested
            && serde_json::from_str::<f64>(key).is_err()
            && key != "true"
            && key != "false"
            && key != "null";
        let key = if bare || matches!(key_type, CqlType::Text | CqlType::Ascii) {
            serde_json::to_string(key).unwrap()
        } else {
            key.clone()
        };
        let key = expected(key_type, &RawValue::from_string(key).unwrap())?;
        let value = expected(value_type, value)?;
        Some(if object { format!("{key}:{value}") } else { format!("[{key},{value}]") })
    });
    let joined = entries.collect::<Option<Vec<_>>>()?.join(",");
    Some(if object { format!("{{{joined}}}") } else { format!("[{joined}]") })
}

/// IPv6 as RFC 5952 has it, of which Java prints the eight groups.
fn inet(java: &str) -> String {
    match java.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => format!("\"{v6}\""),
        // Java prints IPv4-mapped addresses as IPv4, so a v4 text does not tell which of the two it is.
        Err(_) => format!("\"{java}\""),
    }
}

/// Days since 1970 of `[+-]y…-mm-dd`.
fn days(date: &str) -> Option<i64> {
    let (sign, rest) = match date.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, date.strip_prefix('+').unwrap_or(date)),
    };
    let parts: Vec<i64> = rest.split('-').map(|part| part.parse().unwrap()).collect();
    let (year, month, day) = (sign * parts[0], parts[1], parts[2]);
    let leap =
        |year: i64| year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    let before_year = |year: i64| {
        let last = year - 1;
        365 * last + last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before_month: i64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    Some(before_year(year) - before_year(1970) + before_month + day - 1)
}

/// Milliseconds of `yyyy-mm-dd hh:mm:ss.SSSZ`. `None` for the years that could be of another era: Cassandra
/// does not print which.
fn millis(timestamp: &str) -> Option<i64> {
    let (date, clock) = timestamp.strip_suffix('Z').unwrap().split_once(' ').unwrap();
    let could_be_before_christ = ["0001-12-31", "0002-", "3390-", "+"];
    if could_be_before_christ.iter().any(|year| date.starts_with(year)) {
        return None;
    }
    days(date)?.checked_mul(86_400_000)?.checked_add(nanos(&format!("{clock}000000")) / 1_000_000)
}

/// Nanoseconds of `hh:mm:ss.nnnnnnnnn`.
fn nanos(clock: &str) -> i64 {
    let (clock, fraction) = clock.split_once('.').unwrap();
    let seconds = clock.split(':').fold(0, |seconds, part| seconds * 60 + part.parse::<i64>().unwrap());
    seconds * 1_000_000_000 + fraction.parse::<i64>().unwrap()
}

/// A duration as an object, of a text like `-1y2mo3d4h5m6s7ms8us9ns`.
fn duration(text: &str) -> String {
    let sign = if text.starts_with('-') { -1_i128 } else { 1 };
    let mut rest = text.trim_start_matches('-');
    let (mut months, mut days, mut nanos) = (0, 0, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
        let (number, after) = rest.split_at(digits);
        let number: i128 = number.parse().unwrap();
        rest = after;
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, after) = rest.split_at(unit);
        match unit {
            "y" => months += 12 * number,
            "mo" => months += number,
            "d" => days += number,
            "h" => nanos += 3_600_000_000_000 * number,
            "m" => nanos += 60_000_000_000 * number,
            "s" => nanos += 1_000_000_000 * number,
            "ms" => nanos += 1_000_000 * number,
            "us" => nanos += 1_000 * number,
            "ns" => nanos += number,
            other => panic!("unit {other} of {text}"),
        }
        rest = after;
    }
    format!("{{\"months\":{},\"days\":{},\"nanos\":{}}}", sign * months, sign * days, sign * nanos)
}
