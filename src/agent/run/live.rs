//! The loop: looks at the directory, reads what is there in the order of the log, commits, deletes what is finished,
//! waits.

mod commits;
mod drained;
mod ended;
mod losses;
mod pass;
mod requests;
mod retries;
#[cfg(feature = "cql")]
mod snapshots;
mod until_empty;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

pub(super) use ended::{Ended, Went};
use pass::{Pass, Step, step};

use super::beyond::Beyond;
use super::finished::Finished;
use super::gap;
use super::growing::{self, Growing};
use super::lives::{Found, Look};
use super::notices::{Beats, Notices};
use super::passed::Passed;
use super::reader::Reading;
use super::recognised::Recognised;
use super::remembered::Remembered;
use super::schema::LiveSchema;
#[cfg(feature = "cql")]
use super::snapshot::Snapshots;
use super::still::{self, Read, Task};
use super::stop::Stop;
use super::telling::Telling;
use super::watermark::Watermark;
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::unit::After;
use crate::agent::pipeline::walk::start_of;
use crate::agent::pipeline::worker::Worker;
use crate::agent::pipeline::writer::Writer;
use crate::agent::socket::Inbox;
use crate::cdc_raw::{FileId, GrowingError, Now, Pace, Rest, SegmentFile, Standing, State, Watch, Woken};
use crate::checkpoint::Fingerprint;
use crate::commitlog::{SegmentId, SegmentName};
use crate::envelope::Visibility;
use crate::failpoint;

/// What the loop works with.
pub(super) struct Parts<'l> {
    pub(super) reading: Reading<'l>,
    pub(super) asked: Visibility,
    pub(super) sync_period: Duration,
    pub(super) stop: &'l Stop,
    pub(super) watch: &'l mut Watch,
    pub(super) schema: &'l mut LiveSchema,
    pub(super) worker: &'l Worker<'l>,
    /// As the worker, for mutations that were parked and for which a newer schema came.
    pub(super) retrier: &'l Worker<'l>,
    pub(super) notices: &'l Notices,
    /// What the agent is asked over its socket.
    pub(super) inbox: &'l Inbox,
    pub(super) finished: &'l Finished,
    pub(super) heartbeat: Option<Duration>,
    pub(super) until_empty: bool,
    /// Segments that are missing, as far as it was told of.
    pub(super) gaps: &'l mut gap::Told,
    pub(super) found: &'l mut Found,
    pub(super) beyond: &'l mut Beyond,
    /// Segments into which nobody writes, that were gone through and cannot be finished.
    pub(super) passed: &'l mut Passed,
    pub(super) recognised: &'l mut Recognised,
    pub(super) remembered: &'l mut Remembered,
    pub(super) telling: &'l mut Telling,
    /// `None` where no node can be asked for rows.
    #[cfg(feature = "cql")]
    pub(super) snapshots: Option<&'l mut Snapshots>,
}

/// One pass of the loop until the sink has to be rewound.
pub(super) struct Live<'l> {
    parts: Parts<'l>,
    writer: Writer<'l>,
    growing: BTreeMap<SegmentName, Growing>,
    pace: Pace,
    watermark: Watermark,
    /// Whether what is logged stands in the files only when Cassandra has synced it.
    comes_with_syncs: bool,
    beats: Beats,
    /// Parked mutations, when they were counted last, and since when there are so many.
    parked: usize,
    last_parked: Option<Instant>,
    /// All of them were tried with what the node answered since.
    is_newest_tried: bool,
    /// All that was logged before this time is read.
    read_since: Option<Instant>,
    /// Parked mutations are to be tried again.
    retries: bool,
    /// It was said that no more can be parked.
    is_full_of_parked: bool,
    /// Segments of ended processes of which it is known what was forgotten.
    judged: BTreeSet<FileId>,
    /// The last error of a growing segment, said once.
    trouble: Option<String>,
    was_busy: bool,
}

impl<'l> Live<'l> {
    pub(super) fn new(parts: Parts<'l>, writer: Writer<'l>) -> Self {
        #[cfg(feature = "cql")]
        let parts = snapshots::rewound(parts);
        let pace = Pace::new(parts.asked, false, parts.watch.problem().is_none(), Instant::now());
        let watermark = Watermark::new(parts.asked, false, parts.sync_period);
        let beats = Beats::new(parts.heartbeat);
        parts.beyond.rewind(writer.checkpoint());
        let retries = writer.checkpoint().parked().next().is_some();
        if retries {
            parts.schema.ask();
        }
        Self {
            parts,
            writer,
            growing: BTreeMap::new(),
            pace,
            watermark,
            comes_with_syncs: false,
            beats,
            parked: 0,
            last_parked: None,
            is_newest_tried: false,
            read_since: None,
            retries,
            is_full_of_parked: false,
            judged: BTreeSet::new(),
            trouble: None,
            was_busy: true,
        }
    }

    /// Microseconds since 1970 before which everything is published.
    #[cfg(test)]
    pub(super) fn watermark_us(&self) -> Option<i64> {
        self.watermark.us()
    }

    /// Whether the sink failed in a way that a rewind mends.
    pub(super) fn is_rewindable(&self) -> bool {
        self.writer.is_rewindable()
    }

    /// Whether it is not known how the sink's last commit ended.
    pub(super) fn is_indefinite(&self) -> bool {
        self.writer.is_indefinite()
    }

    /// Goes on until it is asked to stop, or something fails.
    pub(super) fn run(&mut self) -> Result<Ended, Failure> {
        self.tell_schema();
        let mut is_urgent = true;
        loop {
            is_urgent = match self.step(Now::read(), is_urgent)? {
                Went::Ended(ended) => return Ok(ended),
                Went::OnWithNews => false,
                Went::OnWithoutNews => self.wait(),
            };
        }
    }

    /// One turn of the loop. `is_urgent`: something changed in the directory.
    pub(super) fn step(&mut self, now: Now, is_urgent: bool) -> Result<Went, Failure> {
        if self.parts.stop.is_asked() {
            self.commit()?;
            failpoint::cross("stopping");
            return Ok(Went::Ended(Ended::Stopped));
        }
        if self.parts.stop.takes_reload() {
            self.commit()?;
            return Ok(Went::Ended(Ended::Reload));
        }
        self.take_requests()?;
        let look = self.look(now, is_urgent)?;
        let cdc_off = self.parts.schema.is_cdc_off().then_some(losses::NODE_CDC_OFF);
        let full = self.tell_full_of_parked();
        self.parts.telling.turn(self.parts.found.problem.as_deref().or(cdc_off), full);
        let pass = self.pass()?;
        self.was_busy = pass.has_news;
        if pass.has_news {
            self.pace.news(now.instant);
        }
        self.drained(&pass, look == Look::Done);
        self.tend_schema(now.instant)?;
        self.beat()?;
        self.writer.tend();
        #[cfg(feature = "cql")]
        self.tend_snapshots(now.instant)?;
        // A look is what segments go away with, and then nothing may be left to commit.
        let looked_at_records = look == Look::Done && self.writer.uncommitted().0 > 0;
        if looked_at_records || self.writer.is_worth_a_commit(Instant::now()) {
            self.commit()?;
        } else {
            self.tell_committed();
        }
        if look == Look::Done {
            self.take_finished();
            self.note_stranger()?;
            self.forget_outdated(now);
            let growing = |standing: &Standing| self.growing.get(&standing.file.name);
            self.parts.telling.reading(self.parts.found, &self.writer, growing);
            if self.parts.until_empty && self.is_empty(&pass) {
                return self.end_empty();
            }
        }
        Ok(if pass.has_news { Went::OnWithNews } else { Went::OnWithoutNews })
    }

    /// Waits until something may be new. Whether something changed in the directory.
    fn wait(&self) -> bool {
        let limit = match self.parts.found.problem {
            Some(_) => Duration::from_secs(1),
            None => self.pace.pause(Instant::now()),
        };
        #[cfg(feature = "cql")]
        let limit = self.rows_limit(limit);
        self.parts.watch.wait(limit) == Woken::Changed
    }

    fn look(&mut self, now: Now, is_urgent: bool) -> Result<Look, Failure> {
        let Self { parts, writer, .. } = self;
        let checkpoint = writer.checkpoint();
        let open = checkpoint.open().map(|place| place.segment);
        let unfinished: BTreeSet<SegmentId> = open.chain(checkpoint.parked_segments()).collect();
        let had_problem = parts.found.problem.is_some();
        let look = parts.found.look(
            parts.reading.directory,
            unfinished,
            (now, is_urgent, self.was_busy),
            parts.until_empty,
        );
        match &look {
            Look::Done => {
                failpoint::cross("look_scanned");
                if had_problem {
                    parts.watch.renew(parts.reading.directory.path());
                }
                self.note_gaps()?;
                self.note_how_written();
                let found = &self.parts.found;
                let is_there = |name: &SegmentName, growing: &Growing| {
                    let file = found.scan.segments.iter().find(|file| file.name == *name);
                    file.is_some_and(|file| growing.is(file))
                };
                self.growing.retain(|name, growing| is_there(name, growing));
            }
            Look::Emptied(missing) => {
                parts.gaps.note_emptied();
                let missing = missing.clone();
                self.miss(&missing)?;
                self.commit()?;
                if self.parts.until_empty {
                    return Err(losses::emptied(self.parts.reading.directory.path(), &missing));
                }
            }
            // What it is was said in the log. Nobody waits for it to pass who waits for the end.
            Look::Failed if parts.until_empty => {
                return Err(Failure::new(Exit::Unreadable, parts.found.problem.clone().unwrap_or_default()));
            }
            Look::NotDue | Look::Failed => {}
        }
        Ok(look)
    }

    /// Reads all segments, in the order of the log, as far as they may be read now.
    fn pass(&mut self) -> Result<Pass, Failure> {
        let mut pass = Pass::default();
        let is_known = self.parts.found.problem.is_none() && self.parts.found.looked.is_some();
        if !is_known || self.is_short_of_schema() {
            return Ok(pass);
        }
        let standings = std::mem::take(&mut self.parts.found.lives.standings);
        let read = self.read_all(&standings, &mut pass);
        self.parts.found.lives.standings = standings;
        read.map(|()| pass)
    }

    fn read_all(&mut self, standings: &[Standing], pass: &mut Pass) -> Result<(), Failure> {
        pass.is_drained = true;
        let mut left = standings.iter();
        while let Some(standing) = left.next() {
            let id = standing.file.name.id;
            let checkpoint = self.writer.checkpoint();
            if checkpoint.done_as(id).is_some() || self.parts.passed.has(&standing.file, checkpoint) {
                continue;
            }
            let step = match standing.state {
                State::Orphan(_) => Step::Through,
                state if state.is_still() => self.read_still(standing, pass)?,
                _ => self.read_growing(standing, pass)?,
            };
            if step == Step::Wait || self.parts.stop.is_asked() || self.is_short_of_schema() {
                // What stands in a later segment is not read yet.
                left.for_each(|later| self.pass_by(later, pass));
                break;
            }
        }
        Ok(())
    }

    /// A segment whose turn has not come. One without a marker is empty, or Cassandra has just begun it: then something
    /// waits there that nobody may read yet.
    fn pass_by(&mut self, later: &Standing, pass: &mut Pass) {
        if later.state != State::Unused {
            pass.is_drained = false;
            return;
        }
        match self.open(&later.file) {
            Ok(Some(growing)) if growing.has_more() => pass.more_at.push(growing.next()),
            Ok(_) => {}
            // It is told of when it is its turn.
            Err(_) => pass.is_drained = false,
        }
    }

    /// Reads a segment into which nobody writes any more.
    fn read_still(&mut self, standing: &Standing, pass: &mut Pass) -> Result<Step, Failure> {
        self.note_forgotten(standing)?;
        let file = &standing.file;
        let id = file.name.id;
        pass.has_news = true;
        let checkpoint = self.writer.checkpoint();
        if let Some(growing) = self.growing.remove(&file.name)
            && growing.is(file)
            && growing.is_read_up_to(file)
            && let Some(fingerprint) = checkpoint.known_as(id)
        {
            return self.finish(file, fingerprint);
        }
        let from = checkpoint.open_at(id).unwrap_or(start_of(id));
        let newest = self.parts.schema.newest();
        let (epoch, may_be_asked) = (newest.get(), self.parts.schema.is_reachable() == Some(true));
        let Self { parts, writer, beats, watermark, .. } = self;
        let stop = parts.stop;
        let read = still::read(
            &parts.reading,
            (file, true),
            Task::ReadFrom(from),
            &mut parts.schema.at,
            parts.worker,
            writer,
            &mut |writer| {
                beats.beat(parts.notices, writer, &epoch.schema, watermark.us())?;
                let is_short = (may_be_asked && newest.is_asked_for()) || writer.is_full_of_parked();
                Ok(!stop.is_asked() && !is_short)
            },
        )?;
        match (read, standing.state) {
            (Read::Stopped, _) => {
                pass.is_drained = false;
                Ok(Step::Wait)
            }
            (Read::Gone | Read::Blank, _) => Ok(Step::Through),
            (Read::Through(Some(fingerprint)), State::Final(_)) => self.finish(file, fingerprint),
            (Read::Through(_) | Read::Damaged, _) => {
                self.parts.passed.add(file, self.writer.checkpoint());
                Ok(Step::Through)
            }
        }
    }

    /// All of a segment was read.
    fn finish(&mut self, file: &SegmentFile, fingerprint: Fingerprint) -> Result<Step, Failure> {
        let id = file.name.id;
        self.parts.recognised.add(file);
        if self.writer.checkpoint().done_as(id).is_none() {
            self.writer.end_unit(Report::default(), After::Finish(id, fingerprint), Some(fingerprint))?;
            self.parts.beyond.finished(id);
            failpoint::cross("segment_finished");
        }
        Ok(Step::Through)
    }

    /// A segment into which Cassandra may still write, opened when it is met first. `None` while nothing is in it.
    fn open(&mut self, file: &SegmentFile) -> Result<Option<&Growing>, GrowingError> {
        if !self.growing.contains_key(&file.name) {
            let id = file.name.id;
            let from = self.writer.checkpoint().open_at(id).unwrap_or(start_of(id));
            if let Some(growing) = Growing::open(&self.parts.reading, file, from)? {
                failpoint::cross("growing_opened");
                self.growing.insert(file.name, growing);
            }
        }
        Ok(self.growing.get(&file.name))
    }

    /// Reads what is new in a segment into which Cassandra may still write.
    fn read_growing(&mut self, standing: &Standing, pass: &mut Pass) -> Result<Step, Failure> {
        self.note_forgotten(standing)?;
        let file = &standing.file;
        match self.open(file) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(step(standing.state)),
            Err(error) => return self.troubled(standing, pass, &error),
        }
        let visibility = standing.visibility(self.parts.asked);
        loop {
            let Self { parts, writer, growing, .. } = self;
            let Some(growing) = growing.get_mut(&file.name) else { return Ok(Step::Wait) };
            let index = match visibility {
                // To be read before the segment.
                Visibility::Synced => parts.reading.index(file),
                _ => file.index,
            };
            let (at, worker, reading) = (&mut parts.schema.at, parts.worker, &parts.reading);
            let outlet = (&mut *writer, &mut *parts.beyond);
            let looked = match growing.look(visibility, index, at, worker, outlet, reading)? {
                Ok(looked) => looked,
                Err(error) => return self.troubled(standing, pass, &error),
            };
            pass.has_news |= looked.has_news;
            if looked.rest == Rest::More {
                self.beat()?;
                if self.parts.stop.is_asked() || self.is_short_of_schema() {
                    pass.is_drained = false;
                    return Ok(Step::Wait);
                }
                continue;
            }
            if growing.has_more() {
                pass.more_at.push(growing.next());
            }
            let is_through = !looked.has_news && looked.rest == Rest::Unwritten;
            return Ok(if is_through { step(standing.state) } else { Step::Wait });
        }
    }

    /// A growing segment cannot be read now. What nobody will write to any more is judged by the reader of final
    /// segments, later.
    fn troubled(
        &mut self,
        standing: &Standing,
        pass: &mut Pass,
        error: &GrowingError,
    ) -> Result<Step, Failure> {
        if let Some(failure) = growing::fatal(error, standing.file.name) {
            return Err(failure);
        }
        self.growing.remove(&standing.file.name);
        pass.is_drained = false;
        let text = error.to_string();
        if self.trouble.as_ref() != Some(&text) {
            log::warn(&text);
            self.trouble = Some(text);
        }
        Ok(step(standing.state))
    }
}
