//! A mutation's records: all of them, or none when one cannot be made.
//!
//! A small mutation is decoded at once. One that is too large to be in memory decoded, and all its records with it, is
//! gone through in parts, twice: the first time its records are thrown away.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::{Event, LargeMutation};
use super::epoch::{Epoch, Verdict};
use super::failed::Failed;
use super::report::{Outcome, Report, Skipped};
use super::worker::Work;
use crate::change::{ChangeEvent, for_each_event_of_part};
use crate::checkpoint::PartitionTag;
use crate::commitlog::{Decoder, Mutation};
use crate::envelope::{Place, Record};
use crate::schema::{TableId, TableSchema};

/// Payloads up to this length are decoded at once.
const SMALL_PAYLOAD: usize = 16 << 10;

/// Of larger ones, so many rows, cells and other items.
const PART_ITEMS: usize = 8192;

/// What is found in one mutation.
#[derive(Debug, Default)]
pub(in crate::agent) struct Tally {
    /// Events to give out. Events of one kind mostly stand together.
    events: Vec<(Event, u64)>,
    /// Events of wanted tables that are not to be given out.
    left_out: BTreeMap<Skipped, u64>,
    /// Whether it changes tables that are wanted.
    has_wanted: bool,
    /// Whether it changes others.
    has_unwanted: bool,
}

impl Tally {
    fn clear(&mut self) {
        self.events.clear();
        self.left_out.clear();
        (self.has_wanted, self.has_unwanted) = (false, false);
    }

    /// Counts the tables of a mutation, or of a part of it.
    fn tables(&mut self, mutation: &Mutation<'_>, epoch: &Epoch) {
        for update in mutation.updates() {
            match wants(epoch, update.table) {
                true => self.has_wanted = true,
                false => self.has_unwanted = true,
            }
        }
    }

    fn event(&mut self, event: &ChangeEvent<'_, '_>) {
        let event = counted(event);
        match self.events.iter_mut().rev().find(|(known, _)| *known == event) {
            Some((_, count)) => *count += 1,
            None => self.events.push((event, 1)),
        }
    }

    fn outcome(&self) -> Outcome {
        match (self.has_wanted, self.left_out.keys().next()) {
            _ if !self.events.is_empty() => Outcome::WithEvents,
            (false, _) => Outcome::Skipped(Skipped::UnwantedTable),
            (true, Some(reason)) => Outcome::Skipped(*reason),
            (true, None) => Outcome::Skipped(Skipped::NoEvent),
        }
    }
}

impl Work<'_, '_> {
    /// Decodes a mutation with the schema of `epoch`, which is the decoder's, and makes its records.
    pub(in crate::agent) fn records<'a, 's: 'a>(
        &mut self,
        decoder: &mut Decoder<'s>,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        place: Place<'_>,
        epoch: &Epoch,
    ) -> Result<Outcome, Failed> {
        let mut tally = std::mem::take(&mut self.tally);
        tally.clear();
        let Report { records, record_bytes, tombstones, late, .. } = self.report;
        let done = if payload.len() <= SMALL_PAYLOAD {
            let decoded = decoder.decode(payload, mutation).map_err(Failed::from);
            decoded.and_then(|()| self.at_once(mutation, place, epoch, &mut tally))
        } else {
            self.in_parts(decoder, payload, mutation, place, epoch, &mut tally)
        };
        match &done {
            Ok(()) => self.count(&tally, epoch),
            Err(_) => {
                let report = &mut self.report;
                (report.records, report.record_bytes) = (records, record_bytes);
                (report.tombstones, report.late) = (tombstones, late);
            }
        }
        let outcome = done.map(|()| tally.outcome());
        self.tally = tally;
        outcome
    }

    /// The records of a mutation that is decoded.
    fn at_once(
        &mut self,
        mutation: &Mutation<'_>,
        place: Place<'_>,
        epoch: &Epoch,
        tally: &mut Tally,
    ) -> Result<(), Failed> {
        tally.tables(mutation, epoch);
        if !tally.has_wanted {
            return self.check_whole(tally);
        }
        let (mark, mut index) = (self.batch.mark(), 0);
        let done = for_each_event_of_part(mutation, &mut index, |event| {
            if self.asks_for(&event, place, epoch, tally) { self.push(&event, place) } else { Ok(()) }
        });
        let done = done.and_then(|()| self.check_whole(tally));
        if done.is_err() {
            self.batch.truncate(mark);
        }
        done
    }

    fn in_parts<'a, 's: 'a>(
        &mut self,
        decoder: &mut Decoder<'s>,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        place: Place<'_>,
        epoch: &Epoch,
        tally: &mut Tally,
    ) -> Result<(), Failed> {
        let mut parts = 0;
        decoder.decode_in_parts(payload, mutation, PART_ITEMS, |_| {
            parts += 1;
            Ok::<_, Failed>(())
        })?;
        // A single part is the whole mutation, and is there still.
        if parts == 1 {
            return self.at_once(mutation, place, epoch, tally);
        }
        let (tags, records) = self.look_through(decoder, payload, mutation, place, epoch, tally)?;
        self.check_whole(tally)?;
        if tally.events.is_empty() {
            return Ok(());
        }
        let mut large = LargeMutation {
            position: place.position(0),
            tags: tags.into_iter().collect(),
            is_continued: false,
        };
        self.batch.begin_large(large.clone());
        large.is_continued = true;
        let last = self.report.records + records;
        let mut index = 0;
        decoder.decode_in_parts(payload, mutation, PART_ITEMS, |part| {
            for_each_event_of_part(part, &mut index, |event| {
                if !wants(epoch, event.update.table) || self.leaves_out(&event, place).is_some() {
                    return Ok(());
                }
                // The last records stay with what is said of the mutation as a whole.
                if self.batch.is_full() && self.report.records < last {
                    self.outlet.take(&mut self.batch).map_err(Failed::HandOver)?;
                    self.batch.begin_large(large.clone());
                }
                self.push(&event, place)
            })
        })
    }

    /// The first time through a large mutation: its partitions, and the number of its records.
    fn look_through<'a, 's: 'a>(
        &mut self,
        decoder: &mut Decoder<'s>,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        place: Place<'_>,
        epoch: &Epoch,
        tally: &mut Tally,
    ) -> Result<(BTreeSet<PartitionTag>, u64), Failed> {
        let (mut tags, mut records) = (BTreeSet::new(), 0);
        let mut index = 0;
        decoder.decode_in_parts::<Failed>(payload, mutation, PART_ITEMS, |part| {
            tally.tables(part, epoch);
            let wanted = part.updates().iter().filter(|update| wants(epoch, update.table));
            tags.extend(wanted.map(|update| tag(update.table.id, update.partition_key)));
            for_each_event_of_part(part, &mut index, |event| {
                if !self.asks_for(&event, place, epoch, tally) {
                    return Ok(());
                }
                self.encoder.encode(&event, place, self.now_ms, |_| {
                    records += 1;
                    Ok(())
                })
            })
        })?;
        Ok((tags, records))
    }

    /// Whether an event is to be given out; counts it.
    fn asks_for(
        &self,
        event: &ChangeEvent<'_, '_>,
        place: Place<'_>,
        epoch: &Epoch,
        tally: &mut Tally,
    ) -> bool {
        if !wants(epoch, event.update.table) {
            return false;
        }
        let reason = self.leaves_out(event, place);
        match reason {
            Some(reason) => *tally.left_out.entry(reason).or_default() += 1,
            None => tally.event(event),
        }
        reason.is_none()
    }

    /// Why the event is not wanted, although its table is.
    fn leaves_out(&self, event: &ChangeEvent<'_, '_>, place: Place<'_>) -> Option<Skipped> {
        let range = &self.worker.range;
        if !range.contains(place.position(event.index)) {
            Some(Skipped::OutsideRange)
        } else if !range.contains_time(|| event.newest_timestamp()) {
            Some(Skipped::OutsideTime)
        } else if !self.worker.owned.is_none_or(|owned| owned.owns(event.update)) {
            Some(Skipped::NotOwned)
        } else {
            None
        }
    }

    /// A mutation that was parked in another scope is given out as a whole or not at all: then nothing is lost, and
    /// nothing is given out twice.
    fn check_whole(&mut self, tally: &Tally) -> Result<(), Failed> {
        let has_more = tally.has_unwanted || !tally.left_out.is_empty();
        match (self.must_be_whole && has_more, tally.events.is_empty()) {
            (true, false) => return Err(Failed::Part),
            (true, true) => self.is_left_out = true,
            (false, _) => {}
        }
        Ok(())
    }

    /// Makes the records of an event.
    fn push(&mut self, event: &ChangeEvent<'_, '_>, place: Place<'_>) -> Result<(), Failed> {
        let is_old = self.is_old(event);
        let place = Place { late: place.late || is_old, ..place };
        let (batch, dry_run, report) = (&mut self.batch, self.worker.dry_run, &mut self.report);
        let tag = tag(event.update.table.id, event.update.partition_key);
        self.encoder.encode::<Failed>(event, place, self.now_ms, |record| {
            report.records += 1;
            report.record_bytes += record.bytes();
            report.tombstones += u64::from(record.value.is_none());
            if dry_run {
                batch.push(&Record { key: &[], value: None, ..*record }, tag, counted(event));
            } else {
                batch.push(record, tag, counted(event));
            }
            Ok(())
        })
    }

    /// Whether the event was written long ago; counts it.
    fn is_old(&mut self, event: &ChangeEvent<'_, '_>) -> bool {
        let Some(before) = self.late_before_us else { return false };
        let newest = event.newest_timestamp();
        let table = self.report.events.entry(event.update.table.id).or_default();
        table.newest_us = table.newest_us.max(Some(newest));
        self.report.late += u64::from(newest < before);
        newest < before
    }

    fn count(&mut self, tally: &Tally, epoch: &Epoch) {
        for (event, count) in &tally.events {
            let name = || epoch.schema.table(event.0).map_or_else(String::new, |table| full_name(table));
            self.report.count(*event, name, *count);
        }
        for (reason, count) in &tally.left_out {
            *self.report.left_out.entry(*reason).or_default() += count;
        }
    }
}

fn wants(epoch: &Epoch, table: &TableSchema) -> bool {
    epoch.interest.table(table.id) == Verdict::Wanted
}

fn counted(event: &ChangeEvent<'_, '_>) -> Event {
    (event.update.table.id, event.operation)
}

/// `keyspace.table`
pub(in crate::agent) fn full_name(table: &TableSchema) -> String {
    format!("{}.{}", table.keyspace, table.name)
}

/// Equal for mutations of one partition of one table, and hardly for others. Checkpoints hold it.
pub(in crate::agent) fn tag(table: TableId, partition_key: &[u8]) -> PartitionTag {
    // All of the id: the last bytes of ids that one node gave are the same.
    u64::from(crc32fast::hash(&table.0)) << 32 | u64::from(crc32fast::hash(partition_key))
}
