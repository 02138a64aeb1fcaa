//! First part: a segment becomes records; each statement beside what came of it.

use std::io;

use serde_json::Value;

use super::bundle::{self, Place, Side};
use super::page::Page;
use super::program::{Names, Words};
use super::record::{self, Shown};
use crate::agent::exit::{Exit, Failure};

/// Number of the statement whose record is shown in full: the one with a TTL.
const IN_FULL: usize = 4;

/// Fields of a record's value that tell statements apart; the others are much the same in every record.
const TELLING: [&str; 5] = ["after", "patch", "range", "liveness", "cells"];

/// What was captured.
pub(super) struct Captured {
    words: Words,
    records: Vec<Shown>,
}

/// Makes the file log of a side; by which words.
pub(super) fn replay(place: &Place, side: &Side) -> Result<Words, Failure> {
    let words = Words::new("replay").path(&side.segment).and("--schema").path(&place.schema);
    let words = words.and("--row-hash v1 --prefix").and(side.name).and("--out").path(&side.log);
    match words.replay()? {
        Exit::Ok => Ok(words),
        exit => Err(Failure::new(exit, "the demo's segment is not what it was")),
    }
}

/// Replays the segment of the first side.
pub(super) fn run(place: &Place) -> Result<Captured, Failure> {
    let words = replay(place, &place.onprem)?;
    Ok(Captured { records: record::read(&place.onprem.log, record::TOPIC)?, words })
}

impl Captured {
    pub(super) fn first_position(&self) -> Option<String> {
        self.records.first().and_then(Shown::position)
    }

    pub(super) fn show(&self, page: &mut Page<'_>, names: &Names, place: &Place) -> io::Result<()> {
        let segment = place.onprem.segment.file_name().unwrap_or_default().to_string_lossy();
        page.line(&format!("{segment}: written by a Cassandra 4.1 node, carried in this program."))?;
        page.line("Each statement that was executed there, and the records that come of it:\n")?;
        let mut statements = 0;
        let mut in_full = None;
        for (number, (text, records)) in
            (1..).zip(bundle::statements().zip(record::by_mutation(&self.records)))
        {
            statement(page, number, text, records)?;
            if number == IN_FULL {
                in_full = records.first();
            }
            statements = number;
        }
        if let Some(record) = in_full {
            whole_record(page, IN_FULL, record)?;
        }
        self.summary(page, names, statements)
    }

    fn summary(&self, page: &mut Page<'_>, names: &Names, statements: usize) -> io::Result<()> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for record in &self.records {
            match counts.iter_mut().find(|(op, _)| *op == record.op()) {
                Some((_, count)) => *count += 1,
                None => counts.push((record.op(), 1)),
            }
        }
        let counts: Vec<String> = counts.iter().map(|(op, count)| format!("{op} {count}")).collect();
        page.heading("Summary")?;
        let records = self.records.len();
        page.line(&format!("    {statements} statements, {records} records: {}", counts.join(", ")))?;
        page.line(&format!("    topic {}", record::TOPIC))?;
        page.command("with your segments and schema", &self.words.shown(&names.agent))?;
        page.end()
    }
}

fn statement(page: &mut Page<'_>, number: usize, text: &str, records: &[Shown]) -> io::Result<()> {
    page.heading(&format!("{number:>2}  {}", text.trim_end_matches(';')))?;
    for record in records {
        page.told(record.op(), meaning(record))?;
        page.value("key", Some(record.key()))?;
        for name in TELLING {
            page.value(name, record.field(name))?;
        }
    }
    page.end()
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
fn whole_record(page: &mut Page<'_>, number: usize, record: &Shown) -> io::Result<()> {
    page.heading(&format!("The record of statement {number} as it stands in the log"))?;
    let pretty = serde_json::to_string_pretty(&record.0)?;
    for line in pretty.lines() {
        page.line(&format!("    {line}"))?;
    }
    page.end()
}
