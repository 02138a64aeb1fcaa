//! Control records (docs/delivery.md, 5): where the promise of a stream ends.

use serde_json::Value;

use super::{Input, Read};
use crate::jobs::drift::event::GapKind;

/// Whether a control record tells that a node truncated this table (`keyspace.table`): what it held before is gone.
#[must_use]
pub fn is_truncation(value: &Value, table: &str) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    text("type") == "truncate" && format!("{}.{}", text("keyspace"), text("table")) == table
}

/// The gap that a control record tells of; None of every other one.
#[must_use]
pub fn control(value: &Value, read: &Read) -> Option<Input> {
    let kind = match value.get("type")?.as_str()? {
        "gap" | "damage" | "damaged_segment" | "given_up" => GapKind::Lost,
        "forgotten" => GapKind::Forgotten,
        _ => return None,
    };
    let host_id = value.get("host_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let ts_ms = value.get("ts_ms").and_then(Value::as_i64).unwrap_or(read.timestamp_ms);
    Some(Input::Gap { side: read.side, host_id, ts_ms, kind })
}
