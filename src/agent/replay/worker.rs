//! Decodes units and turns their mutations into records: one synchronous loop.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::batch::{Batch, Parked, PartitionTag};
use super::epoch::{Epoch, Interest, Verdict};
use super::range::Range;
use super::report::{Report, Skipped, TableEvents};
use super::schedule::{Schedule, Unit};
use crate::agent::exit::{Exit, Failure};
use crate::change::{ChangeEvent, Operation, ShapeError, for_each_event};
use crate::commitlog::{
    Damage, DamageKind, Decoder, Frame, FrameStep, Frames, Mutation, MutationError, Position, SectionStep,
    Sections, SegmentId, peek,
};
use crate::envelope::{EncodeError, Encoder, EncoderConfig, Place, Record};
use crate::schema::TableId;

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
    /// Count only: no record is kept.
    pub(super) dry_run: bool,
    /// Stop at the first mutation that no schema describes.
    pub(super) block_unknown: bool,
}

/// What one unit needs while it is worked on.
struct Work<'w, 'u> {
    worker: &'w Worker<'w>,
    unit: &'u Unit,
    id: SegmentId,
    is_stored: bool,
    encoder: Encoder<'w>,
    epoch: usize,
    now_ms: i64,
    batch: Batch,
    report: Report,
    /// Events of the mutation at hand, counted once it is through.
    events: Vec<(TableId, Operation)>,
}

/// Why a mutation gave no records.
enum Failed {
    Shape,
    Encode(EncodeError),
}

impl From<ShapeError> for Failed {
    fn from(_: ShapeError) -> Self {
        Self::Shape
    }
}

impl From<EncodeError> for Failed {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl Worker<'_> {
    /// Works through one unit.
    ///
    /// # Errors
    /// The outlet fails, or profile `debezium` meets what it cannot say and must stop.
    pub(super) fn run(&self, unit: &Unit, outlet: &mut impl Outlet) -> Result<Report, Failure> {
        let segment = unit
            .segment
            .segment(self.schedule.keys())
            .map_err(|error| Failure::new(Exit::Unreadable, unit.segment.label.clone()).because(error))?;
        let mut work = Work {
            worker: self,
            unit,
            id: segment.descriptor().id,
            encoder: Encoder::new(self.config),
            epoch: 0,
            now_ms: now_ms(),
            batch: Batch::default(),
            report: Report::default(),
            events: Vec::new(),
            is_stored: segment.is_stored(),
        };
        let mut decoder = work.decoder();
        let mut sections = Sections::starting_at(&segment, unit.start);
        while sections.next_marker().is_some_and(|(marker, _)| marker < unit.end) {
            match sections.next_section() {
                Some(SectionStep::Section(frames)) => work.section(frames, &mut decoder, outlet)?,
                // Damage was reported by the first look.
                Some(SectionStep::Damage(_)) => {}
                None => break,
            }
        }
        if !work.batch.is_empty() {
            outlet.take(&mut work.batch)?;
        }
        Ok(work.report)
    }
}

impl<'u> Work<'_, 'u> {
    fn epoch(&self) -> Option<&'u Arc<Epoch>> {
        self.unit.epochs.get(self.epoch)
    }

    /// A decoder with the schema of the epoch at hand.
    fn decoder(&self) -> Option<Decoder<'u>> {
        self.epoch().map(|epoch| Decoder::new(&epoch.schema))
    }

    fn section(
        &mut self,
        mut frames: Frames<'_>,
        decoder: &mut Option<Decoder<'u>>,
        outlet: &mut impl Outlet,
    ) -> Result<(), Failure> {
        let (unit, bounds) = (self.unit, frames.bounds());
        let mut mutation = Mutation::default();
        while let Some(step) = frames.next_frame() {
            let FrameStep::Frame(frame) = step else { continue };
            let position =
                Position { segment: self.id, marker: bounds.marker as u64, entry: frame.entry, row: 0 };
            let retried = unit.retried.contains(&position);
            if position < unit.from && !retried {
                continue;
            }
            self.report.mutations += 1;
            if self.worker.range.excludes_mutation(position) {
                self.report.skip(Skipped::OutsideRange);
                continue;
            }
            self.follow_schema(position, decoder);
            let place = Place {
                segment: self.id,
                file: &unit.segment.label,
                marker: position.marker,
                entry: position.entry,
                end: bounds.logical_start + frame.end() as u64,
                late: retried,
            };
            self.frame(frame, place, decoder, &mut mutation)?;
            let parked_again =
                self.batch.parked.last().is_some_and(|(_, parked)| parked.position == position);
            if retried && !parked_again {
                self.batch.retried.push(position);
            }
            if self.batch.len() >= super::batch::BATCH_BYTES {
                outlet.take(&mut self.batch)?;
            }
        }
        Ok(())
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
        let Ok(peeked) = peek(frame.payload) else {
            self.undecodable(frame, place.position(0));
            return Ok(());
        };
        match epoch.interest.mutation(&peeked) {
            Verdict::System => self.report.skip(Skipped::SystemTable),
            Verdict::Unwanted | Verdict::UnwantedKeyspace => self.report.skip(Skipped::UnwantedTable),
            Verdict::Wanted | Verdict::Unknown => match decoder.decode(frame.payload, mutation) {
                Ok(()) => return self.records(mutation, frame, place, &epoch.interest),
                Err(error) if error.is_unknown_schema() => return self.later_schema(frame, place, &error),
                Err(_) => self.undecodable(frame, place.position(0)),
            },
        }
        Ok(())
    }

    /// Tries the last schema of the log; parks the mutation when that does not help either.
    fn later_schema(
        &mut self,
        frame: Frame<'_>,
        place: Place<'_>,
        error: &MutationError,
    ) -> Result<(), Failure> {
        let last = self.worker.schedule.last_epoch()?;
        let mut mutation = Mutation::default();
        if Decoder::new(&last.schema).decode(frame.payload, &mut mutation).is_ok() {
            let encoder = std::mem::replace(&mut self.encoder, Encoder::new(self.worker.config));
            let done = self.records(&mutation, frame, place, &last.interest);
            self.encoder = encoder;
            return done;
        }
        if self.worker.block_unknown {
            let what = format!("mutation at {}: {error}", place.position(0));
            return Err(Failure::new(Exit::UnknownSchema, what)
                .next("give a schema that has the table, or use --unknown-table ledger"));
        }
        if let MutationError::UnknownTable(table) = error {
            *self.report.unknown_tables.entry(*table).or_default() += 1;
        }
        let tag = peek(frame.payload).map_or(0, |peeked| tag(peeked.table, peeked.partition_key));
        self.batch.park(Parked { position: place.position(0), tag, reason: error.to_string() });
        Ok(())
    }

    /// Makes the records of a mutation: all of them, or none when one cannot be made.
    fn records(
        &mut self,
        mutation: &Mutation<'_>,
        frame: Frame<'_>,
        place: Place<'_>,
        interest: &Interest,
    ) -> Result<(), Failure> {
        let wants = |table| interest.table(table) == Verdict::Wanted;
        if !mutation.updates().iter().any(|update| wants(update.table.id)) {
            self.report.skip(Skipped::UnwantedTable);
            return Ok(());
        }
        let (mark, records) = (self.batch.mark(), self.report.records);
        self.events.clear();
        let done = for_each_event(mutation, |event| {
            if wants(event.update.table.id) { self.event(&event, place) } else { Ok(()) }
        });
        if let Err(failed) = done {
            self.batch.truncate(mark);
            self.report.records = records;
            return self.no_records(frame, place.position(0), failed);
        }
        self.count_events(mutation);
        Ok(())
    }

    fn no_records(&mut self, frame: Frame<'_>, position: Position, failed: Failed) -> Result<(), Failure> {
        match failed {
            Failed::Encode(error @ EncodeError::Unrepresentable { .. }) => {
                Err(Failure::new(Exit::Usage, format!("mutation at {position}: {error}")))
            }
            Failed::Shape | Failed::Encode(_) => {
                self.undecodable(frame, position);
                Ok(())
            }
        }
    }

    fn event(&mut self, event: &ChangeEvent<'_, '_>, place: Place<'_>) -> Result<(), Failed> {
        let position = place.position(event.index);
        if !self.worker.range.contains(position) {
            self.report.skip(Skipped::OutsideRange);
            return Ok(());
        }
        if !self.worker.range.contains_time(|| event.newest_timestamp()) {
            self.report.skip(Skipped::OutsideTime);
            return Ok(());
        }
        let (batch, dry_run, records) = (&mut self.batch, self.worker.dry_run, &mut self.report.records);
        let tag = tag(event.update.table.id, event.update.partition_key);
        self.encoder.encode::<Failed>(event, place, self.now_ms, |record| {
            *records += 1;
            if dry_run {
                batch.push(&Record { key: &[], value: None, ..*record }, tag);
            } else {
                batch.push(record, tag);
            }
            Ok(())
        })?;
        self.events.push((event.update.table.id, event.operation));
        Ok(())
    }

    fn count_events(&mut self, mutation: &Mutation<'_>) {
        for (table, operation) in &self.events {
            let updates = || mutation.updates().iter().map(|update| update.table);
            let counts = self.report.events.entry(*table).or_insert_with(|| {
                let found = updates().find(|candidate| candidate.id == *table);
                let name = found.map(|table| format!("{}.{}", table.keyspace, table.name));
                TableEvents { name: name.unwrap_or_default(), ..TableEvents::default() }
            });
            *counts.by_operation.entry(*operation).or_default() += 1;
        }
    }

    /// The checksums are right and the bytes make no sense: the mutation is lost.
    fn undecodable(&mut self, frame: Frame<'_>, position: Position) {
        let in_file = if self.is_stored { 0 } else { MARKER_LENGTH + frame.offset as u64 };
        let damage = Damage {
            kind: DamageKind::Mutation,
            offset: position.marker + in_file,
            plain_offset: Some(frame.offset as u64),
            lost_bytes: frame.length() as u64,
            lost_mutations: Some(1),
        };
        self.report.damaged(self.id, damage);
    }
}

/// Length of a sync marker in bytes.
const MARKER_LENGTH: u64 = 8;

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// Equal for mutations of one partition of one table, and hardly for others.
fn tag(table: TableId, partition_key: &[u8]) -> PartitionTag {
    // All of the id: the last bytes of ids that one node gave are the same.
    u64::from(crc32fast::hash(&table.0)) << 32 | u64::from(crc32fast::hash(partition_key))
}
