//! The loop: read, process, commit; and how it begins.

mod begin;
mod steps;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::error::EngineError;
use super::job::{Job, JobReport};
use super::outlet::{Committed, Outlet, Output};
use super::record::{OutputRecord, TableRow};
use super::source::{Event, Source};
use super::state::{self, Frame, StateDir};
use crate::agent::log;

use begin::{Begun, begin};
use steps::Steps;

/// Makes the parts of a job, at its start and whenever it begins anew from the last commit.
pub trait Connect {
    /// Name of the job: `<kind>-<environment>-<table>`.
    fn name(&self) -> &str;

    /// What the job's state depends on: the version of the rules.
    fn definition(&self) -> &str;

    /// The job, without any state.
    ///
    /// # Errors
    /// Its rules cannot be used.
    fn job(&self) -> Result<Box<dyn Job>, EngineError>;

    /// Takes the outputs over: whoever wrote them before cannot any more.
    ///
    /// # Errors
    /// The destination cannot be reached or refuses.
    fn outlet(&self) -> Result<Box<dyn Outlet>, EngineError>;

    /// Opens the inputs.
    ///
    /// # Errors
    /// They cannot be reached or refuse.
    fn source(&self) -> Result<Box<dyn Source>, EngineError>;

    /// Where rows of tables go.
    ///
    /// # Errors
    /// Cassandra cannot be reached, or a guard refuses.
    fn rows(&self) -> Result<Box<dyn RowSink>, EngineError> {
        Ok(Box::new(super::outlet::Nowhere))
    }
}

/// Takes rows of tables.
pub trait RowSink {
    /// Begins to write a row; waits where too many are under way.
    ///
    /// # Errors
    /// One of the rows before could not be written.
    fn write(&mut self, row: TableRow) -> Result<(), EngineError>;

    /// Waits until every row is acknowledged.
    ///
    /// # Errors
    /// One of them could not be written.
    fn flush(&mut self) -> Result<(), EngineError>;
}

impl RowSink for super::outlet::Nowhere {
    fn write(&mut self, _: TableRow) -> Result<(), EngineError> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// How the loop runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// End when everything is read that was there.
    pub until_end: bool,
    /// Read everything that is still there once more when the state is lost.
    pub rebuild_state: bool,
    /// With an empty state directory: begin at the first records that are there, whatever the outputs say of this job.
    pub begin_anew: bool,
    /// Most time between two commits.
    pub commit_every: Duration,
    /// Most records between two commits.
    pub commit_records: u64,
    /// Least time between two snapshots of the state.
    pub snapshot_every: Duration,
    /// A partition without a record for so long holds nothing back.
    pub idle_after: Duration,
    /// Longest pause before the job begins anew after an error that may pass.
    pub longest_pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            until_end: false,
            rebuild_state: false,
            begin_anew: false,
            commit_every: Duration::from_millis(500),
            commit_records: 50_000,
            snapshot_every: Duration::from_secs(30),
            idle_after: Duration::from_secs(60),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// Hears how a job goes.
pub trait Progress {
    /// The loop is alive.
    fn alive(&self) {}

    /// A commit took place, or the job began with this.
    fn committed(&self, committed: &Committed, report: &JobReport, lag: u64) {
        let _ = (committed, report, lag);
    }

    /// The job begins anew because of this error, after so many tries without a commit.
    fn begins_anew(&self, error: &EngineError, tries: u32) {
        let _ = (error, tries);
    }

    /// Something needs somebody's attention; the job goes on.
    fn alarm(&self, what: &str) {
        let _ = what;
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// What it did.
    pub report: JobReport,
    /// How far it came; None when nothing was ever committed.
    pub committed: Option<Committed>,
    /// What needs attention: records that were gone, counters that do not go together.
    pub alarms: Vec<String>,
}

/// The longest wait for one event, so that a wish to stop is heard.
const WAIT: Duration = Duration::from_millis(100);
/// A snapshot may take one part in so many of the time.
const SNAPSHOT_SHARE: u32 = 20;

/// Runs a job until its input ends or `stop` is set; then everything read is committed, and the state saved.
///
/// # Errors
/// Something that does not pass by itself. The outputs are as of the last commit.
pub fn run(
    connect: &dyn Connect,
    dir: &StateDir,
    options: &Options,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Ended, EngineError> {
    let mut tries = 0;
    let mut alarms = Vec::new();
    loop {
        let mut life = Life { connect, dir, options, progress, stop, committed_once: false, alarms };
        let error = match life.run() {
            Ok(mut ended) => {
                ended.alarms = life.alarms;
                return Ok(ended);
            }
            Err(error) => error,
        };
        tries = if life.committed_once { 1 } else { tries + 1 };
        alarms = life.alarms;
        if !error.is_passing() || stop.load(Ordering::Relaxed) {
            return Err(error);
        }
        log::warn(&format!("{error}; the job begins anew from its last commit"));
        progress.begins_anew(&error, tries);
        pause(tries, options, stop, progress);
    }
}

/// Half a second after the first try, twice as long after each further one.
fn pause(tries: u32, options: &Options, stop: &AtomicBool, progress: &dyn Progress) {
    let pause = Duration::from_millis(500).saturating_mul(1 << tries.saturating_sub(1).min(10));
    let until = Instant::now() + pause.min(options.longest_pause);
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        progress.alive();
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A job from one beginning to its next.
struct Life<'l> {
    connect: &'l dyn Connect,
    dir: &'l StateDir,
    options: &'l Options,
    progress: &'l dyn Progress,
    stop: &'l AtomicBool,
    committed_once: bool,
    alarms: Vec<String>,
}

/// Outputs of records that are read for the first time.
struct Outputs<'o> {
    outlet: &'o mut dyn Outlet,
    rows: &'o mut dyn RowSink,
}

impl Output for Outputs<'_> {
    fn record(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError> {
        self.outlet.send(record)
    }

    fn row(&mut self, row: TableRow) -> Result<(), EngineError> {
        self.rows.write(row)
    }
}

impl Life<'_> {
    fn run(&mut self) -> Result<Ended, EngineError> {
        let Begun { mut job, mut source, mut outlet, mut rows, mut journal, mut committed, alarms } =
            begin(self.connect, self.dir, self.options, self.progress)?;
        for what in alarms {
            self.alarm(what);
        }
        self.progress.committed(&committed, &job.report(), source.lag());
        let mut steps = Steps::new(source.as_ref(), self.options.idle_after);
        let (mut saved, mut saved_at) = (Instant::now(), committed.generation);
        let mut snapshot_every = self.options.snapshot_every;
        let mut marks = committed.marks.clone();
        loop {
            self.progress.alive();
            // What ends with its input is read in any case.
            if !self.options.until_end {
                source.hold(&|input| job.holds(input));
            }
            let event = source.next(WAIT)?;
            if let Event::Record(record) = &event
                && let Some(topic) = source.topics().get(record.input)
            {
                marks.see(topic, record);
            }
            let mut output = Outputs { outlet: outlet.as_mut(), rows: rows.as_mut() };
            steps.take(&event, job.as_mut(), &mut output)?;
            let ends = self.options.until_end && steps.is_at_end();
            let stops = ends || self.stop.load(Ordering::Relaxed);
            if ends {
                steps.end(job.as_mut(), &mut output)?;
            }
            if !stops && !steps.is_due(self.options) {
                continue;
            }
            if let Some(frame_steps) = steps.cut() {
                job.flush(&mut output)?;
                rows.flush()?;
                crash_point("rows_flushed")?;
                let generation = committed.generation + 1;
                let frame = Frame { generation, steps: frame_steps };
                let mut next = Committed { generation, marks: marks.clone(), ..committed.clone() };
                state::advance(&mut next.positions, source.topics(), &frame);
                if let Some(what) = job.contradiction() {
                    self.alarm(what);
                }
                journal.append(&frame)?;
                crash_point("journal_written")?;
                outlet.commit(&next)?;
                crash_point("committed")?;
                committed = next;
                self.committed_once = true;
                source.committed(&committed.positions);
                self.progress.committed(&committed, &job.report(), source.lag());
            }
            let is_new = committed.generation != saved_at || stops;
            if committed.generation > 0 && is_new && (stops || saved.elapsed() >= snapshot_every) {
                let began = Instant::now();
                let mut bytes = Vec::new();
                job.save(&mut bytes)?;
                journal = self.dir.save(&state::snapshot(self.connect.name(), &committed, bytes))?;
                crash_point("snapshot_written")?;
                (saved, saved_at) = (Instant::now(), committed.generation);
                snapshot_every = self.options.snapshot_every.max(began.elapsed() * SNAPSHOT_SHARE);
            }
            if stops {
                let committed = (committed.generation > 0).then_some(committed);
                return Ok(Ended { report: job.report(), committed, alarms: Vec::new() });
            }
        }
    }

    /// Tells of something once.
    fn alarm(&mut self, what: String) {
        if !self.alarms.contains(&what) {
            log::error(&what);
            self.progress.alarm(&what);
            self.alarms.push(what);
        }
    }
}

/// Where the model test ends a life.
fn crash_point(place: &str) -> Result<(), EngineError> {
    #[cfg(test)]
    return super::crash::cross(place);
    #[cfg(not(test))]
    {
        let _ = place;
        Ok(())
    }
}
