//! An agent's record → the record of the audit trail.

use std::borrow::Cow;

use crate::jobs::members::{Members, PartKind, object_text};
use crate::jobs::record::{Change, change, scalar_texts, unescaped};

/// What a write did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// It left row liveness, as INSERT does, whether or not the row was there.
    Inserted,
    /// It set or deleted columns.
    Updated,
    /// It deleted a row, a range of rows, or a partition.
    Deleted,
}

impl Operation {
    pub(super) const ALL: [Self; 3] = [Self::Inserted, Self::Updated, Self::Deleted];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Inserted => "INSERTED",
            Self::Updated => "UPDATED",
            Self::Deleted => "DELETED",
        }
    }

    fn of(op: &str) -> Option<Self> {
        match op {
            "c" => Some(Self::Inserted),
            "u" => Some(Self::Updated),
            "d" | "rt" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// What an agent's record is to the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry<'r> {
    /// A write.
    Write {
        /// What it did.
        operation: Operation,
        /// Content identity.
        event_id: Option<Cow<'r, str>>,
        /// The record.
        text: &'r str,
    },
    /// A row that a snapshot read: nobody wrote it then.
    Snapshot,
    /// A heartbeat.
    Heartbeat,
    /// No agent wrote it.
    Strange,
}

impl<'r> Entry<'r> {
    /// What the value of a record is.
    pub(super) fn of(value: &'r [u8]) -> Self {
        let Ok(text) = std::str::from_utf8(value) else { return Self::Strange };
        let Some(about) = change(text) else { return Self::Strange };
        let texts = scalar_texts(text, &["op", "event_id"]).unwrap_or_default();
        let mut texts = texts.into_iter();
        let (op, event_id) = (texts.next().flatten().unwrap_or_default(), texts.next().flatten());
        match (Operation::of(&op), about) {
            (Some(operation), _) => Self::Write { operation, event_id, text },
            (None, Change::Row(_)) => Self::Snapshot,
            (None, Change::Other) => Self::Heartbeat,
        }
    }
}

/// The value of the trail's record of a write: docs/jobs.md. Everything stands as in the agent's record; `key` are the
/// names of the key's columns.
pub(super) fn record(operation: Operation, record_key: Option<&[u8]>, text: &str, key: &[String]) -> String {
    let none = || Members::of("{}");
    let members = Members::of(text).or_else(none);
    let part = |name, kind| members.as_ref().map_or("null", |members| members.part(name, kind));
    let inner = |outer, name, kind| {
        let part = Members::of(part(outer, PartKind::Object)).map(|inner| inner.part(name, kind));
        part.unwrap_or("null")
    };
    let source = |name, kind| inner("source", name, kind);
    let (values, patch) = match operation {
        Operation::Deleted => ("null", "null"),
        _ => (part("after", PartKind::Object), part("patch", PartKind::Object)),
    };
    let fields = [
        ("stamp_us", source("ts_us", PartKind::Integer)),
        ("key", object_text(record_key)),
        ("values", values),
        ("columns", &touched(values, patch, key)),
        ("source_dc", source("dc", PartKind::Text)),
        ("host_id", source("host_id", PartKind::Text)),
        ("event_id", part("event_id", PartKind::Text)),
        ("expires_at", inner("liveness", "expires_at", PartKind::Integer)),
        ("before", "null"),
        ("patch", patch),
        ("range", part("range", PartKind::Object)),
        ("cells", part("cells", PartKind::Object)),
    ];
    let mut record = format!("{{\"operation\":\"{}\"", operation.word());
    for (name, value) in fields {
        record.extend([",\"", name, "\":", value]);
    }
    record.push('}');
    record
}

/// The columns that a write touched, but for those of the key: carried whole, then changed in part; an array.
fn touched(values: &str, patch: &str, key: &[String]) -> String {
    let parts = [Members::of(values), Members::of(patch)];
    let mut names: Vec<&str> = Vec::new();
    for name in parts.iter().flatten().flat_map(Members::names) {
        if !names.contains(&name) && !key.iter().any(|column| *column == *unescaped(name)) {
            names.push(name);
        }
    }
    format!("[{}]", names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &str) -> Entry<'_> {
        Entry::of(value.as_bytes())
    }

    #[test]
    fn what_records_are() {
        for (value, expected) in [
            (r#"{"op":"m","wm_us":1}"#, Entry::Heartbeat),
            (r#"{"op":"r","after":{}}"#, Entry::Snapshot),
            (r#"{"op":"c","after":null}"#, Entry::Strange),
            (r#"{"op":"i","after":{}}"#, Entry::Strange),
            (r#"{"op":"d"} x"#, Entry::Strange),
            ("{}", Entry::Strange),
        ] {
            assert_eq!(entry(value), expected, "{value}");
        }
        assert_eq!(Entry::of(b"{\"op\":\"d\",\"x\":\"\xff\"}"), Entry::Strange);
        for (op, operation) in [("c", "INSERTED"), ("u", "UPDATED"), ("d", "DELETED"), ("rt", "DELETED")] {
            let value = format!(r#"{{"op":"{op}","after":{{}},"event_id":"e"}}"#);
            let Entry::Write { operation: found, event_id, .. } = entry(&value) else { panic!("{value}") };
            assert_eq!((found.word(), event_id.as_deref()), (operation, Some("e")));
        }
    }

    /// A record of docs/envelope.md, and one that holds nothing that is needed.
    #[test]
    fn what_is_known_and_what_is_not() {
        let text = r#"{"op":"u","before":null,"after":{"id":7,"name":"Ann","email":null},"patch":{"tags":{"put":["x"],"remove":[]}},"cells":{"name":{"ttl":60,"expires_at":1767326645}},"event_id":"0a","source":{"ts_us":17,"dc":"DC","host_id":"h"}}"#;
        let found = record(Operation::Updated, Some(br#"{"id":7}"#), text, &["id".to_owned()]);
        assert_eq!(
            found,
            r#"{"operation":"UPDATED","stamp_us":17,"key":{"id":7},"values":{"id":7,"name":"Ann","email":null},"columns":["name","email","tags"],"source_dc":"DC","host_id":"h","event_id":"0a","expires_at":null,"before":null,"patch":{"tags":{"put":["x"],"remove":[]}},"range":null,"cells":{"name":{"ttl":60,"expires_at":1767326645}}}"#
        );
        let found = record(Operation::Deleted, None, r#"{"op":"d","after":{"id":7}}"#, &["id".to_owned()]);
        assert_eq!(
            found,
            r#"{"operation":"DELETED","stamp_us":null,"key":null,"values":null,"columns":[],"source_dc":null,"host_id":null,"event_id":null,"expires_at":null,"before":null,"patch":null,"range":null,"cells":null}"#
        );
    }
}
