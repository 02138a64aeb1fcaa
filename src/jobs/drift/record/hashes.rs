//! Hash events (docs/jobs.md): whole rows by their hashes.

use serde_json::Value;

use super::{Cell, Content, Input, Layout, NoRecord, Place, Read, RowEvent, no_record};

/// Path of the one cell that stands for a row.
const ROW: &str = "(row)";

/// The input of a hash event; None of one of another table.
///
/// # Errors
/// It is no hash event.
pub fn hash_event(value: &Value, layout: &Layout, read: &Read) -> Result<Option<Input>, NoRecord> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| value.get(name).and_then(Value::as_i64);
    let host_id = text("host_id").unwrap_or_default();
    if text("op").as_deref() == Some("m") {
        let (Some(partition), Some(wm_us)) = (number("partition"), number("wm_us")) else {
            return no_record("a heartbeat without partition or wm_us");
        };
        let Ok(partition) = partition.try_into() else { return no_record("partition is no number of one") };
        return Ok(Some(Input::Heartbeat {
            side: read.side,
            partition,
            host_id,
            wm_us,
            ts_ms: read.timestamp_ms,
        }));
    }
    let (Some(table), Some(op), Some(version_us)) = (text("table"), text("op"), number("version_us")) else {
        return no_record("it lacks table, op or version_us");
    };
    if table != layout.table {
        return Ok(None);
    }
    let Some(key) = value.get("key").filter(|key| key.is_object()).map(Value::to_string) else {
        return no_record("key is no object");
    };
    let row_hash = text("row_hash");
    let kind = text("hash_kind").unwrap_or_default();
    let cell = |value| vec![(ROW.to_owned(), Cell { ts_us: version_us, value, expires_at: None })];
    let content = match (kind.as_str(), &row_hash) {
        ("full", Some(hash)) => {
            Content { cells: cell(Some(format!("\"{hash}\""))), is_full: true, ..Content::default() }
        }
        ("tombstone", _) => Content { cells: cell(None), is_full: true, ..Content::default() },
        _ => Content { opaque_us: Some(version_us), ..Content::default() },
    };
    Ok(Some(Input::Event(Box::new(RowEvent {
        side: read.side,
        partition: None,
        host_id,
        partition_key: key.clone(),
        key,
        clustering: None,
        event_id: text("event_id").unwrap_or_default(),
        op,
        version_us,
        logged_us: read.timestamp_ms.saturating_mul(1000).saturating_add(999),
        row_hash,
        hash_def: text("hash_def"),
        content,
        place: Place {
            topic: read.topic.clone(),
            partition: read.partition,
            offset: read.offset,
            file: None,
            pos: None,
        },
    }))))
}
