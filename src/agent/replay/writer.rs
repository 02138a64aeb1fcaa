//! Writes batches to the sink, in order, and commits what is done.

use std::collections::HashSet;

use super::batch::{Batch, PartitionTag};
use super::report::Report;
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
    /// The mutation that was held back last, to count each once.
    held: Option<Position>,
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
            held: None,
            moves,
            report: Report::default(),
        }
    }

    /// Sends the records of a batch.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
        let mut parked = batch.parked.iter().peekable();
        for (number, (record, tag)) in batch.records().enumerate() {
            while let Some((_, parked)) = parked.next_if(|(before, _)| *before <= number) {
                self.park(parked.tag, parked.position, &parked.reason)?;
            }
            if !self.parked.is_empty() && self.parked.contains(&tag) {
                self.hold_back(record.position, tag)?;
            } else {
                self.sink.send(&record).map_err(sink_failure)?;
            }
        }
        for (_, parked) in parked {
            self.park(parked.tag, parked.position, &parked.reason)?;
        }
        self.uncommitted += batch.len();
        Ok(())
    }

    fn hold_back(&mut self, position: Position, tag: PartitionTag) -> Result<(), Failure> {
        self.report.records = self.report.records.saturating_sub(1);
        let mutation = Position { row: 0, ..position };
        if self.held.replace(mutation) == Some(mutation) {
            return Ok(());
        }
        self.park(tag, mutation, "it waits behind a parked mutation of its partition")
    }

    fn park(&mut self, tag: PartitionTag, position: Position, reason: &str) -> Result<(), Failure> {
        self.parked.insert(tag);
        if self.moves && !self.is_ahead_of(position) {
            self.checkpoint.park(position).map_err(checkpoint_failure)?;
        }
        self.report.parked.push((position, reason.to_owned()));
        Ok(())
    }

    /// A unit is through: moves the checkpoint, commits now and then and at the end of a segment.
    pub(super) fn end_unit(&mut self, report: Report, after: After) -> Result<(), Failure> {
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
