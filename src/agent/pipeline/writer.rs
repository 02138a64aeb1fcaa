//! Writes batches to the sink, in order, and commits what is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::{Batch, MutationRecords, Parked, Retried};
use super::begun::Begun;
use super::epoch::KeepsSchema;
use super::report::{HeldBack, Report, Undelivered};
use super::unit::After;
use super::waiting::Waiting;
use super::worker::Outlet;
use crate::agent::exit::{Exit, Failure};
use crate::agent::warn;
#[cfg(feature = "cql")]
use crate::checkpoint::TableSnapshot;
use crate::checkpoint::{Checkpoint, Fingerprint, PartitionTag};
use crate::commitlog::{Position, SegmentId};
use crate::envelope::Record;
use crate::failpoint;
use crate::sink::{Sink, SinkError};

/// Most bytes of records between commits.
const COMMIT_BYTES: usize = 64 << 20;
/// A commit is due so long after the last one.
const COMMIT_AFTER: Duration = Duration::from_secs(1);
/// And not before so many times the duration of the last one: with many topics on a slow disk it takes long.
const COMMIT_SHARE: u32 = 10;

/// The end of the way: sink, checkpoint, and the mutations that wait.
pub(in crate::agent) struct Writer<'s> {
    sink: &'s mut dyn Sink,
    checkpoint: Checkpoint,
    uncommitted: usize,
    /// The segment of the last record.
    segment: Option<SegmentId>,
    /// When the next commit is due.
    due: Instant,
    waiting: Waiting,
    /// Finished segments that are remembered no longer from the next commit on.
    forgotten: BTreeSet<SegmentId>,
    /// Of the unit at hand.
    held_back: HeldBack,
    /// Mutations that are parked and that this replay has told of, by segment.
    told: BTreeMap<SegmentId, u64>,
    /// Records that the sink was given.
    sent: u64,
    /// Of them, those before the last commit.
    sent_before: u64,
    /// What was done since the last commit.
    pending: Report,
    /// What was committed: nothing else counts.
    report: Report,
    /// How long the last commit took, of which nothing was taken yet.
    took: Option<Duration>,
    /// Whether there is something to commit.
    has_news: bool,
    /// Whether that should wait for nothing more: records that readers do not see yet, or the end of a segment.
    is_urgent: bool,
    /// Makes records of what is told of with a commit.
    ledger: Option<&'s dyn Ledger>,
    /// Keeps the schema that holds behind what a commit says is done.
    keeper: Option<Arc<dyn KeepsSchema>>,
    /// Whether the sink failed in a way that [`Sink::rewind`] mends.
    is_rewindable: bool,
    /// Whether it is not known how its last commit ended.
    is_indefinite: bool,
}

impl<'s> Writer<'s> {
    /// Goes on from `checkpoint`. `waits`: what stands behind mutations that earlier replays parked waits for them.
    pub(in crate::agent) fn new(sink: &'s mut dyn Sink, checkpoint: Checkpoint, waits: bool) -> Self {
        Self {
            waiting: if waits { Waiting::of(&checkpoint) } else { Waiting::default() },
            checkpoint,
            sink,
            uncommitted: 0,
            segment: None,
            due: Instant::now() + COMMIT_AFTER,
            forgotten: BTreeSet::new(),
            held_back: HeldBack::default(),
            told: BTreeMap::new(),
            sent: 0,
            sent_before: 0,
            pending: Report::default(),
            report: Report::default(),
            took: None,
            has_news: false,
            is_urgent: false,
            ledger: None,
            keeper: None,
            is_rewindable: false,
            is_indefinite: false,
        }
    }

    /// Sends the records of a batch.
    pub(in crate::agent) fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
        let mut parked = batch.parked.iter().peekable();
        let mut retried = batch.retried.iter().copied().peekable();
        for mutation in batch.mutations() {
            let Some(position) = mutation.position() else { continue };
            self.enter(position.segment)?;
            while let Some(parked) = parked.next_if(|parked| parked.entry.position < position) {
                self.park(parked)?;
            }
            while let Some(retried) = retried.next_if(|retried| retried.position < position) {
                self.end_retry(retried)?;
            }
            match self.waiting.before(position, mutation.tags()) {
                Some(parked) => {
                    retried.next_if(|retried| retried.position == position);
                    self.hold_back(mutation, position, parked)?;
                }
                None => {
                    self.sent += mutation.count() as u64;
                    for record in mutation.records() {
                        self.send(&record)?;
                    }
                }
            }
        }
        parked.try_for_each(|parked| self.park(parked))?;
        retried.try_for_each(|retried| self.end_retry(retried))?;
        self.uncommitted += batch.len();
        Ok(())
    }

    /// Sends a record that is no change of a table.
    pub(in crate::agent) fn send(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        self.has_news = true;
        self.is_urgent |= !self.sink.shows_at_once();
        let sent = self.sink.send(record);
        sent.map_err(|error| self.sink_failed(error))
    }

    /// The number of partitions of a topic.
    pub(in crate::agent) fn partitions(&mut self, topic: &str) -> Result<u32, Failure> {
        let partitions = self.sink.partitions(topic);
        partitions.map_err(|error| self.sink_failed(error))
    }

    /// What is done, with what was not committed yet.
    pub(in crate::agent) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// What is committed.
    pub(in crate::agent) fn committed(&self) -> Option<&Checkpoint> {
        self.sink.checkpoint()
    }

    /// How far snapshots are, to be moved: that is committed with what was sent.
    #[cfg(feature = "cql")]
    pub(in crate::agent) fn snapshots_mut(&mut self) -> &mut Vec<TableSnapshot> {
        self.has_news = true;
        self.checkpoint.snapshots_mut()
    }

    /// Whether there is something to commit.
    pub(in crate::agent) fn has_news(&self) -> bool {
        self.has_news
    }

    /// Whether to commit when nothing more is to be read now: finished segments and records that readers do not see
    /// before wait for nobody, a place alone waits a while.
    pub(in crate::agent) fn is_worth_a_commit(&self, now: Instant) -> bool {
        self.is_urgent || (self.has_news && now >= self.due)
    }

    /// From here on what a commit tells of becomes records that are committed with it.
    pub(in crate::agent) fn tell(&mut self, ledger: &'s dyn Ledger) {
        self.ledger = Some(ledger);
    }

    /// From here on what the log told of the schema is kept before a commit says that it was read.
    pub(in crate::agent) fn keep_schema(&mut self, keeper: Option<Arc<dyn KeepsSchema>>) {
        self.keeper = keeper;
    }

    /// Whether as much is parked as the checkpoint has room for.
    pub(in crate::agent) fn is_full_of_parked(&self) -> bool {
        self.checkpoint.parked_count() >= self.sink.most_parked()
    }

    /// Records that were sent and are not committed, and about their bytes.
    pub(in crate::agent) fn uncommitted(&self) -> (u64, u64) {
        (self.sent.saturating_sub(self.sent_before), self.uncommitted as u64)
    }

    /// Whether the sink failed in a way that [`Sink::rewind`] mends.
    pub(in crate::agent) fn is_rewindable(&self) -> bool {
        self.is_rewindable
    }

    /// Whether it is not known how the sink's last commit ended.
    pub(in crate::agent) fn is_indefinite(&self) -> bool {
        self.is_indefinite
    }

    /// Partitions in which something is parked.
    pub(in crate::agent) fn waiting_partitions(&self) -> usize {
        self.waiting.partitions()
    }

    /// Lets the sink do what cannot wait until something is sent again.
    pub(in crate::agent) fn tend(&mut self) {
        self.sink.tend();
    }

    /// Records that the sink has, and that its destination has not acknowledged.
    pub(in crate::agent) fn queued(&self) -> u64 {
        self.sink.queued()
    }

    /// What was committed since the last call, also because a batch was full, and how long the last commit took.
    pub(in crate::agent) fn take_committed(&mut self) -> Option<(Report, Duration)> {
        self.took.take().map(|took| (std::mem::take(&mut self.report), took))
    }

    fn sink_failed(&mut self, error: SinkError) -> Failure {
        self.is_rewindable = error.is_rewindable();
        self.is_indefinite = error.is_indefinite();
        sink_failure(error)
    }

    /// Commits what stands before a segment, where the sink keeps segments apart.
    fn enter(&mut self, segment: SegmentId) -> Result<(), Failure> {
        let is_next = self.segment.replace(segment).is_some_and(|before| before != segment);
        if is_next && self.sink.commits_each_segment() { self.commit() } else { Ok(()) }
    }

    /// A mutation waits as a whole, and what follows it in any of its partitions waits behind it.
    fn hold_back(
        &mut self,
        mutation: MutationRecords<'_>,
        position: Position,
        parked: Position,
    ) -> Result<(), Failure> {
        self.held_back.records += mutation.count() as u64;
        self.held_back.record_bytes += mutation.records().map(|record| record.bytes()).sum::<u64>();
        for event in mutation.events() {
            *self.held_back.events.entry(event).or_default() += 1;
        }
        if mutation.is_continued() {
            return Ok(());
        }
        self.held_back.mutations += 1;
        let reason = format!("it waits for the parked mutation {parked} of its partition");
        self.note_parked(Undelivered { position, table: None, bytes: None, reason }, mutation.tags())
    }

    fn park(&mut self, parked: &Parked) -> Result<(), Failure> {
        self.pending.parked_unfit += u64::from(!parked.is_unknown);
        self.note_parked(parked.entry.clone(), [parked.tag])
    }

    fn note_parked(
        &mut self,
        entry: Undelivered,
        tags: impl IntoIterator<Item = PartitionTag> + Clone,
    ) -> Result<(), Failure> {
        let place = entry.position;
        self.has_news = true;
        self.waiting.add(place, tags.clone());
        let was_parked = self.checkpoint.is_parked(place);
        if !self.is_ahead_of(place) || was_parked {
            self.checkpoint.park(place, tags).map_err(checkpoint_failure)?;
            failpoint::cross("parked");
            *self.told.entry(place.segment).or_default() += 1;
        }
        // In the records of a destination it was told when it was parked.
        match was_parked && self.ledger.is_some() {
            true => self.pending.parked_again.push(entry),
            false => self.pending.parked.push(entry),
        }
        Ok(())
    }

    /// Nothing waits any longer for a parked mutation; once it is settled it is not parked any longer, either.
    fn end_retry(&mut self, retried: Retried) -> Result<(), Failure> {
        let place = retried.position;
        self.has_news = true;
        self.waiting.remove(place, self.checkpoint.parked_partitions(place));
        if retried.is_settled {
            return self.checkpoint.unpark(place).map_err(checkpoint_failure);
        }
        *self.told.entry(place.segment).or_default() += 1;
        self.pending.parked_unasked += 1;
        Ok(())
    }

    /// Gives a parked mutation up: it is lost, and told of with the next commit. Nothing waits for it any longer.
    pub(in crate::agent) fn skip(&mut self, entry: Undelivered) -> Result<(), Failure> {
        let place = entry.position;
        self.waiting.remove(place, self.checkpoint.parked_partitions(place));
        self.checkpoint.unpark(place).map_err(checkpoint_failure)?;
        (self.has_news, self.is_urgent) = (true, true);
        self.pending.given_up.push(entry);
        Ok(())
    }

    /// Remembers finished segments no longer, in which nothing is parked, from the next commit on.
    pub(in crate::agent) fn forget_done(&mut self, segments: Vec<SegmentId>) {
        if self.checkpoint.forget_done(segments.iter().copied()) > 0 {
            self.has_news = true;
            self.forgotten.extend(segments);
        }
    }

    /// When a segment was finished, in milliseconds since 1970, where the destination keeps that.
    pub(in crate::agent) fn finished_ms(&self, segment: SegmentId) -> Option<i64> {
        self.sink.finished_ms(segment)
    }

    /// Tells of tables whose creation was read, before anything that stands behind it.
    pub(in crate::agent) fn begins(&mut self, begun: &[Begun]) -> Result<(), Failure> {
        let Some(ledger) = self.ledger else { return Ok(()) };
        begun.iter().try_for_each(|begun| ledger.begins(begun, self))
    }

    /// Counts what was found beside mutations: it is told of with the next commit.
    pub(in crate::agent) fn note(&mut self, report: Report) {
        self.pending.add(report);
    }

    /// A unit is through: moves the checkpoint, and commits now and then. `fingerprint` is the segment's, if it can
    /// be told already.
    pub(in crate::agent) fn end_unit(
        &mut self,
        mut report: Report,
        after: After,
        fingerprint: Option<Fingerprint>,
    ) -> Result<(), Failure> {
        report.take_back(&std::mem::take(&mut self.held_back));
        self.pending.add(report);
        match after {
            After::Stay => {}
            After::Continue(next) if self.is_ahead_of(next) => {}
            After::Continue(next) => {
                self.has_news |= self.checkpoint.open_at(next.segment) != Some(next);
                self.checkpoint.advance(next, fingerprint).map_err(checkpoint_failure)?;
            }
            After::Finish(segment, fingerprint) => {
                // Its place on the disk can be given back then.
                (self.has_news, self.is_urgent) = (true, true);
                self.checkpoint.finish(segment, fingerprint).map_err(checkpoint_failure)?;
            }
        }
        let is_due = self.uncommitted >= COMMIT_BYTES || Instant::now() >= self.due || self.sink.is_full();
        if is_due { self.commit() } else { Ok(()) }
    }

    /// What is committed; and how many records the sink was given that are not, or of a unit that was not finished.
    pub(in crate::agent) fn into_report(mut self) -> Report {
        self.report.uncommitted_records = self.sent.saturating_sub(self.report.records);
        self.report
    }

    /// Whether `next` was reached before: only what was parked before it is tried again.
    fn is_ahead_of(&self, next: Position) -> bool {
        self.checkpoint.done_as(next.segment).is_some()
            || self.checkpoint.open_at(next.segment).is_some_and(|reached| reached > next)
    }

    /// Makes everything durable: all that was asked for is sent.
    pub(in crate::agent) fn finish(&mut self) -> Result<(), Failure> {
        let behind = self.checkpoint.end_repetition();
        self.commit()?;
        for place in behind {
            let segment = place.segment;
            warn(&format!(
                "of segment {segment}, what stands before {place} was written once more, its rest was not"
            ));
        }
        Ok(())
    }

    /// Mutations by segment that earlier replays parked and that this one did not come to: their segments were not
    /// given, or they cannot be read there any more.
    pub(in crate::agent) fn parked_elsewhere(&self) -> BTreeMap<SegmentId, u64> {
        let mut found: BTreeMap<SegmentId, u64> = BTreeMap::new();
        for place in self.checkpoint.parked() {
            *found.entry(place.segment).or_default() += 1;
        }
        for (segment, count) in &mut found {
            *count = count.saturating_sub(self.told.get(segment).copied().unwrap_or(0));
        }
        found.retain(|_, count| *count > 0);
        found
    }

    /// Has the sink commit.
    fn pass_on(&mut self) -> Result<(), SinkError> {
        if self.forgotten.is_empty() {
            return self.sink.commit(&self.checkpoint);
        }
        // The sink would take what is forgotten for a step back; nothing else may be one.
        let mut before = self.sink.checkpoint().cloned().unwrap_or_default();
        before.forget_done(std::mem::take(&mut self.forgotten));
        self.checkpoint.check_follows(&before)?;
        self.sink.take_back(&self.checkpoint)
    }

    /// Makes everything durable that was sent.
    pub(in crate::agent) fn commit(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        if let Some(keeper) = &self.keeper {
            keeper.keep();
        }
        self.write_ledger()?;
        self.uncommitted = 0;
        self.checkpoint.next_generation();
        let committed = self.pass_on();
        committed.map_err(|error| self.sink_failed(error))?;
        (self.has_news, self.is_urgent) = (false, false);
        self.sent_before = self.sent;
        self.report.add(std::mem::take(&mut self.pending));
        let done = Instant::now();
        self.took = Some(done - started);
        self.due = done + COMMIT_AFTER.max((done - started) * COMMIT_SHARE);
        Ok(())
    }
}

impl Writer<'_> {
    /// What is lost or waits is published in the same commit as the position behind it: it is told once.
    fn write_ledger(&mut self) -> Result<(), Failure> {
        let Some(ledger) = self.ledger else { return Ok(()) };
        let pending = std::mem::take(&mut self.pending);
        let told = ledger.tell(&pending, self);
        self.pending = pending;
        told
    }
}

impl Outlet for Writer<'_> {
    fn take(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        self.write(batch)?;
        batch.clear();
        Ok(())
    }
}

/// What is to be published besides the records of the tables.
pub(in crate::agent) trait Ledger {
    /// Sends the records for `report`.
    fn tell(&self, report: &Report, writer: &mut Writer<'_>) -> Result<(), Failure>;

    /// Sends the records for a table whose creation was read.
    fn begins(&self, begun: &Begun, writer: &mut Writer<'_>) -> Result<(), Failure>;
}

/// A sink's error with its exit code.
pub(in crate::agent) fn sink_failure(error: SinkError) -> Failure {
    let exit = match error.exit_code() {
        2 => Exit::Usage,
        7 => Exit::Locked,
        1 => Exit::Bug,
        _ => Exit::Destination,
    };
    Failure::new(exit, error.to_string())
}

fn checkpoint_failure(error: crate::checkpoint::CheckpointError) -> Failure {
    Failure::new(Exit::Bug, "the checkpoint cannot move").because(error)
}
