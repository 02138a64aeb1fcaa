//! Writes batches to the sink, in order, and commits what is done.

use std::collections::HashSet;

use super::batch::{Batch, Event, MutationRecords, Parked, PartitionTag};
use super::report::{Report, Undelivered};
use super::schedule::After;
use super::worker::Outlet;
use crate::agent::exit::{Exit, Failure};
use crate::checkpoint::Checkpoint;
use crate::commitlog::Position;
use crate::sink::{Sink, SinkError};

/// Bytes of records between commits.
const COMMIT_BYTES: usize = 64 << 20;

/// The end of the way: sink, checkpoint, and the mutations that wait.
pub(super) struct Writer<'s> {
    sink: &'s mut dyn Sink,
    checkpoint: Checkpoint,
    uncommitted: usize,
    /// Partitions with a parked mutation: what comes after it in the same partition waits behind it.
    parked: HashSet<PartitionTag>,
    /// Records and events of the unit at hand that were held back.
    held_back: (u64, Vec<Event>),
    /// Whether the checkpoint moves with the units. It does not when only a part of the log is replayed: then
    /// there is one commit, at the end.
    moves: bool,
    pub(super) report: Report,
}

impl<'s> Writer<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink, moves: bool) -> Self {
        Self {
            checkpoint: sink.checkpoint().cloned().unwrap_or_default(),
            sink,
            uncommitted: 0,
            parked: HashSet::new(),
            held_back: (0, Vec::new()),
            moves,
            report: Report::default(),
        }
    }

    /// Sends the records of a batch.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
        let mut parked = batch.parked.iter().peekable();
        let mut held_back = HashSet::new();
        for (number, mutation) in batch.mutations() {
            while let Some((_, parked)) = parked.next_if(|(before, _)| *before <= number) {
                self.park(parked)?;
            }
            if !self.parked.is_empty() && mutation.tags().any(|tag| self.parked.contains(&tag)) {
                held_back.extend(mutation.position());
                self.hold_back(mutation)?;
            } else {
                mutation.records().try_for_each(|record| self.sink.send(&record).map_err(sink_failure))?;
            }
        }
        for (_, parked) in parked {
            self.park(parked)?;
        }
        for place in batch.retried.iter().filter(|place| !held_back.contains(*place)) {
            self.checkpoint.unpark(*place).map_err(checkpoint_failure)?;
        }
        self.uncommitted += batch.len();
        Ok(())
    }

    /// A mutation waits as a whole, and what follows it in any of its partitions waits behind it.
    fn hold_back(&mut self, mutation: MutationRecords<'_>) -> Result<(), Failure> {
        let Some(position) = mutation.position() else { return Ok(()) };
        self.held_back.0 += mutation.count() as u64;
        self.held_back.1.extend(mutation.events());
        self.parked.extend(mutation.tags());
        self.note_parked(Undelivered {
            position,
            table: None,
            bytes: None,
            reason: "it waits behind a parked mutation of its partition".to_owned(),
        })
    }

    fn park(&mut self, parked: &Parked) -> Result<(), Failure> {
        self.parked.insert(parked.tag);
        self.report.parked_unfit += u64::from(!parked.is_unknown);
        self.note_parked(parked.entry.clone())
    }

    fn note_parked(&mut self, entry: Undelivered) -> Result<(), Failure> {
        if self.moves && !self.is_ahead_of(entry.position) {
            self.checkpoint.park(entry.position).map_err(checkpoint_failure)?;
        }
        self.report.parked.push(entry);
        Ok(())
    }

    /// A unit is through: moves the checkpoint, commits now and then and at the end of a segment.
    pub(super) fn end_unit(&mut self, mut report: Report, after: After) -> Result<(), Failure> {
        let (records, events) = std::mem::take(&mut self.held_back);
        report.take_back(records, &events);
        self.report.add(report);
        if !self.moves {
            return Ok(());
        }
        match after {
            After::Continue(next) if self.is_ahead_of(next) => {}
            After::Continue(next) => self.checkpoint.advance(next).map_err(checkpoint_failure)?,
            After::Finish(segment, fingerprint) => {
                self.checkpoint.finish(segment, fingerprint).map_err(checkpoint_failure)?;
            }
        }
        if self.uncommitted >= COMMIT_BYTES || matches!(after, After::Finish(..)) {
            self.commit()?;
        }
        Ok(())
    }

    /// Whether `next` was reached before: the segment is replayed once more.
    fn is_ahead_of(&self, next: Position) -> bool {
        self.checkpoint.done_as(next.segment).is_some()
            || self.checkpoint.open_at(next.segment).is_some_and(|reached| reached > next)
    }

    /// Makes everything durable that was sent.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        self.uncommitted = 0;
        self.checkpoint.next_generation();
        self.sink.commit(&self.checkpoint).map_err(sink_failure)
    }
}

impl Outlet for Writer<'_> {
    fn take(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        self.write(batch)?;
        batch.clear();
        Ok(())
    }
}

/// A sink's error with its exit code.
pub(super) fn sink_failure(error: SinkError) -> Failure {
    if matches!(error, SinkError::Closed) {
        return Failure::stdout(std::io::ErrorKind::BrokenPipe.into());
    }
    let exit = match error.exit_code() {
        7 => Exit::Locked,
        1 => Exit::Bug,
        _ => Exit::Destination,
    };
    Failure::new(exit, error.to_string())
}

fn checkpoint_failure(error: crate::checkpoint::CheckpointError) -> Failure {
    Failure::new(Exit::Bug, "the checkpoint cannot move").because(error)
}
