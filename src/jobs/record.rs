//! The payload of a record → the fields that rules look at.
//!
//! Strict JSON (RFC 8259) in UTF-8, one object, nothing behind it. Of a name that stands there twice the last counts.
//! The text of a field is what Flink's `JSON_VALUE` makes of it: a text as it is, `true` or `false`, the digits of a
//! whole number, and for any other number the text of its double as Java prints it. What is no text is written `?`,
//! as Flink writes half of a surrogate pair.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::column::Shape;
use super::value::Value;
use crate::cql::float::{write_double, write_not_finite};

/// A record of the source.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    /// Kafka value; None is a tombstone.
    pub payload: Option<&'r [u8]>,
    /// Kafka timestamp, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Kafka partition.
    pub partition: i32,
    /// Kafka offset.
    pub offset: i64,
}

/// A field of a payload.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field<'p> {
    /// The payload lacks it.
    Missing,
    /// It is null.
    Null,
    /// Text, number or truth value, as text.
    Scalar(Cow<'p, str>),
    /// An object or an array, as JSON.
    Nested(&'p str),
}

/// Cassandra's mark of no time at all.
pub(super) const NO_TIME: i64 = i64::MIN;

/// What an agent's record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change<'p> {
    /// A row (`c`, `u`, `r`), with its `after`.
    Row(&'p str),
    /// No row: a deletion, a range, a heartbeat.
    Other,
}

/// Says to which places the field of a name belongs: calls the function with each.
type Wanted<'w> = dyn Fn(&str, &mut dyn FnMut(usize)) + 'w;

/// The fields of an object: `wanted` says to which places a name belongs. None when the text is no object.
pub(super) fn object<'p>(text: &'p str, places: usize, wanted: &Wanted<'_>) -> Option<Vec<Field<'p>>> {
    let mut fields = vec![Field::Missing; places];
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = ObjectSeed { fields: &mut fields, wanted };
    seed.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(fields)
}

/// The texts of the named fields of an object; None of those that are missing, null, objects or arrays. None when the text
/// is no object.
pub(super) fn scalar_texts<'p>(text: &'p str, names: &[&str]) -> Option<Vec<Option<Cow<'p, str>>>> {
    let fields = object(text, names.len(), &|name, found| {
        if let Some(place) = names.iter().position(|known| *known == name) {
            found(place);
        }
    })?;
    let scalar = |field| match field {
        Field::Scalar(text) => Some(text),
        Field::Missing | Field::Null | Field::Nested(_) => None,
    };
    Some(fields.into_iter().map(scalar).collect())
}

/// What an agent's record of profile `flat` is about. None when it is none.
pub(super) fn change(text: &str) -> Option<Change<'_>> {
    let names = ["op", "after"];
    let fields = object(text, names.len(), &|name, found| {
        if let Some(place) = names.iter().position(|known| *known == name) {
            found(place);
        }
    })?;
    match fields.as_slice() {
        [op, after] => change_of(op, after),
        _ => None,
    }
}

/// What a record with these members is about. None when it is none of an agent.
pub(super) fn change_of<'p>(op: &Field<'p>, after: &Field<'p>) -> Option<Change<'p>> {
    match (op, after) {
        (Field::Scalar(op), Field::Nested(after))
            if matches!(&**op, "c" | "u" | "r") && after.starts_with('{') =>
        {
            Some(Change::Row(after))
        }
        (Field::Scalar(op), _) if matches!(&**op, "d" | "rt" | "m") => Some(Change::Other),
        _ => None,
    }
}

/// `source.ts_us` of an agent's record: when its row was written, in microseconds. None where it is not known, or none
/// that Cassandra takes.
pub(super) fn write_time_us(text: &str) -> Option<i64> {
    let fields = object(text, 1, &|name, found| {
        if name == "source" {
            found(0);
        }
    });
    match fields?.pop()? {
        Field::Nested(source) => whole(scalar_texts(source, &["ts_us"])?.pop()?).filter(|us| *us != NO_TIME),
        _ => None,
    }
}

/// A whole number of 64 bits.
pub(super) fn whole(text: Option<Cow<'_, str>>) -> Option<i64> {
    match Shape::of("bigint").read(text?)? {
        Value::Integer(number) => Some(number),
        _ => None,
    }
}

struct ObjectSeed<'f, 'p, 'w> {
    fields: &'f mut Vec<Field<'p>>,
    wanted: &'w Wanted<'w>,
}

impl<'p> DeserializeSeed<'p> for ObjectSeed<'_, 'p, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'p> Visitor<'p> for ObjectSeed<'_, 'p, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<(), A::Error> {
        // As it stands: as bytes serde_json would take control characters, which are no JSON.
        while let Some(name) = map.next_key::<&'p RawValue>()? {
            let (name, mut places) = (unescaped(name.get()), Vec::new());
            (self.wanted)(&name, &mut |place| places.push(place));
            if places.is_empty() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &'p RawValue = map.next_value()?;
            for place in places {
                if let Some(slot) = self.fields.get_mut(place) {
                    *slot = field(value.get());
                }
            }
        }
        Ok(())
    }
}

/// A JSON value of its own text.
fn field(raw: &str) -> Field<'_> {
    match raw.as_bytes().first() {
        Some(b'n') => Field::Null,
        Some(b'{' | b'[') => Field::Nested(raw),
        Some(b'"') => Field::Scalar(unescaped(raw)),
        Some(b't' | b'f') => Field::Scalar(raw.into()),
        _ => Field::Scalar(number_text(raw)),
    }
}

fn number_text(raw: &str) -> Cow<'_, str> {
    if raw == "-0" {
        return "0".into();
    }
    if !raw.contains(['.', 'e', 'E']) {
        return raw.into();
    }
    let number: f64 = raw.parse().unwrap_or(f64::NAN);
    let mut text = Vec::new();
    if !number.is_finite() {
        write_not_finite(number, &mut text);
    } else {
        write_double(number, &mut text);
    }
    String::from_utf8(text).unwrap_or_default().into()
}

/// The content of a JSON text in its quotes.
pub(super) fn unescaped(raw: &str) -> Cow<'_, str> {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    TextSeed.deserialize(&mut deserializer).unwrap_or_default().into()
}

/// A text; half a surrogate pair in it becomes `?`.
struct TextSeed;

impl<'p> DeserializeSeed<'p> for TextSeed {
    type Value = String;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<String, D::Error> {
        // As bytes serde_json hands lone surrogates over, in the form of UTF-8; as a text it refuses them.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for TextSeed {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<String, E> {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            // The three bytes of half a pair are three invalid chunks: ED, and two that continue nothing.
            if chunk.invalid().first() == Some(&0xED) {
                text.push('?');
            }
        }
        Ok(text)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Option<Vec<Field<'_>>> {
        object(text, 1, &|name, found| {
            if name == "a" {
                found(0);
            }
        })
    }

    /// Texts as Flink 1.20 prints JSON_VALUE(payload, '$.a') (docs/rules.md).
    #[test]
    fn texts_of_fields() {
        for (json, expected) in [
            (r#""x""#, "x"),
            (r#""""#, ""),
            ("1", "1"),
            ("-0", "0"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("1e3", "1000.0"),
            ("100.10", "100.1"),
            ("12345678901234567890.123456789", "1.2345678901234567E19"),
            ("1e400", "Infinity"),
            ("true", "true"),
            (r#""a\u0041\n""#, "aA\n"),
            (r#""\ud83d\ude00""#, "😀"),
            (r#""a\ud800b""#, "a?b"),
            (r#""\udc00\ud800""#, "??"),
            (r#""\u0000""#, "\0"),
        ] {
            let payload = format!("{{\"a\":{json}}}");
            assert_eq!(fields(&payload), Some(vec![Field::Scalar(expected.into())]), "{json}");
        }
        assert_eq!(fields(r#"{"a":null}"#), Some(vec![Field::Null]));
        assert_eq!(fields(r#"{"b":1}"#), Some(vec![Field::Missing]));
        assert_eq!(fields(r#"{"a":1,"a":{"b":[]}}"#), Some(vec![Field::Nested(r#"{"b":[]}"#)]));
        assert_eq!(fields(r#"{"\u0061":1}"#), Some(vec![Field::Scalar("1".into())]));
        assert_eq!(fields(r#"{"\ud800":1}"#), Some(vec![Field::Missing]));
    }

    #[test]
    fn what_is_no_object() {
        for text in [
            "",
            " ",
            "null",
            "[]",
            "1",
            "\"a\"",
            "{",
            "{}x",
            "{} {}",
            "{'a':1}",
            "{a:1}",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":\"\n\"}",
            "{\"a\t\":1}",
            "{\"a\":1,\"b\0\":2}",
            "{\"a\":{\"b\u{1f}\":2}}",
            "\u{feff}{}",
            "{\"a\":1 // x\n}",
            "{\"a\":\"\\x\"}",
        ] {
            assert_eq!(fields(text), None, "{text}");
        }
        for text in ["{}", " {} \n", "\t{\"b\":{}}"] {
            assert!(fields(text).is_some(), "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let _ = fields(&deep);
    }

    #[test]
    fn changes() {
        assert_eq!(change(r#"{"op":"c","after":{"id":1}}"#), Some(Change::Row(r#"{"id":1}"#)));
        for op in ["d", "rt", "m"] {
            assert_eq!(change(&format!("{{\"op\":\"{op}\",\"after\":null}}")), Some(Change::Other));
        }
        for text in
            ["{}", r#"{"op":"c","after":null}"#, r#"{"op":"i","after":{}}"#, r#"{"op":"u","after":[]}"#]
        {
            assert_eq!(change(text), None, "{text}");
        }
    }
}
