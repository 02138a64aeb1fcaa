//! Mutations that are too large to be in memory decoded, and all their records with them.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::{Event, LargeMutation};
use super::epoch::{Interest, Verdict};
use super::failed::Failed;
use super::report::Skipped;
use super::worker::{Work, full_name, tag};
use crate::change::for_each_event_of_part;
use crate::checkpoint::PartitionTag;
use crate::commitlog::{Decoder, Mutation};
use crate::envelope::Place;
use crate::schema::TableId;

/// Rows, cells and other items that are decoded at once.
pub(super) const PART_ITEMS: usize = 8192;

/// What the first pass finds.
#[derive(Default)]
struct Found {
    records: u64,
    events: BTreeMap<Event, u64>,
    skipped: BTreeMap<Skipped, u64>,
    names: BTreeMap<TableId, String>,
    tags: BTreeSet<PartitionTag>,
    /// Whether it changes tables that are not wanted, too.
    has_unwanted: bool,
}

impl Work<'_, '_> {
    /// Makes the records of a mutation part by part: all of them, or none when one cannot be made. So there are
    /// two passes, and the first one throws its records away.
    pub(super) fn records_in_parts<'a, 's: 'a>(
        &mut self,
        decoder: &mut Decoder<'s>,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        place: Place<'_>,
        interest: &Interest,
    ) -> Result<(), Failed> {
        let found = self.look_through(decoder, payload, mutation, place, interest)?;
        if found.tags.is_empty() {
            self.is_left_out = true;
            self.report.skip(Skipped::UnwantedTable);
            return Ok(());
        }
        let left_out = found.has_unwanted || !found.skipped.is_empty();
        self.check_whole(!found.events.is_empty(), left_out)?;
        let mut large = LargeMutation {
            position: place.position(0),
            tags: found.tags.into_iter().collect(),
            is_continued: false,
        };
        self.batch.begin_large(large.clone());
        large.is_continued = true;
        let last = self.report.records + found.records;
        let mut index = 0;
        decoder.decode_in_parts(payload, mutation, PART_ITEMS, |part| {
            for_each_event_of_part(part, &mut index, |event| {
                if interest.table(event.update.table.id) != Verdict::Wanted
                    || self.leaves_out(&event, place).is_some()
                {
                    return Ok(());
                }
                // The last records stay with what is said of the mutation as a whole.
                if self.batch.is_full() && self.report.records < last {
                    self.outlet.take(&mut self.batch).map_err(Failed::HandOver)?;
                    self.batch.begin_large(large.clone());
                }
                self.push(&event, place)
            })
        })?;
        for (event, count) in found.events {
            let name = || found.names.get(&event.0).cloned().unwrap_or_default();
            self.report.count(event, name, count);
        }
        for (reason, count) in found.skipped {
            *self.report.skipped.entry(reason).or_default() += count;
        }
        Ok(())
    }

    fn look_through<'a, 's: 'a>(
        &mut self,
        decoder: &mut Decoder<'s>,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        place: Place<'_>,
        interest: &Interest,
    ) -> Result<Found, Failed> {
        let wants = |table| interest.table(table) == Verdict::Wanted;
        let mut found = Found::default();
        let mut index = 0;
        decoder.decode_in_parts::<Failed>(payload, mutation, PART_ITEMS, |part| {
            for update in part.updates() {
                if !wants(update.table.id) {
                    found.has_unwanted = true;
                    continue;
                }
                found.tags.insert(tag(update.table.id, update.partition_key));
                found.names.entry(update.table.id).or_insert_with(|| full_name(update.table));
            }
            for_each_event_of_part(part, &mut index, |event| {
                if !wants(event.update.table.id) {
                    return Ok(());
                }
                if let Some(reason) = self.leaves_out(&event, place) {
                    *found.skipped.entry(reason).or_default() += 1;
                    return Ok(());
                }
                *found.events.entry((event.update.table.id, event.operation)).or_default() += 1;
                self.encoder.encode(&event, place, self.now_ms, |_| {
                    found.records += 1;
                    Ok(())
                })
            })
        })?;
        Ok(found)
    }
}
