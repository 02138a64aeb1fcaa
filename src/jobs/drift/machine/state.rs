//! What a machine knows, and what it counts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::jobs::drift::clock::Clock;
use crate::jobs::drift::event::{Both, Side};
use crate::jobs::drift::memory::{Entry, EventIds, Forgotten, Memory, RowId};
use crate::jobs::drift::unknown::Gaps;
use crate::jobs::drift::verdict::Status;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Verdicts by status, in the order of [`Status::ALL`].
    verdicts: [u64; Status::ALL.len()],
    /// Events that were taken.
    pub events: u64,
    /// Further copies of events, of other replicas.
    pub repeats: u64,
    /// Events that do not say which version of their row they belong to.
    #[serde(default)]
    pub unversioned: u64,
    /// Differing versions from before the stream of a side begins: no verdict.
    pub before_start: u64,
    /// What was forgotten because there was too much.
    pub forgotten: Forgotten,
}

impl Counts {
    pub(super) fn add(&mut self, status: Status) {
        let counts = Status::ALL.iter().zip(&mut self.verdicts);
        counts.filter(|(known, _)| **known == status).for_each(|(_, count)| *count += 1);
    }

    /// How many verdicts there were of a status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        let counts = Status::ALL.iter().zip(&self.verdicts);
        counts.filter(|(known, _)| **known == status).map(|(_, count)| *count).sum()
    }
}

/// What a machine knows: all of it can be written down and taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    pub(super) clocks: Both<Clock>,
    pub(super) gaps: Both<Gaps>,
    pub(super) memory: Memory,
    pub(super) event_ids: EventIds,
    /// When a version must be decided.
    pub(super) due: BTreeSet<(i64, RowId, i64)>,
    /// Rows about which something holds that may have changed.
    pub(super) dirty: BTreeSet<RowId>,
    pub(super) watermark_us: Option<i64>,
    pub(super) silent: BTreeSet<(Side, String)>,
    /// The newest watermark when the first heartbeat came.
    pub(super) first_heard_us: Option<i64>,
    pub(super) counts: Counts,
    /// All entries of rows, the one that is held longest at the front.
    #[serde(skip)]
    pub(super) held: BTreeSet<(i64, RowId, i64)>,
    /// The events of all entries.
    #[serde(skip)]
    pub(super) waiting: usize,
}

impl State {
    /// Makes what is not written down.
    pub(super) fn index(&mut self) {
        self.held.clear();
        self.waiting = 0;
        for (partition_key, partition) in &self.memory.partitions {
            for (key, row) in &partition.rows {
                for (version_us, entry) in &row.entries {
                    let row_id = (partition_key.clone(), key.clone());
                    self.held.insert((entry.since_us, row_id, *version_us));
                    self.waiting += entry.events.len();
                }
            }
        }
    }

    /// Takes an entry out of its row.
    pub(super) fn remove_entry(&mut self, row_id: &RowId, version_us: i64) -> Option<Box<Entry>> {
        let entry = self.memory.row_mut(row_id)?.entries.remove(&version_us)?;
        self.waiting = self.waiting.saturating_sub(entry.events.len());
        self.held.remove(&(entry.since_us, row_id.clone(), version_us));
        Some(entry)
    }
}
