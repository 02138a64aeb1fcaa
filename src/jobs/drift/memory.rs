//! What is remembered: rows and deletions of ranges by partition, event ids, and how much was forgotten.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::event::{Both, Content, RowEvent, Side, UNVERSIONED};
use super::order::KeyOrder;
use super::range::{self, Clustering, RangeDeletion};
use super::row::SideRow;
use super::unknown::Window;
use super::verdict::{Status, Told};

/// Versions that are remembered of each side of a row.
const VERSIONS: usize = 64;
/// Deletions of ranges that are remembered of each side of a partition.
const RANGES: usize = 1000;

/// A partition of the table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Partition {
    pub(super) ranges: Both<Vec<RangeDeletion>>,
    /// Boxed, as are the entries of a row: a map keeps room for eleven, and most hold one.
    pub(super) rows: BTreeMap<String, Box<Row>>,
}

/// A row, or a static row together with the ranges of its partition: what has one record key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) clustering: Option<Clustering>,
    pub(super) sides: Both<SideRow>,
    /// What is not decided, and what is not as it should be, by version.
    pub(super) entries: BTreeMap<i64, Box<Entry>>,
    pub(super) versions: Both<VecDeque<i64>>,
    /// The version whose verdict the compacted topic has for the row.
    #[serde(default)]
    pub(super) shown: Option<i64>,
    /// When something of it was logged last, and first.
    pub(super) touched_us: i64,
    pub(super) since_us: i64,
}

/// A version of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) events: Vec<Waiting>,
    pub(super) told: Both<Option<Told>>,
    pub(super) first_seen_us: Option<i64>,
    /// What was said about it and still holds.
    pub(super) open: Option<Status>,
    /// When the first of its events is due: the oldest goes first, when there is too much.
    #[serde(default)]
    pub(super) since_us: i64,
}

/// An event that the other side has not been seen to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) side: Side,
    pub(super) event_id: String,
    pub(super) content: Content,
    pub(super) due_us: i64,
    /// When the other side can have logged it.
    pub(super) window: Window,
}

impl Row {
    /// Merges an event, and remembers its version.
    pub(super) fn take(&mut self, event: &RowEvent) {
        self.sides.of_mut(event.side).apply(&event.content);
        if event.content.opaque_us == Some(UNVERSIONED) {
            return;
        }
        let versions = self.versions.of_mut(event.side);
        if !versions.contains(&event.version_us) {
            versions.push_back(event.version_us);
            if versions.len() > VERSIONS {
                versions.pop_front();
            }
        }
    }

    /// Whether something is said about it that still holds.
    pub(super) fn is_open(&self) -> bool {
        self.entries.values().any(|entry| entry.open.is_some())
    }
}

impl Partition {
    /// Remembers the deletion of a range; false when an older one had to be forgotten for it.
    pub(super) fn delete_range(&mut self, side: Side, deletion: &RangeDeletion, orders: &[KeyOrder]) -> bool {
        let ranges = self.ranges.of_mut(side);
        if range::are_covering(ranges, deletion, orders) {
            return true;
        }
        ranges.retain(|old| !range::are_covering(std::slice::from_ref(deletion), old, orders));
        ranges.push(deletion.clone());
        if ranges.len() <= RANGES {
            return true;
        }
        ranges.remove(0);
        false
    }
}

/// Place of a row: its partition key and its record key.
pub(super) type RowId = (String, String);

/// All rows, the one that was touched first at the front.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) partitions: BTreeMap<String, Partition>,
    by_age: BTreeSet<(i64, String, String)>,
    /// Of what was logged up to here something was forgotten, microseconds.
    pub(super) forgotten_to_us: Option<i64>,
}

impl Memory {
    /// The row of an event, made where there is none, as touched by it.
    pub(super) fn touch(&mut self, event: &RowEvent) -> &mut Row {
        let (partition_key, key) = (&event.partition_key, &event.key);
        let partition = self.partitions.entry(partition_key.clone()).or_default();
        let new = || {
            Box::new(Row {
                clustering: event.clustering.clone(),
                touched_us: event.logged_us,
                since_us: event.logged_us,
                ..Row::default()
            })
        };
        let row = partition.rows.entry(key.clone()).or_insert_with(new);
        if row.clustering.is_none() {
            row.clustering.clone_from(&event.clustering);
        }
        self.by_age.remove(&(row.touched_us, partition_key.clone(), key.clone()));
        row.touched_us = row.touched_us.max(event.logged_us);
        self.by_age.insert((row.touched_us, partition_key.clone(), key.clone()));
        row
    }

    pub(super) fn row(&self, (partition_key, key): &RowId) -> Option<(&Partition, &Row)> {
        let partition = self.partitions.get(partition_key)?;
        partition.rows.get(key).map(|row| (partition, &**row))
    }

    pub(super) fn row_mut(&mut self, (partition_key, key): &RowId) -> Option<&mut Row> {
        self.partitions.get_mut(partition_key)?.rows.get_mut(key).map(|row| &mut **row)
    }

    /// How many rows are remembered.
    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Something that was logged up to this time is not remembered any more.
    pub(super) fn forgets_to(&mut self, us: i64) {
        self.forgotten_to_us = self.forgotten_to_us.max(Some(us));
    }

    /// Forgets what was last touched before this time and is decided.
    pub(super) fn forget(&mut self, before_us: i64, now_us: i64) {
        while let Some((touched_us, ..)) = self.by_age.first()
            && *touched_us < before_us
            && let Some((touched_us, partition_key, key)) = self.by_age.pop_first()
        {
            let row_id = (partition_key, key);
            match self.row_mut(&row_id) {
                Some(row) if !row.entries.is_empty() => {
                    row.touched_us = now_us;
                    self.by_age.insert((now_us, row_id.0, row_id.1));
                }
                _ => self.remove(&row_id, touched_us),
            }
        }
    }

    /// The row that was touched longest ago, where there are more than so many.
    pub(super) fn oldest_beyond(&self, most: usize) -> Option<RowId> {
        let (_, partition_key, key) = self.by_age.first().filter(|_| self.by_age.len() > most)?;
        Some((partition_key.clone(), key.clone()))
    }

    /// Forgets the row that was touched longest ago.
    pub(super) fn forget_oldest(&mut self) {
        if let Some((touched_us, partition_key, key)) = self.by_age.pop_first() {
            self.remove(&(partition_key, key), touched_us);
        }
    }

    fn remove(&mut self, (partition_key, key): &RowId, touched_us: i64) {
        self.forgets_to(touched_us);
        if let Some(partition) = self.partitions.get_mut(partition_key) {
            partition.rows.remove(key);
            if partition.rows.is_empty() {
                self.partitions.remove(partition_key);
            }
        }
    }
}

/// How much was forgotten before its time, because there was too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Forgotten {
    /// Rows.
    pub rows: u64,
    /// Versions about which nothing was decided, or which were not resolved.
    pub undecided: u64,
    /// Event ids.
    pub event_ids: u64,
    /// Deletions of ranges.
    pub ranges: u64,
}

/// Which sides told of an event. An id is one of its partition of the table: a record that no agent wrote takes nothing
/// from the rows of others, and it is the same wherever partitions are divided among machines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(String, i64, u8)>", into = "Vec<(String, i64, u8)>")]
pub(super) struct EventIds {
    sides: HashMap<u128, u8>,
    order: VecDeque<(u128, i64)>,
}

fn bit(side: Side) -> u8 {
    match side {
        Side::Onprem => 1,
        Side::Cloud => 2,
    }
}

/// Event ids have 32 hexadecimal digits; others are not remembered.
fn number(event_id: &str) -> Option<u128> {
    u128::from_str_radix(event_id, 16).ok()
}

/// What stands for an id in a partition.
fn within(id: u128, partition_key: &str) -> Option<u128> {
    let digest = Sha256::new_with_prefix(id.to_be_bytes()).chain_update(partition_key).finalize();
    digest.first_chunk().map(|bytes| u128::from_be_bytes(*bytes))
}

impl EventIds {
    /// Whether this side told of the event before; if not, it has now.
    pub(super) fn is_repeat(
        &mut self,
        (partition_key, event_id): (&str, &str),
        side: Side,
        now_us: i64,
    ) -> bool {
        if self.is_known((partition_key, event_id), side) {
            return true;
        }
        let Some(id) = number(event_id).and_then(|id| within(id, partition_key)) else { return false };
        let sides = self.sides.entry(id).or_insert_with(|| {
            self.order.push_back((id, now_us));
            0
        });
        *sides |= bit(side);
        false
    }

    pub(super) fn is_known(&self, (partition_key, event_id): (&str, &str), side: Side) -> bool {
        let Some(id) = number(event_id) else { return false };
        let told = |id: &u128| self.sides.get(id).is_some_and(|sides| *sides & bit(side) > 0);
        // A state that an earlier build made has them without their partitions.
        within(id, partition_key).is_some_and(|id| told(&id)) || told(&id)
    }

    pub(super) fn forget(&mut self, before_us: i64, most: usize, count: &mut Forgotten) {
        while let Some((id, since_us)) = self.order.front() {
            if *since_us >= before_us {
                if self.order.len() <= most {
                    return;
                }
                count.event_ids += 1;
            }
            self.sides.remove(id);
            self.order.pop_front();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}

impl From<EventIds> for Vec<(String, i64, u8)> {
    fn from(ids: EventIds) -> Self {
        let sides = |id: &u128| ids.sides.get(id).copied().unwrap_or_default();
        ids.order.iter().map(|(id, since_us)| (format!("{id:032x}"), *since_us, sides(id))).collect()
    }
}

impl From<Vec<(String, i64, u8)>> for EventIds {
    fn from(saved: Vec<(String, i64, u8)>) -> Self {
        let mut ids = Self::default();
        for (text, since_us, sides) in saved {
            if let Some(id) = number(&text) {
                ids.sides.insert(id, sides);
                ids.order.push_back((id, since_us));
            }
        }
        ids
    }
}
