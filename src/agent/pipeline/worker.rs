//! Decodes units and turns their mutations into records: one synchronous loop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::batch::{Batch, Retried};
use super::epoch::{Epoch, Verdict};
use super::failed::Failed;
use super::range::Range;
use super::records::Tally;
use super::report::{Outcome, Report, Skipped};
use super::undecoded::readable;
use super::unit::Unit;
use crate::agent::exit::Failure;
use crate::cli::{Undecodable, UnknownTable};
use crate::commitlog::mutation::PartitionUpdate;
use crate::commitlog::{CheckedFrames, Decoder, Frame, Mutation, Position, SegmentId};
use crate::envelope::{Encoder, EncoderConfig, Place, Visibility};
use crate::schema::TableId;

/// Takes what a worker made: a batch when it is full, and the rest at the end of a unit.
pub(in crate::agent) trait Outlet {
    /// Takes the records out of `batch`.
    fn take(&mut self, batch: &mut Batch) -> Result<(), Failure>;
}

/// Knows a later schema than that of a place in the log: what a table is like may stand behind the mutations that need
/// it.
pub(in crate::agent) trait LaterSchema: Sync {
    /// The latest one.
    fn last_epoch(&self) -> Arc<Epoch>;

    /// A mutation was met that the latest one does not decode, and a newer one may.
    fn ask(&self) {}
}

/// Knows which partitions are to be given out here, of those that several nodes have.
pub(in crate::agent) trait Owned: Sync {
    /// Whether this one is.
    fn owns(&self, update: &PartitionUpdate<'_>) -> bool;
}

/// One worker.
#[derive(Clone)]
pub(in crate::agent) struct Worker<'w> {
    /// Where a later schema than that of the place is known.
    pub(in crate::agent) later: &'w dyn LaterSchema,
    pub(in crate::agent) config: &'w EncoderConfig,
    pub(in crate::agent) range: Range,
    /// Mutations that were parked when other ones were asked for.
    pub(in crate::agent) of_other_scopes: BTreeSet<Position>,
    /// Only what it owns is given out; `None`: everything.
    pub(in crate::agent) owned: Option<&'w dyn Owned>,
    /// Count only: no record is kept.
    pub(in crate::agent) dry_run: bool,
    /// Events that are so many microseconds older than their decoding are late.
    pub(in crate::agent) late_after_us: Option<i64>,
    /// What becomes of a mutation of a table or column that no schema describes.
    pub(in crate::agent) unknown_table: UnknownTable,
    /// What becomes of any other mutation that cannot be decoded.
    pub(in crate::agent) undecodable: Undecodable,
    /// Mutations that cannot be decoded and change this table first are given up, whatever the options say.
    pub(in crate::agent) given_up: Option<TableId>,
}

/// What all frames of a unit have in common.
#[derive(Debug, Clone, Copy)]
pub(in crate::agent) struct Origin<'u> {
    pub(in crate::agent) id: SegmentId,
    /// Name of the file.
    pub(in crate::agent) label: &'u str,
    /// Whether the sections are compressed or encrypted.
    pub(in crate::agent) is_stored: bool,
    /// What stands before it was done before.
    pub(in crate::agent) from: Position,
    /// Mutations that were parked before, to be tried again.
    pub(in crate::agent) retried: &'u BTreeSet<Position>,
    /// Whether the segment comes behind a newer one.
    pub(in crate::agent) late: bool,
    /// Schemas by place; the first holds at the start of the unit.
    pub(in crate::agent) epochs: &'u [Arc<Epoch>],
}

/// Frames of one section, back to back.
pub(in crate::agent) struct Stretch<'f, V> {
    /// File offset of the section's marker.
    pub(in crate::agent) marker: u64,
    /// Logical position of the byte from which on offsets of the frames count.
    pub(in crate::agent) logical_start: u64,
    /// Offset of that byte in the section's plain bytes.
    pub(in crate::agent) offset: u64,
    pub(in crate::agent) frames: CheckedFrames<'f>,
    /// Under which promise the mutation with this logical end is read.
    pub(in crate::agent) visibility: V,
}

/// What one unit needs while it is worked on.
pub(in crate::agent) struct Work<'w, 'u> {
    pub(in crate::agent) worker: &'w Worker<'w>,
    pub(in crate::agent) origin: Origin<'u>,
    pub(in crate::agent) outlet: &'w mut dyn Outlet,
    pub(in crate::agent) encoder: Encoder<'w>,
    decoder: Option<Decoder<'u>>,
    epoch: usize,
    pub(in crate::agent) now_ms: i64,
    /// Events with an older timestamp are late.
    pub(in crate::agent) late_before_us: Option<i64>,
    pub(in crate::agent) batch: Batch,
    pub(in crate::agent) report: Report,
    /// Of the mutation at hand.
    pub(in crate::agent) tally: Tally,
    /// Whether an earlier replay parked the mutation at hand.
    pub(in crate::agent) is_retried: bool,
    /// Whether that was in another scope: it is only done when all of it is given out.
    pub(in crate::agent) must_be_whole: bool,
    /// Whether nothing of the mutation at hand is asked for.
    pub(in crate::agent) is_left_out: bool,
}

impl Worker<'_> {
    /// Works through one unit.
    ///
    /// # Errors
    /// The outlet fails, or profile `debezium` meets what it cannot say and must stop.
    pub(in crate::agent) fn run<'w>(
        &'w self,
        unit: &Unit,
        outlet: &'w mut dyn Outlet,
    ) -> Result<Report, Failure> {
        let mut work = self.begin(unit.origin(), outlet);
        for part in &unit.parts {
            work.stretch(Stretch {
                marker: part.marker,
                logical_start: part.logical_start,
                offset: 0,
                frames: part.frames(unit.segment.bytes()),
                visibility: |end| unit.segment.visibility(end),
            })?;
        }
        work.end(unit.bytes)
    }

    /// Begins with frames of `origin`.
    pub(in crate::agent) fn begin<'w, 'u>(
        &'w self,
        origin: Origin<'u>,
        outlet: &'w mut dyn Outlet,
    ) -> Work<'w, 'u> {
        let now_ms = now_ms();
        let now_us = now_ms.saturating_mul(1000);
        let mut work = Work {
            worker: self,
            origin,
            outlet,
            encoder: Encoder::new(self.config),
            decoder: None,
            epoch: 0,
            now_ms,
            late_before_us: self.late_after_us.map(|after| now_us.saturating_sub(after)),
            batch: Batch::default(),
            report: Report::default(),
            tally: Tally::default(),
            is_retried: false,
            must_be_whole: false,
            is_left_out: false,
        };
        work.decoder = work.new_decoder();
        work
    }
}

impl<'u> Work<'_, 'u> {
    pub(in crate::agent) fn epoch(&self) -> Option<&'u Arc<Epoch>> {
        self.origin.epochs.get(self.epoch)
    }

    /// A decoder with the schema of the epoch at hand.
    fn new_decoder(&self) -> Option<Decoder<'u>> {
        self.epoch().map(|epoch| Decoder::new(&epoch.schema))
    }

    /// Works through frames that follow those of the call before.
    pub(in crate::agent) fn stretch<V: Fn(u64) -> Visibility>(
        &mut self,
        stretch: Stretch<'_, V>,
    ) -> Result<(), Failure> {
        let origin = self.origin;
        let mut mutation = Mutation::default();
        for frame in stretch.frames {
            let position =
                Position { segment: origin.id, marker: stretch.marker, entry: frame.entry, row: 0 };
            let retried = origin.retried.contains(&position);
            if position < origin.from && !retried {
                continue;
            }
            self.report.mutations += 1;
            (self.is_retried, self.is_left_out) = (retried, false);
            self.must_be_whole = retried && self.worker.of_other_scopes.contains(&position);
            let outcome = if self.worker.range.excludes_mutation(position) {
                self.is_left_out = true;
                Outcome::Skipped(Skipped::OutsideRange)
            } else {
                self.follow_schema(position);
                let end = stretch.logical_start + frame.end() as u64;
                let place = Place {
                    segment: origin.id,
                    file: origin.label,
                    marker: position.marker,
                    entry: position.entry,
                    end,
                    visibility: (stretch.visibility)(end),
                    late: origin.late || (retried && position < origin.from),
                };
                self.frame(frame, stretch.offset, place, &mut mutation)?
            };
            self.report.settle(outcome);
            self.end_retry(position);
            if self.batch.is_full() {
                self.outlet.take(&mut self.batch)?;
            }
        }
        Ok(())
    }

    /// Hands over what is left. `bytes` of the file were gone through.
    pub(in crate::agent) fn end(mut self, bytes: u64) -> Result<Report, Failure> {
        if !self.batch.is_empty() {
            self.outlet.take(&mut self.batch)?;
        }
        Ok(Report { bytes, ..self.report })
    }

    /// Tells what became of a mutation that was parked, unless it is parked again.
    fn end_retry(&mut self, position: Position) {
        let parked_again = self.batch.parked.last().is_some_and(|parked| parked.entry.position == position);
        if self.is_retried && !parked_again {
            let is_settled = !(self.must_be_whole && self.is_left_out);
            self.batch.retried.push(Retried { position, is_settled });
        }
    }

    /// Goes over to the schema that holds from `position` on.
    fn follow_schema(&mut self, position: Position) {
        let begins = |epoch: &Arc<Epoch>| epoch.from.is_some_and(|from| from <= position);
        let mut changed = false;
        while self.origin.epochs.get(self.epoch + 1).is_some_and(begins) {
            self.epoch += 1;
            changed = true;
        }
        if changed {
            self.encoder = Encoder::new(self.worker.config);
            self.decoder = self.new_decoder();
        }
    }

    /// `offset` is that of the byte from which on offsets of frames count, in the section's plain bytes.
    fn frame<'a>(
        &mut self,
        frame: Frame<'a>,
        offset: u64,
        place: Place<'_>,
        mutation: &mut Mutation<'a>,
    ) -> Result<Outcome, Failure>
    where
        'u: 'a,
    {
        let (Some(epoch), Some(peeked)) = (self.epoch(), readable(frame.payload)) else {
            return Ok(self.lost(frame, offset, place.position(0)));
        };
        match epoch.interest.mutation(&peeked) {
            Verdict::System => Ok(Outcome::Skipped(Skipped::SystemTable)),
            Verdict::Unwanted | Verdict::UnwantedKeyspace => {
                self.is_left_out = true;
                Ok(Outcome::Skipped(Skipped::UnwantedTable))
            }
            Verdict::Wanted | Verdict::Unknown => {
                let Some(mut decoder) = self.decoder.take() else {
                    return Ok(self.lost(frame, offset, place.position(0)));
                };
                let done = self.records(&mut decoder, frame.payload, mutation, place, epoch);
                self.decoder = Some(decoder);
                match done {
                    Ok(outcome) => Ok(outcome),
                    Err(Failed::HandOver(failure)) => Err(failure),
                    Err(failed) => self.undecoded(frame, offset, place, &peeked, failed),
                }
            }
        }
    }
}

/// The wall clock, in milliseconds since 1970.
pub(in crate::agent) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
