//! What happened, counted: by a unit of work, and summed over a replay.

use std::collections::BTreeMap;

use super::batch::Event;
use super::begun::Begun;
use super::doubt::Doubt;
use super::system_change::Truncated;
use crate::change::Operation;
use crate::commitlog::{Damage, Position, SegmentId};
use crate::schema::{TableId, TableMap};

/// Damage and other lists are kept up to this many entries; beyond it they are only counted.
const LISTED: usize = 1000;

/// Events of one table.
#[derive(Debug, Default)]
pub(in crate::agent) struct TableEvents {
    /// `keyspace.table`
    pub(in crate::agent) name: String,
    pub(in crate::agent) by_operation: BTreeMap<Operation, u64>,
    /// The newest timestamp of those that were compared with the clock, microseconds since the epoch.
    pub(in crate::agent) newest_us: Option<i64>,
}

/// Mutations of a table that no schema describes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) struct UnknownMutations {
    pub(in crate::agent) mutations: u64,
    /// Of their payloads.
    pub(in crate::agent) bytes: u64,
}

/// What was done. `mutations` is the sum of `with_events`, `skipped`, `parked` and `undecodable`; `records` that of
/// `events` and `tombstones`.
#[derive(Debug, Default)]
pub(in crate::agent) struct Report {
    pub(in crate::agent) segments_read: u64,
    pub(in crate::agent) segments_done_before: u64,
    pub(in crate::agent) sections: u64,
    pub(in crate::agent) mutations: u64,
    pub(in crate::agent) bytes: u64,
    /// Mutations with events that are given out.
    pub(in crate::agent) with_events: u64,
    /// Mutations of which nothing is given out, nor waits.
    pub(in crate::agent) skipped: BTreeMap<Skipped, u64>,
    /// Mutations that are lost although their checksums are right.
    pub(in crate::agent) undecodable: u64,
    pub(in crate::agent) records: u64,
    /// Of their keys and values.
    pub(in crate::agent) record_bytes: u64,
    /// Of the records: those without value.
    pub(in crate::agent) tombstones: u64,
    pub(in crate::agent) events: TableMap<TableEvents>,
    /// Of the events: those that were written long before they were read, where that is looked at.
    pub(in crate::agent) late: u64,
    /// Events of wanted tables that are not given out.
    pub(in crate::agent) left_out: BTreeMap<Skipped, u64>,
    /// Records that the destination was given and that are not committed, because the replay failed.
    pub(in crate::agent) uncommitted_records: u64,
    /// Whether the replay failed.
    pub(in crate::agent) is_failed: bool,
    /// Mutations of tables that no schema describes, by table id.
    pub(in crate::agent) unknown_tables: BTreeMap<TableId, UnknownMutations>,
    pub(in crate::agent) lost: Lost,
    pub(in crate::agent) damage: Limited<(SegmentId, Damage)>,
    pub(in crate::agent) parked: Limited<Undelivered>,
    /// Mutations that were tried again in vain, and told of before.
    pub(in crate::agent) parked_again: Limited<Undelivered>,
    /// Mutations that earlier replays parked and that could not be tried again: their segments were not given.
    pub(in crate::agent) parked_elsewhere: BTreeMap<SegmentId, u64>,
    /// Mutations that earlier replays parked and that this one does not ask for: they stay parked.
    pub(in crate::agent) parked_unasked: u64,
    /// Of the parked mutations: those for which the schema does have the table and its columns.
    pub(in crate::agent) parked_unfit: u64,
    /// Mutations that no schema at hand decodes and that the user wants to go past; they count as lost too.
    pub(in crate::agent) given_up: Limited<Undelivered>,
    /// Segments that could not be read at all, with the reason.
    pub(in crate::agent) unreadable: Vec<(String, String)>,
    /// Segments whose descriptor is damaged, with the reason.
    pub(in crate::agent) damaged_segments: Vec<(String, String)>,
    pub(in crate::agent) schema_changes: Vec<(Position, String)>,
    /// Wanted tables whose creation was read: not to be counted, but to be told of at once.
    pub(in crate::agent) begun: Vec<Begun>,
    /// Wanted tables that the node truncated, and where it noted that.
    pub(in crate::agent) truncated: Vec<(Position, Truncated)>,
    /// Places behind which the schema may be another one than the log was written with.
    pub(in crate::agent) schema_doubtful: Limited<Doubt>,
    /// Bytes behind the last marker: written, never synced.
    pub(in crate::agent) unmarked_bytes: u64,
}

/// What became of one mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Outcome {
    /// Some of its events are given out.
    WithEvents,
    Skipped(Skipped),
    /// It waits for a better schema.
    Parked,
    /// It is lost: the checksums are right and nothing can be made of the bytes.
    Undecodable,
}

/// Why nothing of a mutation is given out, or why an event is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::agent) enum Skipped {
    /// It changes no table that is wanted.
    UnwantedTable,
    /// It is of Cassandra's own tables.
    SystemTable,
    /// It is of a table that no schema has, and such tables are taken for dropped ones.
    UnknownTable,
    /// Outside `--from`, `--to`.
    OutsideRange,
    /// Outside `--since`, `--until`.
    OutsideTime,
    /// Another node owns its partition first, and only what is owned first was asked for.
    NotOwned,
    /// It changes nothing in the tables that are wanted.
    NoEvent,
}

impl Skipped {
    pub(in crate::agent) fn name(self) -> &'static str {
        match self {
            Self::UnwantedTable => "unwanted_table",
            Self::SystemTable => "system_table",
            Self::UnknownTable => "unknown_table",
            Self::OutsideRange => "outside_range",
            Self::OutsideTime => "outside_time",
            Self::NotOwned => "not_owned",
            Self::NoEvent => "no_event",
        }
    }
}

/// What was counted as given out, and waits.
#[derive(Debug, Default)]
pub(in crate::agent) struct HeldBack {
    pub(in crate::agent) mutations: u64,
    pub(in crate::agent) records: u64,
    pub(in crate::agent) record_bytes: u64,
    pub(in crate::agent) events: BTreeMap<Event, u64>,
}

/// A mutation that is not delivered, for the ledger. Never holds values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) struct Undelivered {
    pub(in crate::agent) position: Position,
    /// `keyspace.table` of the first update, or the table id when the schema does not have it; `None` of a
    /// mutation that only waits.
    pub(in crate::agent) table: Option<String>,
    /// Length of the payload, where it was not decoded.
    pub(in crate::agent) bytes: Option<u64>,
    pub(in crate::agent) reason: String,
}

/// What damage took.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) struct Lost {
    pub(in crate::agent) sections: u64,
    pub(in crate::agent) bytes: u64,
    /// Known ones.
    pub(in crate::agent) mutations: u64,
    /// Whether more mutations are lost than could be counted.
    pub(in crate::agent) more_mutations: bool,
}

/// The first entries of a list, and how many there were in all.
#[derive(Debug)]
pub(in crate::agent) struct Limited<T> {
    pub(in crate::agent) listed: Vec<T>,
    pub(in crate::agent) count: u64,
}

impl<T> Default for Limited<T> {
    fn default() -> Self {
        Self { listed: Vec::new(), count: 0 }
    }
}

impl<T> Limited<T> {
    pub(in crate::agent) fn push(&mut self, item: T) {
        self.count += 1;
        if self.listed.len() < LISTED {
            self.listed.push(item);
        }
    }

    /// Adds entries.
    pub(in crate::agent) fn extend(&mut self, items: impl IntoIterator<Item = T>) {
        items.into_iter().for_each(|item| self.push(item));
    }

    fn append(&mut self, other: Self) {
        let unlisted = other.count - other.listed.len() as u64;
        for item in other.listed {
            self.push(item);
        }
        self.count += unlisted;
    }
}

impl Report {
    /// Counts a mutation. A parked one is counted where it is noted.
    pub(in crate::agent) fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::WithEvents => self.with_events += 1,
            Outcome::Skipped(reason) => *self.skipped.entry(reason).or_default() += 1,
            Outcome::Parked => {}
            Outcome::Undecodable => self.undecodable += 1,
        }
    }

    /// Counts events of a table.
    pub(in crate::agent) fn count(
        &mut self,
        (table, operation): Event,
        name: impl FnOnce() -> String,
        count: u64,
    ) {
        let counts = self.events.entry(table).or_default();
        if counts.name.is_empty() {
            counts.name = name();
        }
        *counts.by_operation.entry(operation).or_default() += count;
    }

    pub(in crate::agent) fn damaged(&mut self, segment: SegmentId, damage: Damage) {
        self.lost.bytes += damage.lost_bytes;
        match damage.lost_mutations {
            Some(mutations) => self.lost.mutations += mutations,
            None => self.lost.more_mutations = true,
        }
        self.lost.sections += u64::from(damage.kind.loses_section());
        self.damage.push((segment, damage));
    }

    /// Takes back what is held back. An event has one record with a value.
    pub(in crate::agent) fn take_back(&mut self, held_back: &HeldBack) {
        let values: u64 = held_back.events.values().sum();
        let tombstones = held_back.records.saturating_sub(values);
        self.with_events = self.with_events.saturating_sub(held_back.mutations);
        self.records = self.records.saturating_sub(held_back.records);
        self.record_bytes = self.record_bytes.saturating_sub(held_back.record_bytes);
        self.tombstones = self.tombstones.saturating_sub(tombstones);
        for ((table, operation), taken) in &held_back.events {
            let Some(counts) = self.events.get_mut(table) else { continue };
            if let Some(count) = counts.by_operation.get_mut(operation) {
                *count = count.saturating_sub(*taken);
            }
            counts.by_operation.retain(|_, count| *count > 0);
            if counts.by_operation.is_empty() {
                self.events.remove(table);
            }
        }
    }

    /// Adds what another report counted.
    pub(in crate::agent) fn add(&mut self, other: Self) {
        self.segments_read += other.segments_read;
        self.segments_done_before += other.segments_done_before;
        self.sections += other.sections;
        self.mutations += other.mutations;
        self.bytes += other.bytes;
        self.with_events += other.with_events;
        self.undecodable += other.undecodable;
        self.records += other.records;
        self.record_bytes += other.record_bytes;
        self.tombstones += other.tombstones;
        self.late += other.late;
        self.uncommitted_records += other.uncommitted_records;
        self.is_failed |= other.is_failed;
        self.unmarked_bytes += other.unmarked_bytes;
        self.lost.sections += other.lost.sections;
        self.lost.bytes += other.lost.bytes;
        self.lost.mutations += other.lost.mutations;
        self.lost.more_mutations |= other.lost.more_mutations;
        for (table, events) in other.events {
            let known = self.events.entry(table).or_default();
            if !events.name.is_empty() {
                known.name = events.name;
            }
            known.newest_us = known.newest_us.max(events.newest_us);
            add_counts(&mut known.by_operation, events.by_operation);
        }
        add_counts(&mut self.skipped, other.skipped);
        add_counts(&mut self.left_out, other.left_out);
        for (table, unknown) in other.unknown_tables {
            let known = self.unknown_tables.entry(table).or_default();
            known.mutations += unknown.mutations;
            known.bytes += unknown.bytes;
        }
        self.damage.append(other.damage);
        self.parked.append(other.parked);
        self.parked_again.append(other.parked_again);
        add_counts(&mut self.parked_elsewhere, other.parked_elsewhere);
        self.parked_unasked += other.parked_unasked;
        self.parked_unfit += other.parked_unfit;
        self.given_up.append(other.given_up);
        self.unreadable.extend(other.unreadable);
        self.damaged_segments.extend(other.damaged_segments);
        self.schema_changes.extend(other.schema_changes);
        self.truncated.extend(other.truncated);
        self.schema_doubtful.append(other.schema_doubtful);
    }

    /// Number of events.
    pub(in crate::agent) fn event_count(&self) -> u64 {
        self.events.values().flat_map(|table| table.by_operation.values()).sum()
    }
}

fn add_counts<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key).or_default() += count;
    }
}
