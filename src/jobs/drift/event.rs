//! What the state machine is told.

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::range::{Clustering, RangeDeletion};

/// One of the two sides, by the users' names for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// `onprem`
    Onprem,
    /// `cloud`
    Cloud,
}

impl Side {
    /// Both, in the order of verdicts.
    pub const BOTH: [Self; 2] = [Self::Onprem, Self::Cloud];

    /// The side that this one is compared with.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Onprem => Self::Cloud,
            Self::Cloud => Self::Onprem,
        }
    }

    /// Its name in configuration and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Onprem => "onprem",
            Self::Cloud => "cloud",
        }
    }
}

/// A value for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Both<T> {
    /// Of `onprem`.
    pub onprem: T,
    /// Of `cloud`.
    pub cloud: T,
}

impl<T> Both<T> {
    /// That of a side.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Onprem => &self.onprem,
            Side::Cloud => &self.cloud,
        }
    }

    /// That of a side, to be changed.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Onprem => &mut self.onprem,
            Side::Cloud => &mut self.cloud,
        }
    }
}

/// Where a record stands: evidence, never looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Topic.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Segment of the commit log.
    pub file: Option<String>,
    /// Offset in the segment.
    pub pos: Option<u64>,
}

/// What an event writes. Times are write times, microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Cells by their path (`cell::path`).
    pub cells: Vec<(String, Cell)>,
    /// The deletion of the row (of a table without clustering columns: of the partition).
    pub row_deletion_us: Option<i64>,
    /// The deletion of a range.
    pub range: Option<RangeDeletion>,
    /// Every column is written or deleted: what is older of them shows no more. The row's liveness is a cell of its own.
    pub is_full: bool,
    /// What is written is not all told, so that only the event's id can be compared: its time, or [`UNVERSIONED`].
    pub opaque_us: Option<i64>,
}

/// In place of the time of what does not say which version of its row it belongs to.
pub const UNVERSIONED: i64 = i64::MAX;

/// An event of a row, of a static row, or of a range, on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowEvent {
    /// Which side.
    pub side: Side,
    /// Partition of the topic whose heartbeats stand between its events; None where any may.
    pub partition: Option<i32>,
    /// The node whose log it is.
    pub host_id: String,
    /// The columns of the partition key, compact JSON.
    pub partition_key: String,
    /// The columns of the record key, compact JSON. Static rows and ranges have that of their partition.
    pub key: String,
    /// The values of the clustering columns; None of a static row, of a range, and where there are no such columns.
    pub clustering: Option<Clustering>,
    /// What the client wrote, whichever replica tells it.
    pub event_id: String,
    /// `c`, `u`, `d`, `rt`, `r`.
    pub op: String,
    /// Which version of the row it is, microseconds; when it was logged, of one that does not say.
    pub version_us: i64,
    /// Latest time at which it may have been logged, by the node's clock, microseconds.
    pub logged_us: i64,
    /// The row hash, where there is one.
    pub row_hash: Option<String>,
    /// The definition of the row hash.
    pub hash_def: Option<String>,
    /// What it writes.
    pub content: Content,
    /// Where it stands.
    pub place: Place,
}

/// What the state machine is told, in the order in which a partition has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An event.
    Event(Box<RowEvent>),
    /// Everything that this node logged before `wm_us` is published, and stands before this in this partition.
    Heartbeat {
        /// Which side.
        side: Side,
        /// Partition of its topic.
        partition: i32,
        /// The node.
        host_id: String,
        /// The low watermark, microseconds.
        wm_us: i64,
        /// When the agent said so, milliseconds.
        ts_ms: i64,
    },
    /// This node logged nothing of the table before it was created, and all that it did is in this partition.
    Beginning {
        /// Which side.
        side: Side,
        /// Partition of its topic.
        partition: i32,
        /// The node.
        host_id: String,
        /// When the table was created, microseconds since 1970.
        created_us: i64,
    },
    /// The log of this node cannot be relied on for some time.
    Gap {
        /// Which side.
        side: Side,
        /// The node; empty where it may be any of the side.
        host_id: String,
        /// When the agent said so, milliseconds.
        ts_ms: i64,
        /// What is lacking, and from when to when.
        kind: GapKind,
        /// The partition key and the record key that it is about; None: all rows. Where both are the same it is about all
        /// rows of the partition.
        row: Option<(String, String)>,
    },
}

/// What a gap takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Since the last heartbeat before: events of the side may be missing.
    Lost,
    /// The same, and the node has forgotten some that were published.
    Forgotten,
    /// From the last heartbeat before on, until [`Self::On`]: events are missing.
    Off,
    /// The end of [`Self::Off`].
    On,
    /// All that was before: the table was truncated, so that what was published may be gone.
    Truncated,
}
