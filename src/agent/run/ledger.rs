//! What is lost, waits or is doubtful, in words for the log and in records of the control topic. Never values.

use serde_json::{Value, json};

use crate::agent::log;
use crate::agent::pipeline::report::{Limited, Report, Undelivered};
use crate::agent::pipeline::system_change::Truncated;
use crate::commitlog::Position;

/// The control records for a report: their type and particulars.
pub(super) fn entries(report: &Report) -> Vec<(&'static str, Value)> {
    let mut entries = Vec::new();
    for (segment, damage) in &report.damage.listed {
        let what = json!({
            "segment": segment.to_string(),
            "kind": damage.kind.to_string(),
            "offset": damage.offset,
            "lost_bytes": damage.lost_bytes,
            "lost_mutations": damage.lost_mutations,
            "reason": damage.reason,
        });
        entries.push(("damage", what));
    }
    for (file, reason) in &report.damaged_segments {
        entries.push(("damaged_segment", json!({"file": file, "reason": reason})));
    }
    undelivered("parked", &report.parked, &mut entries);
    undelivered("given_up", &report.given_up, &mut entries);
    for (table, unknown) in &report.unknown_tables {
        let what =
            json!({"table_id": table.to_string(), "mutations": unknown.mutations, "bytes": unknown.bytes});
        entries.push(("unknown_table", what));
    }
    for (position, change) in &report.schema_changes {
        entries.push(("schema_change", json!({"position": position.to_string(), "change": change})));
    }
    for (position, truncated) in &report.truncated {
        entries.push(("truncate", truncate(*position, truncated)));
    }
    for doubt in &report.schema_doubtful.listed {
        entries
            .push(("schema_doubtful", json!({"position": doubt.from.to_string(), "reason": doubt.reason})));
    }
    entries
}

fn truncate(position: Position, truncated: &Truncated) -> Value {
    let extent = truncated.noted.extent;
    json!({
        "position": position.to_string(),
        "keyspace": truncated.keyspace,
        "table": truncated.table,
        "table_id": truncated.noted.table.to_string(),
        "truncated_at_ms": extent.map(|extent| extent.at_ms),
        "log_segment": extent.map(|extent| extent.segment.to_string()),
        "log_offset": extent.map(|extent| extent.offset),
    })
}

fn undelivered(kind: &'static str, list: &Limited<Undelivered>, entries: &mut Vec<(&'static str, Value)>) {
    for entry in &list.listed {
        let what = json!({
            "position": entry.position.to_string(),
            "table": entry.table,
            "bytes": entry.bytes,
            "reason": entry.reason,
        });
        entries.push((kind, what));
    }
    let unlisted = list.count - list.listed.len() as u64;
    if unlisted > 0 {
        entries.push((kind, json!({"count": unlisted, "reason": "too many to be listed one by one"})));
    }
}

/// More lines of one kind are not said for one commit.
const SAID: usize = 5;

/// Says in the log what a commit told of.
pub(super) fn say(report: &Report) {
    for (segment, damage) in report.damage.listed.iter().take(SAID) {
        let lost = damage.lost_mutations.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
        log::error(&format!(
            "segment {segment} is damaged at {}: {} ({} bytes, mutations lost: {lost})",
            damage.offset, damage.kind, damage.lost_bytes
        ));
    }
    for (file, reason) in &report.damaged_segments {
        log::error(&format!("{file} cannot be read, and all of it is lost: {reason}"));
    }
    let place = |entry: &Undelivered| {
        let table = entry.table.as_deref().unwrap_or("-");
        format!("{} ({table}): {}", entry.position, entry.reason)
    };
    for entry in report.parked.listed.iter().take(SAID) {
        log::warn(&format!("parked: {}", place(entry)));
    }
    for entry in report.given_up.listed.iter().take(SAID) {
        log::error(&format!("lost: {}", place(entry)));
    }
    for (table, unknown) in &report.unknown_tables {
        log::warn(&format!("{} mutations of table id {table}, which no schema has", unknown.mutations));
    }
    for (position, truncated) in &report.truncated {
        let Truncated { keyspace, table, .. } = truncated;
        log::warn(&format!(
            "{keyspace}.{table} was truncated, as the log says at {position}: a truncation has no events"
        ));
    }
    for doubt in report.schema_doubtful.listed.iter().take(SAID) {
        log::warn(&format!("the schema is doubtful from {} on: {}", doubt.from, doubt.reason));
    }
}
