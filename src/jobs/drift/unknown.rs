//! Stretches of time of which a side's stream says too little.

use serde::{Deserialize, Serialize};

use super::event::GapKind;

/// Gaps that are remembered, per side; beyond that the two oldest become one.
const MOST: usize = 256;

/// A stretch of the log of one node, microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    pub(super) host_id: String,
    pub(super) from_us: i64,
    pub(super) to_us: i64,
    pub(super) kind: GapKind,
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

impl Gaps {
    /// Adds one.
    pub(super) fn add(&mut self, gap: Gap) {
        if self.0.contains(&gap) {
            return;
        }
        self.0.push(gap);
        if self.0.len() > MOST {
            let oldest = self.0.remove(0);
            if let Some(next) = self.0.first_mut() {
                next.from_us = next.from_us.min(oldest.from_us);
                next.to_us = next.to_us.max(oldest.to_us);
            }
        }
    }

    /// The first one that takes away from what was logged in a window.
    pub(super) fn touching(&self, window: Window) -> Option<&Gap> {
        self.0.iter().find(|gap| gap.from_us <= window.to_us && gap.to_us >= window.from_us)
    }

    /// The first one in which published events may be untrue.
    pub(super) fn forgetting(&self, window: Window) -> Option<&Gap> {
        let forgotten = |gap: &&Gap| gap.kind == GapKind::Forgotten;
        self.0.iter().filter(forgotten).find(|gap| gap.from_us <= window.to_us && gap.to_us >= window.from_us)
    }
}
