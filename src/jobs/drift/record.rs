//! Records of profile `flat`, hash events and control records → inputs of the state machine.

mod columns;
mod control;
mod hashes;
#[cfg(test)]
mod tests;
mod timestamps;

use serde_json::{Map, Value};

use super::cell::{self, Cell};
use super::event::{Content, Input, Place, RowEvent, Side};
use super::order::KeyOrder;
use super::range::{Bound, RangeDeletion};

pub use control::{control, dead_letter, is_truncation};
pub use hashes::hash_event;

/// What a table's records hold, by its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `keyspace.table`
    pub table: String,
    /// Columns of the primary key in their order.
    pub key: Vec<String>,
    /// How many of them are the partition key.
    pub partition_key: usize,
    /// The other columns with their CQL types.
    pub columns: Vec<(String, String)>,
    /// The column that holds the version, and how many microseconds are one of it; None: the write time.
    pub version: Option<(String, i64)>,
    /// Order of the clustering columns.
    pub clustering: Vec<KeyOrder>,
    /// Columns of type timestamp, of the key and others.
    pub timestamps: Vec<String>,
}

/// Where a record was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Of which side.
    pub side: Side,
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Kafka timestamp, milliseconds.
    pub timestamp_ms: i64,
}

/// Why a record is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoRecord(pub(super) String);

pub(super) fn no_record<T>(what: impl Into<String>) -> Result<T, NoRecord> {
    Err(NoRecord(what.into()))
}

/// The input of a record of the agents. None of what says nothing about rows.
///
/// # Errors
/// It is no record of this table in profile `flat`, or lacks times (`cells = none` leaves them out: then those of the
/// event count).
pub fn change(value: &Value, layout: &Layout, read: &Read) -> Result<Option<Input>, NoRecord> {
    let source = value.get("source").and_then(Value::as_object);
    let Some(source) = source else { return no_record("it has no source") };
    let op = value.get("op").and_then(Value::as_str).unwrap_or_default();
    let host_id = source.get("host_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(ts_ms) = value.get("ts_ms").and_then(Value::as_i64) else { return no_record("it has no ts_ms") };
    if op == "m" {
        let Some(wm_us) = value.get("wm_us").and_then(Value::as_i64) else {
            return no_record("a heartbeat without wm_us");
        };
        let (side, partition) = (read.side, read.partition);
        // It points at the table's creation.
        let is_beginning = source.get("file").is_some_and(Value::is_string);
        if let Some(created_us) = source.get("ts_us").and_then(Value::as_i64).filter(|_| is_beginning) {
            return Ok(Some(Input::Beginning { side, partition, host_id, created_us }));
        }
        return Ok(Some(Input::Heartbeat { side, partition, host_id, wm_us, ts_ms }));
    }
    let is_row = matches!(op, "c" | "u" | "r");
    let row = value.get(if is_row { "after" } else { "before" }).and_then(Value::as_object);
    let Some(row) = row.filter(|_| is_row || matches!(op, "d" | "rt")) else {
        return no_record("it has no op of profile flat, or neither after nor before");
    };
    let row = &*layout.in_numbers(row);
    let ts_us = source.get("ts_us").and_then(Value::as_i64);
    let Some(ts_us) = ts_us.or_else(|| (op == "r").then_some(i64::MIN)) else {
        return no_record("source.ts_us is missing");
    };
    let key = Key::of(row, layout)?;
    let mut content = match op {
        "d" => Content { row_deletion_us: Some(ts_us), is_full: true, ..Content::default() },
        "rt" => Content { range: Some(range(value, layout, ts_us)?), ..Content::default() },
        _ => columns::content(value, row, layout, ts_us)?,
    };
    let version_us = version(row, layout).filter(|_| is_row).unwrap_or(ts_us);
    shift(&mut content, version_us.saturating_sub(ts_us));
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Input::Event(Box::new(RowEvent {
        side: read.side,
        partition: Some(read.partition),
        host_id,
        partition_key: key.partition,
        key: key.whole,
        clustering: key.clustering,
        event_id: text("event_id").unwrap_or_default(),
        op: op.to_owned(),
        version_us,
        logged_us: ts_ms.saturating_mul(1000).saturating_add(999),
        row_hash: text("row_hash"),
        hash_def: text("hash_def"),
        content,
        place: Place {
            topic: read.topic.clone(),
            partition: read.partition,
            offset: read.offset,
            file: source.get("file").and_then(Value::as_str).map(str::to_owned),
            // As the operator on Flink reads it: no file is longer.
            pos: source.get("pos").and_then(Value::as_i64).and_then(|pos| pos.try_into().ok()),
        },
    }))))
}

/// The keys of a record.
struct Key {
    partition: String,
    whole: String,
    clustering: Option<Vec<Value>>,
}

impl Key {
    fn of(row: &Map<String, Value>, layout: &Layout) -> Result<Self, NoRecord> {
        let text = |names: &[String]| {
            let columns = names.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone())));
            let columns: Map<String, Value> = columns.collect();
            (columns.len() == names.len()).then(|| Value::Object(columns).to_string())
        };
        let (partition_key, clustering) =
            layout.key.split_at_checked(layout.partition_key).unwrap_or((&layout.key, &[]));
        let Some(partition) = text(partition_key) else {
            return no_record(format!(
                "it lacks columns of the partition key ({})",
                partition_key.join(", ")
            ));
        };
        Ok(match text(&layout.key) {
            Some(whole) if !clustering.is_empty() => {
                let values = clustering.iter().filter_map(|name| row.get(name).cloned()).collect();
                Self { partition, whole, clustering: Some(values) }
            }
            _ => Self { whole: partition.clone(), partition, clustering: None },
        })
    }
}

fn range(value: &Value, layout: &Layout, ts_us: i64) -> Result<RangeDeletion, NoRecord> {
    let Some(range) = value.get("range").and_then(Value::as_object) else {
        return no_record("op rt without a range");
    };
    let clustering = layout.key.get(layout.partition_key..).unwrap_or_default();
    let bound = |name: &str| match range.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(bound) => {
            let values = bound.get("values").and_then(Value::as_object);
            let inclusive = bound.get("inclusive").and_then(Value::as_bool);
            let (Some(values), Some(inclusive)) = (values, inclusive) else {
                return no_record(format!("range.{name} is no bound"));
            };
            let values = layout.in_numbers(values);
            let values = clustering.iter().map_while(|name| values.get(name).cloned()).collect();
            Ok(Some(Bound { values, inclusive }))
        }
    };
    Ok(RangeDeletion { start: bound("start")?, end: bound("end")?, ts_us })
}

/// The version that the row itself carries, microseconds.
fn version(row: &Map<String, Value>, layout: &Layout) -> Option<i64> {
    let (column, unit_us) = layout.version.as_ref()?;
    row.get(column)?.as_i64()?.checked_mul(*unit_us)
}

/// Moves all times so that the newest is the version: data centres that are written by themselves may write the same
/// version at two times.
fn shift(content: &mut Content, by_us: i64) {
    if by_us == 0 {
        return;
    }
    for (_, cell) in &mut content.cells {
        cell.ts_us = cell.ts_us.saturating_add(by_us);
    }
    content.opaque_us = content.opaque_us.map(|ts_us| ts_us.saturating_add(by_us));
}
