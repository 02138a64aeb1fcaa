//! `verify`: framing, checksums and decode of segments, with a ledger of what is damaged and where.

mod report;
mod survey;

use std::io::{self, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::exit::{Exit, Failure};
use super::head::Head;
use super::index;
use super::input::{SegmentFile, segment_files};
use super::keys::{Keys, reason};
use super::output;
use crate::cli::VerifyArgs;
use crate::commitlog::Segment;
use crate::commitlog::map::SegmentBytes;
use crate::config::Names;
use crate::schema::Schema;
use report::{Outcome, Report, outcome_word};

/// `cdc-agent verify`.
///
/// # Errors
/// No segment is given, the schema or a key cannot be read, or standard output cannot be written. Damage and segments
/// that cannot be read are no error: the exit code tells.
pub fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let files = segment_files(&args.paths)?;
    let schema = super::input::schema(args.schema.as_deref())?;
    let keys = Keys::open(&args.keys, &Names::default())?;
    let progress = progress(&files, args.no_progress);
    let mut out = io::BufWriter::new(output::stdout()?);
    let mut totals = Totals::default();
    for file in &files {
        progress.set_message(file.label());
        let report = verify_file(file, &schema, &keys);
        progress.inc(report.file_bytes);
        totals.add(&report);
        let written = progress.suspend(|| {
            if args.json {
                writeln!(out, "{}", report.to_json())?;
            } else {
                report.write_text(&mut out, args.schema.is_some())?;
            }
            out.flush()
        });
        written.map_err(Failure::stdout)?;
    }
    progress.finish_and_clear();
    if args.json {
        writeln!(out, "{}", totals.to_json()).map_err(Failure::stdout)?;
    } else if files.len() > 1 {
        totals.write_text(&mut out).map_err(Failure::stdout)?;
    }
    out.flush().map_err(Failure::stdout)?;
    Ok(totals.exit)
}

fn progress(files: &[SegmentFile], hidden: bool) -> ProgressBar {
    let length = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    let bar = ProgressBar::new(files.iter().map(|file| length(&file.path)).sum());
    // Standard error decides by itself: nothing is drawn when it is no terminal.
    bar.set_draw_target(if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

fn verify_file(file: &SegmentFile, schema: &Schema, keys: &Keys) -> Report {
    // Before the file: what the index says of it is there by then.
    let (index, index_problem) = index::of(file);
    let bytes = match SegmentBytes::open(&file.path, false) {
        Ok(bytes) => bytes,
        Err(error) => {
            let why = Failure::cannot_read(&file.path, error).to_string();
            return Report::unreadable(file.label(), why);
        }
    };
    let read = |segment: &Segment<'_>| {
        let survey = survey::survey(segment, schema, (index, bytes.len() as u64));
        Outcome::Read(segment.descriptor().clone(), survey)
    };
    let (outcome, mismatch) = match Head::of(&bytes, file.name, keys) {
        Head::Sound(segment) => (read(&segment), None),
        Head::Misnamed(segment, mismatch) => (read(&segment), Some(mismatch)),
        Head::Blank => (Outcome::Blank, None),
        Head::Damaged(damage, error) => (Outcome::HeadDamaged(damage, error.to_string()), None),
        Head::Unreadable(error) => (Outcome::Unreadable(reason(&error)), None),
    };
    Report { segment: file.label(), file_bytes: bytes.len() as u64, index, index_problem, mismatch, outcome }
}

/// Totals over all segments.
#[derive(Debug)]
struct Totals {
    exit: Exit,
    clean: u64,
    damaged: u64,
    unreadable: u64,
    sections: u64,
    sections_lost: u64,
    mutations: u64,
    good_bytes: u64,
    lost_bytes: u64,
    lost_mutations: u64,
    lost_mutations_all_known: bool,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            exit: Exit::Ok,
            clean: 0,
            damaged: 0,
            unreadable: 0,
            sections: 0,
            sections_lost: 0,
            mutations: 0,
            good_bytes: 0,
            lost_bytes: 0,
            lost_mutations: 0,
            lost_mutations_all_known: true,
        }
    }
}

impl Totals {
    fn add(&mut self, report: &Report) {
        let exit = report.exit();
        self.exit = self.exit.max(exit);
        match exit {
            Exit::Ok => self.clean += 1,
            Exit::Damaged => self.damaged += 1,
            _ => self.unreadable += 1,
        }
        if let Outcome::Read(_, survey) = &report.outcome {
            self.sections += survey.sections;
            self.sections_lost += survey.sections_lost;
            self.mutations += survey.mutations;
            self.good_bytes += survey.good_bytes;
        }
        for damage in report.damage() {
            self.lost_bytes += damage.lost_bytes;
            self.lost_mutations += damage.lost_mutations.unwrap_or(0);
            self.lost_mutations_all_known &= damage.lost_mutations.is_some();
        }
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "total: segments clean {}, damaged {}, unreadable {}",
            self.clean, self.damaged, self.unreadable
        )?;
        writeln!(
            out,
            "  good: sections {}, mutations {}, bytes {}",
            self.sections, self.mutations, self.good_bytes
        )?;
        let or_more = if self.lost_mutations_all_known { "" } else { " or more" };
        writeln!(
            out,
            "  lost: sections {}, mutations {}{or_more}, bytes {}",
            self.sections_lost, self.lost_mutations, self.lost_bytes
        )
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "type": "total",
            "outcome": outcome_word(self.exit),
            "clean": self.clean,
            "damaged": self.damaged,
            "unreadable": self.unreadable,
            "sections": self.sections,
            "sections_lost": self.sections_lost,
            "mutations": self.mutations,
            "good_bytes": self.good_bytes,
            "lost_bytes": self.lost_bytes,
            "lost_mutations": self.lost_mutations,
            "lost_mutations_all_known": self.lost_mutations_all_known,
        })
    }
}
