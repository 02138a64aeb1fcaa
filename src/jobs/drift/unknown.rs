//! Stretches of time of which a side's stream says too little.

use serde::{Deserialize, Serialize};

use super::event::GapKind;
use super::memory::RowId;

/// Gaps that are remembered, per side; beyond that the two oldest become one.
const MOST: usize = 1024;

/// A stretch of the log of one node, microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Empty: of any node of the side.
    pub(super) host_id: String,
    pub(super) from_us: i64,
    /// `i64::MAX` while it goes on.
    pub(super) to_us: i64,
    pub(super) kind: GapKind,
    /// Whose rows; None: all. With the key of a partition in place of the row's: all of that partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<RowId>,
}

/// When something can have been logged, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) from_us: i64,
    pub(super) to_us: i64,
}

/// All gaps of a side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Gaps(Vec<Gap>);

impl Gap {
    fn touches(&self, window: Window, row_id: &RowId) -> bool {
        let is_of_row = self.row.as_ref().is_none_or(|(partition_key, key)| {
            *partition_key == row_id.0 && (key == partition_key || *key == row_id.1)
        });
        is_of_row && self.from_us <= window.to_us && self.to_us >= window.from_us
    }

    /// One that is as long as both, and about all that either is about.
    fn join(&mut self, other: &Self) {
        self.from_us = self.from_us.min(other.from_us);
        self.to_us = self.to_us.max(other.to_us);
        if other.is_untrue() && !self.is_untrue() {
            self.kind = other.kind;
        }
        if self.row != other.row {
            self.row = None;
        }
    }

    fn is_over(&self) -> bool {
        self.kind != GapKind::Off
    }

    /// Whether what was published may be untrue.
    fn is_untrue(&self) -> bool {
        matches!(self.kind, GapKind::Forgotten | GapKind::Truncated)
    }
}

impl Gaps {
    /// Adds one.
    pub(super) fn add(&mut self, gap: Gap) {
        let goes_on = |old: &Gap| old.kind == GapKind::Off && old.host_id == gap.host_id;
        if self.0.contains(&gap) || (gap.kind == GapKind::Off && self.0.iter().any(goes_on)) {
            return;
        }
        self.0.push(gap);
        if self.0.len() <= MOST {
            return;
        }
        let mut oldest = (0..self.0.len()).filter(|number| self.0.get(*number).is_some_and(Gap::is_over));
        if let (Some(first), Some(second)) = (oldest.next(), oldest.next()) {
            let first = self.0.remove(first);
            if let Some(next) = self.0.get_mut(second - 1) {
                next.join(&first);
            }
        }
    }

    /// Ends what goes on at a node; false when nothing does.
    pub(super) fn end(&mut self, host_id: &str, to_us: i64) -> bool {
        let gap = self.0.iter_mut().find(|gap| gap.kind == GapKind::Off && gap.host_id == host_id);
        gap.map(|gap| (gap.to_us, gap.kind) = (to_us.max(gap.from_us), GapKind::Lost)).is_some()
    }

    /// The earliest one that takes away from what was logged of a row in a window.
    pub(super) fn touching(&self, window: Window, row_id: &RowId) -> Option<&Gap> {
        earliest(self.0.iter().filter(|gap| gap.touches(window, row_id)))
    }

    /// The earliest one in which published events may be untrue.
    pub(super) fn forgetting(&self, window: Window, row_id: &RowId) -> Option<&Gap> {
        earliest(self.0.iter().filter(|gap| gap.is_untrue() && gap.touches(window, row_id)))
    }
}

/// Not the one that was heard of first: several topics tell of gaps, and which of them is read first is chance.
fn earliest<'g>(gaps: impl Iterator<Item = &'g Gap>) -> Option<&'g Gap> {
    gaps.min_by_key(|gap| (gap.from_us, gap.to_us, gap.kind == GapKind::Truncated, gap.host_id.as_str()))
}
