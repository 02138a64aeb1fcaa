//! `replay`: segment files through the whole path, to Kafka, a file log or standard output.
//!
//! [`schedule`] goes through the log and hands out units of work; [`pipeline`](super::pipeline) makes records of them
//! and sends them; [`delivery`] brings them back into the order of the log when there are several workers.

mod copies;
mod delivery;
mod destination;
mod past;
mod progress;
mod schedule;
mod scope;
mod summary;
mod summary_file;

use std::time::Instant;

use super::exit::{Exit, Failure};
use super::input::{SegmentFile, from_schema_file, segment_files};
use super::keys::Keys;
use super::warn;
use crate::agent::pipeline::range::Range;
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::unit::After;
use crate::agent::pipeline::worker::Worker;
use crate::agent::pipeline::writer::Writer;
use crate::agent::record_options::{Reading, encoder_config, table_filter};
use crate::cli::{ReplayArgs, Undecodable, UnknownTable};
use crate::schema::SchemaHistory;
use delivery::{Delivery, Message, UnitOutlet};
use past::Past;
use progress::Progress;
use schedule::Schedule;
use summary_file::SummaryFile;

/// Each worker needs about a MiB for its records and its decoder; a single thread writes what they all make.
const MOST_WORKERS: usize = 12;

/// Runs `replay`.
///
/// # Errors
/// What kept it from its end. Damage, unreadable segments and unknown tables do not: they are counted, and
/// told by the exit code.
pub fn replay(args: &ReplayArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    let files = segment_files(&args.input.paths)?;
    let history = from_schema_file(&args.input.schema, SchemaHistory::new)?;
    let config = encoder_config(&args.settings, history.schema(), Reading::Replay)?;
    let keys = Keys::open(&args.settings.keys, &args.settings.names)?;
    let summary = SummaryFile::open(args, &files)?;
    let mut sink = destination::open(args, &files, &keys, history.schema())?;
    let progress = Progress::new(total_bytes(&files), !args.output.no_progress && !args.output.quiet);
    let committed = sink.checkpoint().cloned().unwrap_or_default();
    let past = Past::new(committed, scope::scope(args, &config), args)?;
    let checkpoint = past.checkpoint().clone();
    let filter = table_filter(&args.settings.filter);
    let range = Range::new(&args.range);
    let schedule = Schedule::new(files, keys, filter, history, past, range);
    let worker = Worker {
        later: &schedule,
        config: &config,
        range,
        of_other_scopes: checkpoint.parked_in_other_scopes().collect(),
        owned: None,
        dry_run: args.output.dry_run,
        late_after_us: None,
        unknown_table: args.settings.undecoded.unknown_table.unwrap_or(UnknownTable::Park),
        undecodable: args.settings.undecoded.undecodable,
        given_up: None,
    };
    let waits = args.settings.undecoded.undecodable == Undecodable::Park;
    let writer = Writer::new(sink.as_mut(), checkpoint, waits);
    let mut run = Run { writer, schedule: &schedule, progress };
    let done = match args.input.jobs.get() {
        1 => run.alone(&worker),
        jobs => run.with_workers(&worker, jobs.min(MOST_WORKERS)),
    };
    run.progress.finish();
    let ended = match done {
        Ok(()) => run.writer.finish(),
        Err(failure) => {
            if keeps_no_checkpoint(args) {
                // What was sent before is to stand there. If that cannot be, this failure has said so.
                let _ = run.writer.commit();
            }
            Err(failure)
        }
    };
    let parked_elsewhere = run.writer.parked_elsewhere();
    let mut report = run.writer.into_report();
    report.is_failed = ended.is_err();
    report.add(schedule.take_report());
    report.parked_elsewhere = parked_elsewhere;
    let unpublished = summary::publish(&report, started.elapsed(), args.output.quiet, summary).err();
    let ended = ended.map(|()| exit_code(&report, args.settings.undecoded.allow_unknown));
    match (ended, unpublished) {
        (ended, None) => ended,
        (Ok(Exit::Ok), Some(failure)) => Err(failure),
        // How the replay ended says more than that its summary is missing.
        (ended, Some(failure)) => {
            warn(&failure.to_string());
            ended
        }
    }
}

fn keeps_no_checkpoint(args: &ReplayArgs) -> bool {
    args.output.dry_run || args.output.out.as_os_str() == "-"
}

fn total_bytes(files: &[SegmentFile]) -> u64 {
    files.iter().filter_map(|file| file.path.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// The end of the way, and the progress bar.
struct Run<'s> {
    writer: Writer<'s>,
    schedule: &'s Schedule,
    progress: Progress,
}

impl Run<'_> {
    /// Decodes and writes in one thread.
    fn alone(&mut self, worker: &Worker<'_>) -> Result<(), Failure> {
        while let Some(unit) = self.schedule.next_unit()? {
            let report = worker.run(&unit.unit, &mut self.writer)?;
            self.end_unit(report, unit.unit.after)?;
        }
        Ok(())
    }

    /// Decodes in `jobs` threads and writes in this one.
    fn with_workers(&mut self, worker: &Worker<'_>, jobs: usize) -> Result<(), Failure> {
        let (delivery, schedule) = (Delivery::new(jobs), self.schedule);
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    let member = delivery.member();
                    member.ends(work(worker, schedule, &delivery));
                });
            }
            let written = self.write_all(&delivery);
            if written.is_err() {
                delivery.stop(Failure::new(Exit::Bug, "stopped"));
            }
            written
        })
    }

    fn write_all(&mut self, delivery: &Delivery) -> Result<(), Failure> {
        while let Some(message) = delivery.next()? {
            match message {
                Message::Batch(batch) => {
                    self.writer.write(&batch)?;
                    delivery.give_back(batch);
                }
                Message::End(report, after) => self.end_unit(*report, after)?,
            }
        }
        Ok(())
    }

    fn end_unit(&mut self, report: Report, after: After) -> Result<(), Failure> {
        self.progress.advance(report.bytes, report.event_count());
        let fingerprint = match after {
            After::Continue(next) => self.schedule.fingerprint(next.segment),
            After::Finish(_, fingerprint) => Some(fingerprint),
            After::Stay => None,
        };
        self.writer.end_unit(report, after, fingerprint)
    }
}

/// One worker thread: units until there are none, or until the replay has failed elsewhere.
fn work(worker: &Worker<'_>, schedule: &Schedule, delivery: &Delivery) -> Result<(), Failure> {
    while let Some(unit) = schedule.next_unit()? {
        let mut outlet = UnitOutlet { delivery, sequence: unit.sequence, stopped: false };
        let report = worker.run(&unit.unit, &mut outlet)?;
        let goes_on = delivery.put(unit.sequence, Message::End(Box::new(report), unit.unit.after));
        if outlet.stopped || !goes_on {
            break;
        }
    }
    Ok(())
}

fn exit_code(report: &Report, allow_unknown: bool) -> Exit {
    let is_unknown = report.parked.count > 0 || !report.unknown_tables.is_empty();
    if !report.unreadable.is_empty() {
        Exit::Unreadable
    } else if report.damage.count > 0 || !report.damaged_segments.is_empty() {
        Exit::Damaged
    } else if report.parked_unfit > 0 || (is_unknown && !allow_unknown) {
        Exit::UnknownSchema
    } else {
        Exit::Ok
    }
}
