//! What decides about verdicts. Times are microseconds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::Both;
use super::order::KeyOrder;

/// How the writes of two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One cluster replicates to both: the same write has the same event id. Where ids differ, cells decide.
    EventId,
    /// Each side is written by itself: cells decide.
    Merge,
}

/// Nodes whose watermarks count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hosts {
    /// Every node that was ever heard of.
    Any,
    /// These; a side without word of one of them is not complete.
    These(BTreeSet<String>),
}

/// Of each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideOptions {
    /// Nodes whose watermarks count.
    pub hosts: Hosts,
    /// How many partitions its topic has: each must be told of by each node.
    pub partitions: i32,
}

/// Options of the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How writes are compared.
    pub mode: Mode,
    /// The sides.
    pub sides: Both<SideOptions>,
    /// How far the clocks of nodes may differ.
    pub tolerance_us: i64,
    /// How much later than one side the other may have a write.
    pub grace_us: i64,
    /// How far a node's watermark may fall behind the newest one before that is an alarm.
    pub silence_us: i64,
    /// How long rows and event ids are remembered after they were last told of.
    pub retention_us: i64,
    /// How many rows are remembered.
    pub max_rows: usize,
    /// How many event ids are remembered.
    pub max_event_ids: usize,
    /// How many events wait for the other side, or for what was said about them to be over.
    pub max_waiting: usize,
    /// A write that is older than all that is remembered and that one side alone has may be a late copy: it is
    /// INCOMPARABLE. When not, it is judged as if it was new.
    pub old_is_incomparable: bool,
    /// Whether each MATCH is told, not only counted.
    pub write_matches: bool,
    /// Order of the clustering columns.
    pub clustering: Vec<KeyOrder>,
}

impl Options {
    /// How long after a write's logging the other side must have it.
    pub(super) fn delay_us(&self) -> i64 {
        self.tolerance_us.saturating_add(self.grace_us)
    }
}
