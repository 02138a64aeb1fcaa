//! The closing summary: text on standard error, JSON in a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use serde_json::{Map, Value, json};

use super::summary_file::SummaryFile;
use crate::agent::damage::damage_json;
use crate::agent::exit::Failure;
use crate::agent::object::Object;
use crate::agent::pipeline::doubt::Doubt;
use crate::agent::pipeline::report::{Limited, Report, Skipped, TableEvents, Undelivered, UnknownMutations};
use crate::agent::pipeline::system_change::Truncated;
use crate::commitlog::{Damage, Position, SegmentId};
use crate::schema::{TableId, TableMap};

/// Lines of a list that the text shows.
const SHOWN: usize = 10;

/// Writes the summary to standard error, unless the replay is quiet, and to its file.
pub(super) fn publish(
    report: &Report,
    took: Duration,
    is_quiet: bool,
    file: Option<SummaryFile>,
) -> Result<(), Failure> {
    if !is_quiet {
        // A closed standard error is no reason to fail.
        let _ = std::io::stderr().lock().write_all(to_text(report, took).as_bytes());
    }
    let Some(file) = file else { return Ok(()) };
    let mut text = serde_json::to_string_pretty(&to_json(report, took)).unwrap_or_default();
    text.push('\n');
    file.write(&text)
}

fn to_json(report: &Report, took: Duration) -> Value {
    let elsewhere = report.parked_elsewhere.iter();
    let elsewhere: Vec<Value> = elsewhere
        .map(|(segment, count)| json!({"segment": any_version(*segment), "mutations": count}))
        .collect();
    let changes = report.schema_changes.iter();
    let changes: Vec<Value> = changes
        .map(|(position, change)| json!({"position": position.to_string(), "change": change}))
        .collect();
    json!({
        "segments": {
            "read": report.segments_read,
            "done_before": report.segments_done_before,
            "damaged": not_read(&report.damaged_segments),
            "unreadable": not_read(&report.unreadable),
        },
        "sections": report.sections,
        "mutations": report.mutations,
        "with_events": report.with_events,
        "skipped": by_reason(&report.skipped),
        "undecodable": report.undecodable,
        "events": events(&report.events),
        "events_left_out": by_reason(&report.left_out),
        "records": report.records,
        "tombstones": report.tombstones,
        "failed": report.is_failed,
        "uncommitted_records": report.uncommitted_records,
        "unknown_tables": unknown_tables(&report.unknown_tables),
        "parked": undelivered(&report.parked),
        "parked_elsewhere": elsewhere,
        "parked_unasked": report.parked_unasked,
        "given_up": undelivered(&report.given_up),
        "lost": {
            "sections": report.lost.sections,
            "bytes": report.lost.bytes,
            "mutations": report.lost.mutations,
            "more_mutations": report.lost.more_mutations,
        },
        "damage": damage(&report.damage),
        "schema_changes": changes,
        "truncated": report.truncated.iter().map(|(position, of)| truncated(*position, of)).collect::<Vec<_>>(),
        "schema_doubtful": schema_doubtful(&report.schema_doubtful),
        "unmarked_bytes": report.unmarked_bytes,
        "bytes": report.bytes,
        "seconds": took.as_secs_f64(),
    })
}

fn truncated(position: Position, of: &Truncated) -> Value {
    json!({
        "position": position.to_string(),
        "table": format!("{}.{}", of.keyspace, of.table),
        "truncated_at_ms": of.noted.extent.map(|extent| extent.at_ms),
    })
}

fn not_read(segments: &[(String, String)]) -> Value {
    segments.iter().map(|(segment, reason)| json!({"segment": segment, "reason": reason})).collect()
}

/// By table, then by operation.
fn events(tables: &TableMap<TableEvents>) -> Map<String, Value> {
    let counts = |table: &TableEvents| -> Map<String, Value> {
        table
            .by_operation
            .iter()
            .map(|(operation, count)| (operation.code().to_owned(), json!(count)))
            .collect()
    };
    tables.values().map(|table| (table.name.clone(), Value::Object(counts(table)))).collect()
}

fn by_reason(counts: &BTreeMap<Skipped, u64>) -> Map<String, Value> {
    counts.iter().map(|(reason, count)| (reason.name().to_owned(), json!(count))).collect()
}

fn unknown_tables(tables: &BTreeMap<TableId, UnknownMutations>) -> Map<String, Value> {
    tables
        .iter()
        .map(|(table, of)| (table.to_string(), json!({"mutations": of.mutations, "bytes": of.bytes})))
        .collect()
}

fn damage(entries: &Limited<(SegmentId, Damage)>) -> Value {
    let listed = entries.listed.iter().map(|(segment, damage)| {
        let mut object = Object::of("damage");
        object.put("segment", segment.0);
        damage_json(object, damage)
    });
    json!({"count": entries.count, "listed": listed.collect::<Vec<Value>>()})
}

/// What a doubtful schema means, and what to do about it.
const DOUBTFUL: &str = "what stands behind such a place is read with the schema known before it: if the schema given \
    is older than the place, new columns and tables park mutations, and renamed columns keep their old names";
const DOUBTFUL_NEXT: &str = "give a schema taken after that place (--schema), and replay once more (--again)";

fn schema_doubtful(doubts: &Limited<Doubt>) -> Value {
    let listed = doubts.listed.iter();
    let listed: Vec<Value> =
        listed.map(|doubt| json!({"from": doubt.from.to_string(), "reason": doubt.reason})).collect();
    let mut object = Object::default();
    object.put("count", doubts.count);
    object.put("listed", listed);
    if doubts.count > 0 {
        object.put("meaning", DOUBTFUL);
        object.put("next", DOUBTFUL_NEXT);
    }
    object.into()
}

/// The file name of a segment. A checkpoint does not say of which version it is.
fn any_version(segment: SegmentId) -> String {
    format!("CommitLog-*-{segment}.log")
}

fn undelivered(entries: &Limited<Undelivered>) -> Value {
    let listed = entries.listed.iter().map(|entry| {
        let mut object = Object::default();
        object.put("position", entry.position.to_string());
        if let Some(table) = &entry.table {
            object.put("table", table.as_str());
        }
        if let Some(bytes) = entry.bytes {
            object.put("bytes", bytes);
        }
        object.put("reason", entry.reason.as_str());
        object.into()
    });
    json!({"count": entries.count, "listed": listed.collect::<Vec<Value>>()})
}

fn to_text(report: &Report, took: Duration) -> String {
    let mut text = String::new();
    let seconds = took.as_secs_f64();
    let _ = writeln!(
        text,
        "replayed {} of {} segment(s), {} section(s), {} mutation(s) in {seconds:.2} s",
        HumanBytes(report.bytes),
        report.segments_read,
        HumanCount(report.sections),
        HumanCount(report.mutations),
    );
    if report.segments_done_before > 0 {
        let _ = writeln!(
            text,
            "done before: {} segment(s); --again writes them once more",
            report.segments_done_before
        );
    }
    if report.is_failed {
        let _ = writeln!(
            text,
            "the replay failed: mutations, events and records are those that were committed before; {} record(s) more \
             were handed over and are not committed",
            HumanCount(report.uncommitted_records)
        );
    }
    let tombstones = match report.tombstones {
        0 => String::new(),
        count => format!(", {} of them tombstones", HumanCount(count)),
    };
    let _ = writeln!(
        text,
        "events: {} of {} mutation(s), records: {}{tombstones}",
        HumanCount(report.event_count()),
        HumanCount(report.with_events),
        HumanCount(report.records)
    );
    let mut tables: Vec<_> = report.events.values().collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    for table in tables {
        let counts: Vec<String> = table
            .by_operation
            .iter()
            .map(|(operation, count)| format!("{} {count}", operation.code()))
            .collect();
        let _ = writeln!(text, "  {}: {}", table.name, counts.join(", "));
    }
    for (reason, count) in &report.skipped {
        let reason = reason.name().replace('_', " ");
        let _ = writeln!(text, "skipped, {reason}: {} mutation(s)", HumanCount(*count));
    }
    for (reason, count) in &report.left_out {
        let reason = reason.name().replace('_', " ");
        let _ = writeln!(text, "left out, {reason}: {} event(s)", HumanCount(*count));
    }
    write_problems(report, &mut text);
    text
}

fn write_problems(report: &Report, text: &mut String) {
    for (table, UnknownMutations { mutations, bytes }) in &report.unknown_tables {
        let _ = writeln!(
            text,
            "unknown table {table}: {mutations} mutation(s), {bytes} byte(s); give a schema that has it, or --allow-unknown"
        );
    }
    write_list(text, "parked", report.parked.count, &report.parked.listed, undelivered_line);
    if report.parked_unfit > 0 {
        let _ = writeln!(
            text,
            "  next: give the schema that was in force there, or --undecodable ledger to go past and lose them"
        );
    }
    if report.parked_unasked > 0 {
        let _ = writeln!(
            text,
            "still parked: {} mutation(s) that the filters and bounds of this replay leave out",
            report.parked_unasked
        );
    }
    for (segment, count) in &report.parked_elsewhere {
        let _ = writeln!(
            text,
            "not tried again: {count} parked mutation(s) of {}; give this segment too, whole",
            any_version(*segment)
        );
    }
    write_list(text, "given up", report.given_up.count, &report.given_up.listed, undelivered_line);
    write_list(text, "damage", report.damage.count, &report.damage.listed, |(segment, damage)| {
        format!("segment {segment}: {damage}")
    });
    for (segment, reason) in report.damaged_segments.iter().chain(&report.unreadable) {
        let _ = writeln!(text, "not read: {segment}: {reason}");
    }
    let lost = &report.lost;
    if lost.bytes > 0 || lost.mutations > 0 || lost.more_mutations {
        let more = if lost.more_mutations { " and more that cannot be counted" } else { "" };
        let _ = writeln!(
            text,
            "LOST: {} section(s), {} byte(s), {} mutation(s){more}",
            lost.sections, lost.bytes, lost.mutations
        );
    }
    let doubts = &report.schema_doubtful;
    write_list(text, "schema doubtful, places", doubts.count, &doubts.listed, |doubt| {
        format!("from {} on: {}", doubt.from, doubt.reason)
    });
    if doubts.count > 0 {
        let _ = writeln!(text, "  {DOUBTFUL}\n  next: {DOUBTFUL_NEXT}");
    }
    for (position, change) in report.schema_changes.iter().take(SHOWN) {
        let _ = writeln!(text, "schema change at {position}: {change}");
    }
    for (position, of) in report.truncated.iter().take(SHOWN) {
        let _ = writeln!(text, "truncated at {position}: {}.{}", of.keyspace, of.table);
    }
}

fn undelivered_line(entry: &Undelivered) -> String {
    match &entry.table {
        Some(table) => format!("{}, {table}: {}", entry.position, entry.reason),
        None => format!("{}: {}", entry.position, entry.reason),
    }
}

fn write_list<T>(text: &mut String, name: &str, count: u64, listed: &[T], line: impl Fn(&T) -> String) {
    if count > 0 {
        let _ = writeln!(text, "{name}: {count}");
    }
    for item in listed.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}", line(item));
    }
    if count > SHOWN as u64 {
        let _ = writeln!(text, "  … and {} more; all of them with --summary FILE", count - SHOWN as u64);
    }
}
