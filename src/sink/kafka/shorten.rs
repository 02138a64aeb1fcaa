//! A record that is too long, without its longest values.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::envelope::Record;

/// Values that are no longer stay: leaving them out would gain nothing.
const KEPT: usize = 64;

/// Where a record has values of columns.
const MEMBERS: [&str; 2] = ["after", "patch"];

/// A value that was left out.
#[derive(Debug, Serialize)]
struct LeftOut {
    column: String,
    /// Length of its JSON.
    bytes: usize,
}

/// The value of `record` without its longest column values, in at most `limit` bytes; `truncated` says which are missing.
/// Columns of the primary key stay. `None` when that is not enough, and of a record in another shape than `flat`.
pub(super) fn shortened(record: &Record<'_>, limit: usize) -> Option<Vec<u8>> {
    let mut value: Map<String, Value> = serde_json::from_slice(record.value?).ok()?;
    let key: Map<String, Value> = serde_json::from_slice(record.key).ok()?;
    let mut longest = columns(&value, &key)?;
    longest.sort_by_key(|(bytes, ..)| std::cmp::Reverse(*bytes));
    let mut left_out = Vec::new();
    let mut length = record.value?.len();
    for (bytes, member, column) in longest {
        // What names the columns that are left out takes its part.
        if length <= limit / 2 {
            break;
        }
        value.get_mut(member)?.as_object_mut()?.shift_remove(&column)?;
        length = length.saturating_sub(bytes);
        left_out.push(LeftOut { column, bytes });
    }
    value.insert("truncated".to_owned(), serde_json::to_value(left_out).ok()?);
    let text = serde_json::to_vec(&value).ok()?;
    (text.len() <= limit).then_some(text)
}

/// The values of columns that may be left out, with their lengths and the member that holds them.
fn columns(
    value: &Map<String, Value>,
    key: &Map<String, Value>,
) -> Option<Vec<(usize, &'static str, String)>> {
    let mut found = Vec::new();
    for member in MEMBERS {
        let Some(columns) = value.get(member).and_then(Value::as_object) else { continue };
        for (column, content) in columns.iter().filter(|(column, _)| !key.contains_key(*column)) {
            let bytes = serde_json::to_vec(content).ok()?.len();
            if bytes > KEPT {
                found.push((bytes, member, column.clone()));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitlog::{Position, SegmentId};

    const LIMIT: usize = 512 << 10;

    fn record<'r>(value: &'r [u8]) -> Record<'r> {
        let position = Position { segment: SegmentId(9), marker: 20, entry: 1, row: 2 };
        Record {
            topic: "p.cdc.k.t",
            partition_hash: 0,
            key: br#"{"id":"k"}"#,
            value: Some(value),
            event_id: "00ff",
            ts_ms: 5,
            position,
        }
    }

    #[test]
    fn the_longest_values_go_and_are_named() {
        let (long, longer) = ("x".repeat(300_000), "y".repeat(900_000));
        let text = serde_json::json!({
            "op": "c", "before": null, "after": {"id": "k", "short": "kept", "long": long, "longer": longer},
            "event_id": "00ff", "source": {"table": "t"},
        })
        .to_string();
        let short: Value =
            serde_json::from_slice(&shortened(&record(text.as_bytes()), LIMIT).unwrap()).unwrap();
        assert_eq!(
            short,
            serde_json::json!({
                "op": "c", "before": null, "after": {"id": "k", "short": "kept"}, "event_id": "00ff",
                "source": {"table": "t"},
                // With their quotes.
                "truncated": [{"column": "longer", "bytes": 900_002}, {"column": "long", "bytes": 300_002}],
            })
        );
    }

    #[test]
    fn what_cannot_be_shortened_is_not() {
        let key = "k".repeat(600_000);
        let text = serde_json::json!({"op": "c", "after": {"id": key}}).to_string();
        assert_eq!(shortened(&record(text.as_bytes()), LIMIT), None, "the key is too long");
        assert_eq!(shortened(&record(b"[1]"), LIMIT), None);
        assert_eq!(shortened(&Record { value: None, ..record(b"") }, LIMIT), None);
    }
}
