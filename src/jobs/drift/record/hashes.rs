//! Hash events (docs/jobs.md): whole rows by their hashes.

use serde_json::Value;

use super::{Cell, Content, Input, Layout, NoRecord, Place, Read, RowEvent, no_record};
use crate::jobs::drift::event::UNVERSIONED;

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
        let Some(partition) = i32::try_from(partition).ok().filter(|number| *number >= 0) else {
            return no_record("partition is no number of one");
        };
        if let Some(created_us) = number("created_us") {
            return Ok(Some(Input::Beginning { side: read.side, partition, host_id, created_us }));
        }
        return Ok(Some(Input::Heartbeat {
            side: read.side,
            partition,
            host_id,
            wm_us,
            ts_ms: read.timestamp_ms,
        }));
    }
    let (Some(table), Some(op), Some(version)) = (text("table"), text("op"), value.get("version_us")) else {
        return no_record("it lacks table, op or version_us");
    };
    if table != layout.table {
        return Ok(None);
    }
    let version_us = version.as_i64();
    if version_us.is_none() && !version.is_null() {
        return no_record("version_us is no number");
    }
    let Some(key) = value.get("key").and_then(Value::as_object) else {
        return no_record("key is no object");
    };
    let key = Value::Object(layout.in_numbers(key).into_owned()).to_string();
    let row_hash = text("row_hash");
    let kind = text("hash_kind").unwrap_or_default();
    let whole = |ts_us, value| Content {
        cells: vec![(ROW.to_owned(), Cell { ts_us, value, expires_at: None })],
        is_full: true,
        ..Content::default()
    };
    let content = match (version_us, kind.as_str(), &row_hash) {
        (Some(ts_us), "full", Some(hash)) => whole(ts_us, Some(format!("\"{hash}\""))),
        (Some(ts_us), "tombstone", _) => whole(ts_us, None),
        // An update of a part of a row, which may not carry the column of the version either.
        _ => Content { opaque_us: Some(version_us.unwrap_or(UNVERSIONED)), ..Content::default() },
    };
    let logged_us = read.timestamp_ms.saturating_mul(1000).saturating_add(999);
    Ok(Some(Input::Event(Box::new(RowEvent {
        side: read.side,
        partition: None,
        host_id,
        partition_key: key.clone(),
        key,
        clustering: None,
        event_id: text("event_id").unwrap_or_default(),
        op,
        version_us: version_us.unwrap_or(logged_us),
        logged_us,
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
