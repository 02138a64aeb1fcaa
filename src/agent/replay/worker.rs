//! Decodes units and turns their mutations into records: one synchronous loop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::batch::{Batch, Event, Retried};
use super::epoch::{Epoch, Interest, Verdict};
use super::failed::Failed;
use super::large::PART_ITEMS;
use super::range::Range;
use super::report::{Report, Skipped};
use super::schedule::Schedule;
use super::unit::{SectionPart, Unit};
use crate::agent::exit::Failure;
use crate::change::{ChangeEvent, for_each_event};
use crate::checkpoint::PartitionTag;
use crate::cli::{Undecodable, UnknownTable};
use crate::commitlog::{Decoder, Frame, Mutation, Position, SegmentId, peek};
use crate::envelope::{Encoder, EncoderConfig, Place, Record};
use crate::schema::{TableId, TableSchema};

/// Takes what a worker made: a batch when it is full, and the rest at the end of a unit.
pub(super) trait Outlet {
    /// Takes the records out of `batch`.
    fn take(&mut self, batch: &mut Batch) -> Result<(), Failure>;
}

/// One worker.
pub(super) struct Worker<'w> {
    pub(super) schedule: &'w Schedule,
    pub(super) config: &'w EncoderConfig,
    pub(super) range: Range,
    /// Mutations that were parked when other ones were asked for.
    pub(super) of_other_scopes: BTreeSet<Position>,
    /// Count only: no record is kept.
    pub(super) dry_run: bool,
    /// What becomes of a mutation of a table or column that no schema describes.
    pub(super) unknown_table: UnknownTable,
    /// What becomes of any other mutation that cannot be decoded.
    pub(super) undecodable: Undecodable,
}

/// What one unit needs while it is worked on.
pub(super) struct Work<'w, 'u> {
    pub(super) worker: &'w Worker<'w>,
    pub(super) unit: &'u Unit,
    pub(super) outlet: &'w mut dyn Outlet,
    pub(super) id: SegmentId,
    pub(super) encoder: Encoder<'w>,
    epoch: usize,
    pub(super) now_ms: i64,
    pub(super) batch: Batch,
    pub(super) report: Report,
    /// Events of the mutation at hand, counted once it is through.
    events: Vec<Event>,
    /// Events of the mutation at hand that are not wanted.
    skipped: Vec<Skipped>,
    /// Whether an earlier replay parked the mutation at hand.
    is_retried: bool,
    /// Whether that was in another scope: it is only done when all of it is given out.
    must_be_whole: bool,
    /// Whether nothing of the mutation at hand is asked for.
    pub(super) is_left_out: bool,
}

impl Worker<'_> {
    /// Works through one unit.
    ///
    /// # Errors
    /// The outlet fails, or profile `debezium` meets what it cannot say and must stop.
    pub(super) fn run<'w>(&'w self, unit: &Unit, outlet: &'w mut dyn Outlet) -> Result<Report, Failure> {
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
            events: Vec::new(),
            skipped: Vec::new(),
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
    pub(super) fn epoch(&self) -> Option<&'u Arc<Epoch>> {
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
            if self.worker.range.excludes_mutation(position) {
                self.report.skip(Skipped::OutsideRange);
                self.is_left_out = true;
                self.end_retry(position);
                continue;
            }
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
            self.frame(frame, place, decoder, &mut mutation)?;
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

    /// A mutation that was parked in another scope is given out as a whole or not at all: then nothing is lost, and nothing is given
    /// out twice. `asked` and `left_out`: whether there are events of either kind.
    pub(super) fn check_whole(&mut self, asked: bool, left_out: bool) -> Result<(), Failed> {
        match (self.must_be_whole && left_out, asked) {
            (true, true) => Err(Failed::Part),
            (true, false) => {
                self.is_left_out = true;
                Ok(())
            }
            (false, _) => Ok(()),
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
    ) -> Result<(), Failure>
    where
        'u: 'a,
    {
        let (Some(epoch), Some(decoder)) = (self.epoch(), decoder) else { return Ok(()) };
        // Without table id and key there is nothing to park it by, and no schema says more.
        let Some(peeked) = peek(frame.payload).ok().filter(|peeked| peeked.updates > 0) else {
            self.lost(frame, place.position(0));
            return Ok(());
        };
        match epoch.interest.mutation(&peeked) {
            Verdict::System => self.report.skip(Skipped::SystemTable),
            Verdict::Unwanted | Verdict::UnwantedKeyspace => {
                self.is_left_out = true;
                self.report.skip(Skipped::UnwantedTable);
            }
            Verdict::Wanted | Verdict::Unknown => {
                return match self.decode(decoder, frame.payload, mutation, place, &epoch.interest) {
                    Ok(()) => Ok(()),
                    Err(Failed::HandOver(failure)) => Err(failure),
                    Err(failed) => self.undecoded(frame, place, &peeked, failed),
                };
            }
        }
        Ok(())
    }

    /// Decodes a mutation and makes its records.
    pub(super) fn decode<'a, 's: 'a>(
        &mut self,
        decoder: &mut Decoder<'s>,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        place: Place<'_>,
        interest: &Interest,
    ) -> Result<(), Failed> {
        if payload.len() <= SMALL_PAYLOAD {
            decoder.decode(payload, mutation)?;
            return self.records(mutation, place, interest);
        }
        let mut parts = 0;
        decoder.decode_in_parts(payload, mutation, PART_ITEMS, |_| {
            parts += 1;
            Ok::<_, Failed>(())
        })?;
        // A single part is the whole mutation, and is there still.
        if parts == 1 {
            return self.records(mutation, place, interest);
        }
        self.records_in_parts(decoder, payload, mutation, place, interest)
    }

    /// Makes the records of a mutation: all of them, or none when one cannot be made.
    fn records(
        &mut self,
        mutation: &Mutation<'_>,
        place: Place<'_>,
        interest: &Interest,
    ) -> Result<(), Failed> {
        let wants = |table| interest.table(table) == Verdict::Wanted;
        let wanted = mutation.updates().iter().filter(|update| wants(update.table.id)).count();
        if wanted == 0 {
            self.is_left_out = true;
            self.report.skip(Skipped::UnwantedTable);
            return Ok(());
        }
        let (mark, records) = (self.batch.mark(), self.report.records);
        self.events.clear();
        self.skipped.clear();
        let done = for_each_event(mutation, |event| {
            if wants(event.update.table.id) { self.event(&event, place) } else { Ok(()) }
        });
        let left_out = wanted < mutation.updates().len() || !self.skipped.is_empty();
        let done = done.and_then(|()| self.check_whole(!self.events.is_empty(), left_out));
        if done.is_err() {
            self.batch.truncate(mark);
            self.report.records = records;
            return done;
        }
        self.count_events(mutation);
        self.skipped.iter().for_each(|reason| self.report.skip(*reason));
        Ok(())
    }

    fn event(&mut self, event: &ChangeEvent<'_, '_>, place: Place<'_>) -> Result<(), Failed> {
        if let Some(reason) = self.leaves_out(event, place) {
            self.skipped.push(reason);
            return Ok(());
        }
        self.push(event, place)?;
        self.events.push((event.update.table.id, event.operation));
        Ok(())
    }

    /// Why the event is not wanted, although its table is.
    pub(super) fn leaves_out(&self, event: &ChangeEvent<'_, '_>, place: Place<'_>) -> Option<Skipped> {
        let range = &self.worker.range;
        if !range.contains(place.position(event.index)) {
            Some(Skipped::OutsideRange)
        } else if !range.contains_time(|| event.newest_timestamp()) {
            Some(Skipped::OutsideTime)
        } else {
            None
        }
    }

    /// Makes the records of an event.
    pub(super) fn push(&mut self, event: &ChangeEvent<'_, '_>, place: Place<'_>) -> Result<(), Failed> {
        let (batch, dry_run, records) = (&mut self.batch, self.worker.dry_run, &mut self.report.records);
        let tag = tag(event.update.table.id, event.update.partition_key);
        let counted = (event.update.table.id, event.operation);
        self.encoder.encode::<Failed>(event, place, self.now_ms, |record| {
            *records += 1;
            if dry_run {
                batch.push(&Record { key: &[], value: None, ..*record }, tag, counted);
            } else {
                batch.push(record, tag, counted);
            }
            Ok(())
        })
    }

    fn count_events(&mut self, mutation: &Mutation<'_>) {
        for event in &self.events {
            let found = || mutation.updates().iter().find(|update| update.table.id == event.0);
            let name = || found().map_or_else(String::new, |update| full_name(update.table));
            self.report.count(*event, name, 1);
        }
    }
}

/// Payloads up to this length are decoded at once.
const SMALL_PAYLOAD: usize = 16 << 10;

/// `keyspace.table`
pub(super) fn full_name(table: &TableSchema) -> String {
    format!("{}.{}", table.keyspace, table.name)
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// Equal for mutations of one partition of one table, and hardly for others. Checkpoints hold it.
pub(super) fn tag(table: TableId, partition_key: &[u8]) -> PartitionTag {
    // All of the id: the last bytes of ids that one node gave are the same.
    u64::from(crc32fast::hash(&table.0)) << 32 | u64::from(crc32fast::hash(partition_key))
}
