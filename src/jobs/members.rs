//! The members of a JSON object with their texts as they stand: what is passed on is not written anew, so that no digit
//! of it changes.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::record::unescaped;

/// The members of an object, in their order: the text of each name, in its quotes, and of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Members<'p>(Vec<(&'p str, &'p str)>);

/// What a value must be to be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartKind {
    /// A text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An object.
    Object,
}

impl<'p> Members<'p> {
    /// Those of a text that is one object, in strict JSON (RFC 8259), with nothing behind it.
    pub(super) fn of(text: &'p str) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members = deserializer.deserialize_map(MembersVisitor).ok()?;
        deserializer.end().ok()?;
        Some(Self(members))
    }

    /// The value of a name; of a name that stands there twice the last.
    pub(super) fn get(&self, name: &str) -> Option<&'p str> {
        self.0.iter().rev().find(|(quoted, _)| unescaped(quoted) == name).map(|(_, value)| *value)
    }

    /// The value of a name, or the text `null` where it is missing or of another kind.
    pub(super) fn part(&self, name: &str, kind: PartKind) -> &'p str {
        self.get(name).filter(|value| kind.is_of(value)).unwrap_or("null")
    }

    /// The names in their quotes, in their order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'p str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl PartKind {
    fn is_of(self, value: &str) -> bool {
        match self {
            Self::Text => value.starts_with('"'),
            Self::Integer => value.parse::<i64>().is_ok(),
            Self::Object => value.starts_with('{'),
        }
    }
}

/// Bytes that are one JSON object, as they stand; the text `null` where they are none.
pub(super) fn object_text(bytes: Option<&[u8]>) -> &str {
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.filter(|text| text.starts_with('{') && Members::of(text).is_some()).unwrap_or("null")
}

struct MembersVisitor;

impl<'p> Visitor<'p> for MembersVisitor {
    type Value = Vec<(&'p str, &'p str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<&'p RawValue, &'p RawValue>()? {
            members.push((name.get(), value.get()));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_as_they_stand() {
        let members =
            Members::of(r#" {"a" : 1.0E10 ,"b":{ "c": [1,  2] },"\u0061":"x\u00e9","d":12} "#).unwrap();
        assert_eq!(members.get("a"), Some(r#""x\u00e9""#), "the last one counts, however it is spelt");
        assert_eq!(members.get("b"), Some(r#"{ "c": [1,  2] }"#));
        assert_eq!(members.get("c"), None);
        assert_eq!(members.names().collect::<Vec<_>>(), [r#""a""#, r#""b""#, r#""\u0061""#, r#""d""#]);
        for (name, kind, expected) in [
            ("a", PartKind::Text, r#""x\u00e9""#),
            ("a", PartKind::Object, "null"),
            ("b", PartKind::Object, r#"{ "c": [1,  2] }"#),
            ("b", PartKind::Integer, "null"),
            ("d", PartKind::Integer, "12"),
            ("d", PartKind::Text, "null"),
            ("e", PartKind::Text, "null"),
        ] {
            assert_eq!(members.part(name, kind), expected, "{name} {kind:?}");
        }
    }

    #[test]
    fn whole_numbers_alone_are_integers() {
        for (text, is_one) in [
            ("-0", true),
            ("9223372036854775807", true),
            ("9223372036854775808", false),
            ("1.0", false),
            ("1e3", false),
        ] {
            assert_eq!(PartKind::Integer.is_of(text), is_one, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_has_none() {
        for text in
            ["", "[]", "1", "{", "{}x", "{} {}", "{a:1}", r#"{"a":1,}"#, r#"{"a":01}"#, "{\"a\":\"\n\"}"]
        {
            assert_eq!(Members::of(text), None, "{text}");
        }
    }
}
