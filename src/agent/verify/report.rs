//! What `verify` says about a segment, as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::survey::Survey;
use crate::agent::damage::damage_json;
use crate::agent::exit::Exit;
use crate::agent::input::body_name;
use crate::agent::object::Object;
use crate::commitlog::{Damage, Descriptor, Index};

/// How a segment turned out.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Read from end to end.
    Read(Descriptor, Survey),
    /// Created and never written.
    Blank,
    /// Its head is damaged, so nothing of it could be read.
    HeadDamaged(Damage, String),
    /// Not a segment, an unsupported version, no key: why.
    Unreadable(String),
}

/// A segment and how it turned out.
#[derive(Debug)]
pub(super) struct Report {
    /// File name.
    pub(super) segment: String,
    /// Length of the file.
    pub(super) file_bytes: u64,
    /// What the index beside it says.
    pub(super) index: Index,
    /// Why the index beside it cannot be used.
    pub(super) index_problem: Option<String>,
    /// What is wrong with the file's name or head, although the rest could be read.
    pub(super) mismatch: Option<Damage>,
    /// How it turned out.
    pub(super) outcome: Outcome,
}

impl Report {
    /// Of a file that cannot be read.
    pub(super) fn unreadable(segment: String, why: String) -> Self {
        Self {
            segment,
            file_bytes: 0,
            index: Index::Absent,
            index_problem: None,
            mismatch: None,
            outcome: Outcome::Unreadable(why),
        }
    }

    /// The exit code that this segment asks for.
    pub(super) fn exit(&self) -> Exit {
        match &self.outcome {
            Outcome::Unreadable(_) => Exit::Unreadable,
            Outcome::HeadDamaged(..) => Exit::Damaged,
            Outcome::Read(..) | Outcome::Blank if self.damage().next().is_some() => Exit::Damaged,
            Outcome::Read(..) | Outcome::Blank => Exit::Ok,
        }
    }

    /// All damage of the segment.
    pub(super) fn damage(&self) -> impl Iterator<Item = &Damage> {
        let (one, many) = match &self.outcome {
            Outcome::Read(_, survey) => (None, survey.damage.as_slice()),
            Outcome::HeadDamaged(damage, _) => (Some(damage), &[][..]),
            Outcome::Blank | Outcome::Unreadable(_) => (None, &[][..]),
        };
        self.mismatch.iter().chain(one).chain(many)
    }

    /// Writes the report as text.
    pub(super) fn write_text(&self, out: &mut impl Write, has_schema: bool) -> io::Result<()> {
        writeln!(out, "{}: {}", self.segment, outcome_word(self.exit()))?;
        match &self.outcome {
            Outcome::Read(descriptor, survey) => {
                writeln!(
                    out,
                    "  version {}, {}, {} bytes",
                    descriptor.version,
                    body_name(&descriptor.body),
                    self.file_bytes
                )?;
                write_survey(out, survey, has_schema)?;
            }
            Outcome::Blank => writeln!(out, "  created and never written: {} zero bytes", self.file_bytes)?,
            Outcome::HeadDamaged(_, why) | Outcome::Unreadable(why) => writeln!(out, "  {why}")?,
        }
        if let Some(problem) = &self.index_problem {
            writeln!(out, "  {problem}")?;
        }
        for damage in self.damage() {
            writeln!(out, "  damage: {damage}; mutations lost: {}", known(damage.lost_mutations))?;
        }
        Ok(())
    }

    fn index_json(&self) -> Value {
        match (self.index, &self.index_problem) {
            (Index::Completed(end), _) => json!({"state": "completed", "end": end}),
            (Index::Synced(end), _) => json!({"state": "synced", "end": end}),
            (Index::Absent, Some(problem)) => json!({"state": "unusable", "reason": problem}),
            (Index::Absent, None) => json!({"state": "absent"}),
        }
    }

    /// The report as one JSON object.
    pub(super) fn to_json(&self) -> Value {
        let mut json = Object::of("segment");
        json.put("segment", self.segment.as_str());
        json.put("outcome", outcome_word(self.exit()));
        json.put("file_bytes", self.file_bytes);
        json.put("index", self.index_json());
        match &self.outcome {
            Outcome::Read(descriptor, survey) => {
                json.put("version", descriptor.version);
                json.put("id", descriptor.id.0);
                json.put("body", body_name(&descriptor.body));
                add_survey(&mut json, survey);
            }
            Outcome::Blank => json.put("blank", true),
            Outcome::HeadDamaged(_, why) | Outcome::Unreadable(why) => json.put("reason", why.as_str()),
        }
        let damage = self.damage().map(|damage| damage_json(Object::default(), damage));
        json.put("damage", damage.collect::<Value>());
        json.into()
    }
}

pub(super) fn outcome_word(exit: Exit) -> &'static str {
    match exit {
        Exit::Ok => "clean",
        Exit::Damaged => "damaged",
        _ => "unreadable",
    }
}

fn known(number: Option<u64>) -> String {
    number.map_or_else(|| "unknown".to_owned(), |number| number.to_string())
}

fn write_survey(out: &mut impl Write, survey: &Survey, has_schema: bool) -> io::Result<()> {
    writeln!(
        out,
        "  good: sections {}, mutations {}, bytes {}",
        survey.sections, survey.mutations, survey.good_bytes
    )?;
    let lost_bytes = survey.lost_bytes();
    if survey.sections_lost > 0 || lost_bytes > 0 {
        writeln!(out, "  lost: sections {}, bytes {lost_bytes}", survey.sections_lost)?;
    }
    if survey.unmarked_bytes > 0 {
        writeln!(
            out,
            "  {} bytes stand behind the last marker: written, never synced",
            survey.unmarked_bytes
        )?;
    }
    let Some(decoded) = survey.decoded else {
        return writeln!(out, "  not decoded: of versions before 6 only framing and checksums are read");
    };
    let unknown: u64 = survey.unknown.values().sum();
    writeln!(out, "  decoded: mutations {decoded}")?;
    if unknown > 0 && has_schema {
        writeln!(out, "  not decoded: mutations {unknown}, of tables that are not in the schema as logged")?;
        for (table, mutations) in &survey.unknown {
            writeln!(out, "    table {table}: mutations {mutations}")?;
        }
    } else if unknown > 0 {
        let tables = survey.unknown.len();
        writeln!(
            out,
            "  not decoded: mutations {unknown} of {tables} tables; give their schema with --schema FILE"
        )?;
    }
    Ok(())
}

fn add_survey(json: &mut Object, survey: &Survey) {
    let (lost_mutations, all_known) = survey.lost_mutations();
    json.put("sections", survey.sections);
    json.put("sections_lost", survey.sections_lost);
    json.put("mutations", survey.mutations);
    json.put("good_bytes", survey.good_bytes);
    json.put("lost_bytes", survey.lost_bytes());
    json.put("lost_mutations", lost_mutations);
    json.put("lost_mutations_all_known", all_known);
    json.put("unmarked_bytes", survey.unmarked_bytes);
    json.put("decoded", survey.decoded);
    let unknown = survey.unknown.iter();
    let unknown = unknown.map(|(table, mutations)| (table.to_string(), Value::from(*mutations)));
    json.put("unknown_tables", unknown.collect::<Value>());
}
