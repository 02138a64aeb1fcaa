//! The demo on the terminal: each statement, and what became of it.

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::bundle::Place;
use super::record::Shown;

const STATEMENT: Style = AnsiColor::Cyan.on_default().bold();
const OPERATION: Style = AnsiColor::Green.on_default().bold();
const LABEL: Style = Style::new().dimmed();

/// Fields of a record's value that tell statements apart; the others are much the same in every record.
const TELLING: [&str; 5] = ["after", "patch", "range", "liveness", "cells"];

pub(super) fn statement(
    out: &mut impl Write,
    number: usize,
    text: &str,
    records: &[Shown],
) -> io::Result<()> {
    writeln!(out, "{STATEMENT}{number:>2}  {}{STATEMENT:#}", text.trim_end_matches(';'))?;
    for record in records {
        let op = record.op();
        writeln!(out, "    {OPERATION}{op:<2}{OPERATION:#}  {}", meaning(record))?;
        field(out, "key", record.line.get("key"))?;
        for name in TELLING {
            field(out, name, record.field(name))?;
        }
    }
    writeln!(out)
}

fn field(out: &mut impl Write, name: &str, value: Option<&Value>) -> io::Result<()> {
    let Some(value) = value else { return Ok(()) };
    writeln!(out, "        {LABEL}{name:<9}{LABEL:#}{value}")
}

/// What a record says, in words.
fn meaning(record: &Shown) -> &'static str {
    let is_open =
        |end: &str| record.field("range").and_then(|range| range.get(end)).is_none_or(Value::is_null);
    match record.op() {
        "c" => "a row, inserted",
        "u" if record.field("patch").is_some() => "a row, updated; a collection in part",
        "u" => "a row, updated",
        "d" => "a row, deleted",
        "rt" if is_open("start") && is_open("end") => "a whole partition, deleted",
        "rt" => "a range of rows, deleted",
        _ => "",
    }
}

/// One record with all its fields.
pub(super) fn whole_record(out: &mut impl Write, number: usize, record: &Shown) -> io::Result<()> {
    writeln!(out, "{STATEMENT}The record of statement {number} as it stands in the log{STATEMENT:#}")?;
    let pretty = serde_json::to_string_pretty(&record.line)?;
    for line in pretty.lines() {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)
}

pub(super) fn summary(out: &mut impl Write, statements: usize, records: &[Shown]) -> io::Result<()> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for record in records {
        match counts.iter_mut().find(|(op, _)| *op == record.op()) {
            Some((_, count)) => *count += 1,
            None => counts.push((record.op(), 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(op, count)| format!("{op} {count}")).collect();
    writeln!(out, "{STATEMENT}Summary{STATEMENT:#}")?;
    writeln!(out, "    {statements} statements, {} records: {}", records.len(), counts.join(", "))?;
    if let Some(record) = records.first() {
        writeln!(out, "    topic {}", record.topic)?;
    }
    writeln!(out)
}

/// Commands to try on what the demo left behind.
pub(super) fn next_steps(
    out: &mut impl Write,
    program: &str,
    place: &Place,
    records: &[Shown],
) -> io::Result<()> {
    let (segment, schema, log) = (quoted(&place.segment), quoted(&place.schema), quoted(&place.log));
    writeln!(out, "{STATEMENT}Where to look next{STATEMENT:#}")?;
    let mut step = |what: &str, command: String| {
        writeln!(out, "    {LABEL}{what}{LABEL:#}")?;
        writeln!(out, "      {command}")
    };
    if let Some(record) = records.first() {
        step("the records, one JSON object a line", format!("cat {log}/{}/0/*.jsonl", record.topic))?;
    }
    step("the segment they came from", format!("{program} inspect {segment} --schema {schema} --values"))?;
    if let Some(position) = records.first().and_then(Shown::position) {
        step(
            "the first statement, byte by byte",
            format!("{program} inspect {segment} --schema {schema} --values --at {position}"),
        )?;
    }
    step("is it whole?", format!("{program} verify {segment} --schema {schema}"))?;
    step(
        "the same segment in the shape of Debezium's connector",
        format!("{program} replay {segment} --schema {schema} --profile debezium-cassandra"),
    )?;
    step("your own segments", format!("{program} replay --help"))
}

/// A path for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
