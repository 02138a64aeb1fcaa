//! A status for a terminal.

use std::fmt::Write;
use std::time::Duration;

use crate::telemetry::{Status, size, time};

/// Tables, segments and entries that are shown; JSON has them all.
const SHOWN: usize = 10;

/// The status as text of some lines, without colours.
#[must_use]
pub fn terminal(status: &Status) -> String {
    let mut out = String::new();
    let who = &status.identity;
    // Writing to a String does not fail.
    _ = writeln!(out, "{}", clean(&status.headline.text));
    for reason in status.reasons.iter().skip(1) {
        _ = writeln!(out, "{}", clean(&reason.text));
    }
    _ = writeln!(out, "\nAgent     {} {} of {} in {}", who.version, who.prefix, who.host_id, who.dc);
    _ = writeln!(out, "Reads     {} ({})", clean(&who.cdc_raw), who.visibility);
    _ = writeln!(out, "Writes    {} ({})", clean(&who.out), who.delivery);
    _ = writeln!(out, "Behind    {}", behind(status));
    let commits = &status.commits;
    _ = writeln!(out, "Events    {:.1}/s, {} since the start", commits.events_per_s, commits.events);
    if let Some(last) = commits.last_us {
        let took = commits.last_took_ms.unwrap_or_default();
        _ = writeln!(out, "Commit    {} ago, took {took:.1} ms", ago(status, last));
    }
    if let Some(watermark) = status.watermark_us {
        _ = writeln!(out, "Watermark {} ago", ago(status, watermark));
    }
    directory(&mut out, status);
    lists(&mut out, status);
    out
}

fn ago(status: &Status, us: u64) -> String {
    time(Duration::from_micros(status.at_us.saturating_sub(us)))
}

fn behind(status: &Status) -> String {
    let lag = &status.lag;
    let seconds = match lag.seconds {
        None => "not known yet".to_owned(),
        Some(seconds) if seconds <= 0.0 => "nothing".to_owned(),
        Some(seconds) => Duration::try_from_secs_f64(seconds).map_or_else(|_| "long".to_owned(), time),
    };
    format!("{seconds}; {} unread, {} records uncommitted", size(lag.unread_bytes), lag.uncommitted_records)
}

fn directory(out: &mut String, status: &Status) {
    let counted: Vec<_> = status
        .segment_counts
        .iter()
        .filter(|(_, number)| **number > 0)
        .map(|(state, number)| format!("{number} {}", state.word()))
        .collect();
    _ = writeln!(
        out,
        "Segments  {}",
        if counted.is_empty() { "none".to_owned() } else { counted.join(", ") }
    );
    if let Some(usage) = status.directory {
        let full = match usage.full_in_s {
            Some(0) => "; FULL".to_owned(),
            Some(seconds) => format!("; full in {}", time(Duration::from_secs(seconds))),
            None => String::new(),
        };
        let spool =
            usage.spool_bytes.map_or_else(String::new, |bytes| format!("; {} in the spool", size(bytes)));
        _ = writeln!(out, "cdc_raw   {} of {}{full}{spool}", size(usage.used_bytes), size(usage.limit_bytes));
    }
    if let Some(kafka) = &status.kafka {
        let is = match kafka.is_reachable {
            Some(true) => "answers",
            Some(false) => "does not answer",
            None => "not asked yet",
        };
        _ = writeln!(
            out,
            "Kafka     {is}; {} records not acknowledged; {} transactions, {} aborted, {} indeterminate",
            kafka.queue_records, kafka.transactions, kafka.aborts, kafka.indeterminate
        );
    }
    for snapshot in &status.snapshots {
        let done = snapshot.percent.map(|percent| format!(", {percent:.1} %")).unwrap_or_default();
        let (table, state) = (clean(&snapshot.table), snapshot.state.replace('_', " "));
        _ = writeln!(out, "Snapshot  {table}: {state}, {} rows{done}", snapshot.rows);
    }
    if let Some(schema) = &status.schema {
        _ = writeln!(out, "Schema    {} tables, {} published", schema.tables_known, schema.tables_wanted);
    }
}

fn lists(out: &mut String, status: &Status) {
    if !status.tables.is_empty() {
        _ = writeln!(out, "\n{:<40} {:>12} {:>12}", "Table", "events/s", "events");
    }
    for table in status.tables.iter().take(SHOWN) {
        _ = writeln!(out, "{:<40} {:>12.1} {:>12}", clean(&table.table), table.events_per_s, table.events);
    }
    rest(out, status.tables.len());
    if status.parked_mutations > 0 || !status.ledger_counts.is_empty() {
        _ = writeln!(out, "\nLosses and what waits");
        _ = writeln!(
            out,
            "{} parked mutations in {} partitions",
            status.parked_mutations, status.parked_partitions
        );
    }
    for (kind, counted) in &status.ledger_counts {
        _ = writeln!(out, "{} {}, {}", counted.entries, kind.word(), size(counted.bytes));
    }
    for line in status.ledger.iter().take(SHOWN) {
        let entry = &line.entry;
        let said = format!("{} at {}: {}", entry.kind.word(), entry.place, entry.reason);
        _ = writeln!(out, "  {} ago  {}", ago(status, line.at_us), clean(&said));
    }
    if !status.errors.is_empty() {
        _ = writeln!(out, "\nLast errors");
    }
    for line in status.errors.iter().take(SHOWN) {
        _ = writeln!(out, "  {} ago, {} times  {}", ago(status, line.at_us), line.times, clean(&line.text));
    }
}

fn rest(out: &mut String, all: usize) {
    if all > SHOWN {
        _ = writeln!(out, "and {} more: --json has them", all - SHOWN);
    }
}

/// Names and paths come from others: nothing in them is to reach the terminal as a command.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}
