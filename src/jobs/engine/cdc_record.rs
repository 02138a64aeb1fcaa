//! What jobs need of an agent's record (profile `flat`, docs/envelope.md).

use std::borrow::Cow;

use crate::jobs::record::{Change, Field, change_of, object, scalar_texts, whole};

/// The parts of a record, read as Flink's `JSON_VALUE` reads them: of a name that stands there twice the last counts, a
/// number is its text. What the record lacks is None.
#[derive(Debug)]
pub struct CdcRecord<'r> {
    /// `c`, `u`, `r`, `d`, `rt`, `m`.
    pub op: Cow<'r, str>,
    /// Whether it holds a row: `c`, `u`, `r`.
    pub is_row: bool,
    /// The columns of a row that the change carries: an object, as it stands.
    pub after: Option<&'r str>,
    /// Hash of the whole row.
    pub row_hash: Option<Cow<'r, str>>,
    /// `full`, `partial`, `tombstone`.
    pub hash_kind: Option<Cow<'r, str>>,
    /// Which columns of which types are hashed.
    pub hash_def: Option<Cow<'r, str>>,
    /// Content identity.
    pub event_id: Option<Cow<'r, str>>,
    /// Low watermark of a heartbeat.
    pub wm_us: Option<i64>,
    /// Where the change was made.
    pub source: SourceBlock<'r>,
}

/// `source` of a record.
#[derive(Debug, Default)]
pub struct SourceBlock<'r> {
    /// Write time, microseconds since the epoch.
    pub ts_us: Option<i64>,
    /// Data centre.
    pub dc: Option<Cow<'r, str>>,
    /// Host id of the node.
    pub host_id: Option<Cow<'r, str>>,
    /// The segment's file. A heartbeat that has one points at the table's creation.
    pub file: Option<Cow<'r, str>>,
}

const MEMBERS: [&str; 8] =
    ["op", "after", "row_hash", "hash_kind", "hash_def", "event_id", "wm_us", "source"];

impl<'r> CdcRecord<'r> {
    /// The record in a value; None when no agent wrote it.
    #[must_use]
    pub fn parse(value: &'r [u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let fields = object(text, MEMBERS.len(), &|name, found| {
            if let Some(place) = MEMBERS.iter().position(|known| *known == name) {
                found(place);
            }
        })?;
        let [op, after, row_hash, hash_kind, hash_def, event_id, wm_us, source] =
            <[Field<'r>; MEMBERS.len()]>::try_from(fields).ok()?;
        let is_row = matches!(change_of(&op, &after)?, Change::Row(_));
        Some(Self {
            op: scalar(op)?,
            is_row,
            after: members(&after),
            row_hash: scalar(row_hash),
            hash_kind: scalar(hash_kind),
            hash_def: scalar(hash_def),
            event_id: scalar(event_id),
            wm_us: whole(scalar(wm_us)),
            source: members(&source).map(SourceBlock::read).unwrap_or_default(),
        })
    }
}

impl CdcRecord<'_> {
    /// The id by which repeats are known, of a row. What holds none is not judged, and would take the place of a row's.
    #[must_use]
    pub fn row_event_id(&self) -> Option<&str> {
        self.event_id.as_deref().filter(|_| self.is_row)
    }
}

impl<'r> SourceBlock<'r> {
    fn read(text: &'r str) -> Self {
        let mut texts =
            scalar_texts(text, &["ts_us", "dc", "host_id", "file"]).unwrap_or_default().into_iter();
        let mut next = || texts.next().flatten();
        Self { ts_us: whole(next()), dc: next(), host_id: next(), file: next() }
    }
}

fn scalar(field: Field<'_>) -> Option<Cow<'_, str>> {
    match field {
        Field::Scalar(text) => Some(text),
        Field::Missing | Field::Null | Field::Nested(_) => None,
    }
}

fn members<'r>(field: &Field<'r>) -> Option<&'r str> {
    match field {
        Field::Nested(text) if text.starts_with('{') => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `JSON_VALUE` of Flink 1.20 reads them (docs/rules.md, section 3).
    #[test]
    fn what_is_strange_is_read_as_flink_reads_it() {
        let text = br#"{"op":"x","op":"c","event_id":12,"after":{"id":1},"wm_us":"7","row_hash":[],"source":{"ts_us":"5","dc":1}}"#;
        let record = CdcRecord::parse(text).unwrap();
        assert_eq!((&*record.op, record.is_row, record.after), ("c", true, Some(r#"{"id":1}"#)));
        assert_eq!((record.event_id.as_deref(), record.wm_us, record.row_hash), (Some("12"), Some(7), None));
        assert_eq!((record.source.ts_us, record.source.dc.as_deref()), (Some(5), Some("1")));
        assert!(CdcRecord::parse(br#"{"op":"d"}"#).is_some_and(|record| record.source.ts_us.is_none()));
        for none in [
            "",
            "{",
            "[]",
            "{}{}",
            r#"{"op":"c"}"#,
            r#"{"op":"c","after":[]}"#,
            r#"{"op":"x","event_id":"1"}"#,
        ] {
            assert!(CdcRecord::parse(none.as_bytes()).is_none(), "{none}");
        }
        assert!(CdcRecord::parse(b"\xff").is_none());
    }
}
