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
use super::unit::{SectionPart, Unit};
use crate::agent::exit::Failure;
use crate::cli::{Undecodable, UnknownTable};
use crate::commitlog::{Decoder, Frame, Mutation, Position, SegmentId, peek};
use crate::envelope::{Encoder, EncoderConfig, Place};

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
}

/// One worker.
pub(in crate::agent) struct Worker<'w> {
    /// Where a later schema than that of the place is known.
    pub(in crate::agent) later: &'w dyn LaterSchema,
    pub(in crate::agent) config: &'w EncoderConfig,
    pub(in crate::agent) range: Range,
    /// Mutations that were parked when other ones were asked for.
    pub(in crate::agent) of_other_scopes: BTreeSet<Position>,
    /// Count only: no record is kept.
    pub(in crate::agent) dry_run: bool,
    /// What becomes of a mutation of a table or column that no schema describes.
    pub(in crate::agent) unknown_table: UnknownTable,
    /// What becomes of any other mutation that cannot be decoded.
    pub(in crate::agent) undecodable: Undecodable,
}

/// What one unit needs while it is worked on.
pub(in crate::agent) struct Work<'w, 'u> {
    pub(in crate::agent) worker: &'w Worker<'w>,
    pub(in crate::agent) unit: &'u Unit,
    pub(in crate::agent) outlet: &'w mut dyn Outlet,
    pub(in crate::agent) id: SegmentId,
    pub(in crate::agent) encoder: Encoder<'w>,
    epoch: usize,
    pub(in crate::agent) now_ms: i64,
    pub(in crate::agent) batch: Batch,
    pub(in crate::agent) report: Report,
    /// Of the mutation at hand.
    pub(in crate::agent) tally: Tally,
    /// Whether an earlier replay parked the mutation at hand.
    is_retried: bool,
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
        let mut work = Work {
            worker: self,
            unit,
            outlet,
            id: unit.from.segment,
            encoder: Encoder::new(self.config),
            epoch: 0,
            now_ms: now_ms(),
            batch: Batch::default(),
            report: Report { bytes: unit.bytes, ..Report::default() },
            tally: Tally::default(),
            is_retried: false,
            must_be_whole: false,
            is_left_out: false,
        };
        let mut decoder = work.decoder();
        for part in &unit.parts {
            work.part(part, &mut decoder)?;
        }
        if !work.batch.is_empty() {
            work.outlet.take(&mut work.batch)?;
        }
        Ok(work.report)
    }
}

impl<'u> Work<'_, 'u> {
    pub(in crate::agent) fn epoch(&self) -> Option<&'u Arc<Epoch>> {
        self.unit.epochs.get(self.epoch)
    }

    /// A decoder with the schema of the epoch at hand.
    fn decoder(&self) -> Option<Decoder<'u>> {
        self.epoch().map(|epoch| Decoder::new(&epoch.schema))
    }

    fn part(&mut self, part: &SectionPart, decoder: &mut Option<Decoder<'u>>) -> Result<(), Failure> {
        let unit = self.unit;
        let mut mutation = Mutation::default();
        for frame in part.frames(unit.segment.bytes()) {
            let position = Position { segment: self.id, marker: part.marker, entry: frame.entry, row: 0 };
            let retried = unit.retried.contains(&position);
            if position < unit.from && !retried {
                continue;
            }
            self.report.mutations += 1;
            (self.is_retried, self.is_left_out) = (retried, false);
            self.must_be_whole = retried && self.worker.of_other_scopes.contains(&position);
            let outcome = if self.worker.range.excludes_mutation(position) {
                self.is_left_out = true;
                Outcome::Skipped(Skipped::OutsideRange)
            } else {
                self.follow_schema(position, decoder);
                let end = part.logical_start + frame.end() as u64;
                let place = Place {
                    segment: self.id,
                    file: &unit.segment.label,
                    marker: position.marker,
                    entry: position.entry,
                    end,
                    visibility: unit.segment.visibility(end),
                    late: unit.late || (retried && position < unit.from),
                };
                self.frame(frame, place, decoder, &mut mutation)?
            };
            self.report.settle(outcome);
            self.end_retry(position);
            if self.batch.is_full() {
                self.outlet.take(&mut self.batch)?;
            }
        }
        Ok(())
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
    fn follow_schema(&mut self, position: Position, decoder: &mut Option<Decoder<'u>>) {
        let begins = |epoch: &Arc<Epoch>| epoch.from.is_some_and(|from| from <= position);
        let mut changed = false;
        while self.unit.epochs.get(self.epoch + 1).is_some_and(begins) {
            self.epoch += 1;
            changed = true;
        }
        if changed {
            self.encoder = Encoder::new(self.worker.config);
            *decoder = self.decoder();
        }
    }

    fn frame<'a>(
        &mut self,
        frame: Frame<'a>,
        place: Place<'_>,
        decoder: &mut Option<Decoder<'u>>,
        mutation: &mut Mutation<'a>,
    ) -> Result<Outcome, Failure>
    where
        'u: 'a,
    {
        // Without table id and key there is nothing to park it by, and no schema says more.
        let peeked = peek(frame.payload).ok().filter(|peeked| peeked.updates > 0);
        let (Some(epoch), Some(decoder), Some(peeked)) = (self.epoch(), decoder, peeked) else {
            return Ok(self.lost(frame, place.position(0)));
        };
        match epoch.interest.mutation(&peeked) {
            Verdict::System => Ok(Outcome::Skipped(Skipped::SystemTable)),
            Verdict::Unwanted | Verdict::UnwantedKeyspace => {
                self.is_left_out = true;
                Ok(Outcome::Skipped(Skipped::UnwantedTable))
            }
            Verdict::Wanted | Verdict::Unknown => {
                match self.records(decoder, frame.payload, mutation, place, epoch) {
                    Ok(outcome) => Ok(outcome),
                    Err(Failed::HandOver(failure)) => Err(failure),
                    Err(failed) => self.undecoded(frame, place, &peeked, failed),
                }
            }
        }
    }
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
