//! JSON read by `serde_json`, with the order and the numbers as they were written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The entries of an object in order, values as written.
pub(crate) struct Entries(pub(crate) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The text as `serde_json` writes it again, compactly: equal to `text` when that is canonical. Numbers stay
/// as they are written.
pub(crate) fn canonical(text: &str) -> String {
    match text.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let mut names: Vec<&String> = entries.iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), entries.len(), "a name stands twice: {text}");
            let entry = |(name, value): &(String, Box<RawValue>)| {
                format!("{}:{}", serde_json::to_string(name).unwrap(), canonical(value.get()))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
        }
        Some(b'[') => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
            let items: Vec<String> = items.iter().map(|item| canonical(item.get())).collect();
            format!("[{}]", items.join(","))
        }
        Some(b'"') => serde_json::to_string(&serde_json::from_str::<String>(text).unwrap()).unwrap(),
        _ => text.to_owned(),
    }
}
