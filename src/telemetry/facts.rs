//! What the loop tells: one type for each kind of news. None of them holds a cell's value.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cdc_raw::State;
use crate::cdc_raw::quota::Fullness;

/// Who the agent is; does not change while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Of the agent.
    pub version: String,
    /// Of the topics.
    pub prefix: String,
    /// The node's cluster.
    pub cluster: String,
    /// Its data centre.
    pub dc: String,
    /// Its host id.
    pub host_id: String,
    /// `synced`, `marked` or `written`.
    pub visibility: String,
    /// `exactly-once` or `at-least-once`.
    pub delivery: String,
    /// Where records go: the brokers or the directory, without secrets.
    pub out: String,
    /// The directory that is read.
    pub cdc_raw: String,
    /// The agent's own directory. Empty of one that does not tell it.
    #[serde(default)]
    pub state_directory: String,
}

/// What the loop is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Options, keys, locks.
    Starting,
    /// What was done before is read back from the destination.
    ReadingCheckpoint,
    /// Without a schema nothing can be decoded; the node is asked for it.
    WaitingForSchema,
    /// Segments are read and records are sent.
    Running,
    /// The destination does not answer.
    WaitingForKafka,
    /// `cdc_raw` is missing, cannot be read, or the node puts nothing into it.
    WaitingForDirectory,
    /// What was sent is committed, then the agent ends.
    Stopping,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 7] = [
        Self::Starting,
        Self::ReadingCheckpoint,
        Self::WaitingForSchema,
        Self::Running,
        Self::WaitingForKafka,
        Self::WaitingForDirectory,
        Self::Stopping,
    ];

    /// The word of JSON and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::ReadingCheckpoint => "reading_checkpoint",
            Self::WaitingForSchema => "waiting_for_schema",
            Self::Running => "running",
            Self::WaitingForKafka => "waiting_for_kafka",
            Self::WaitingForDirectory => "waiting_for_directory",
            Self::Stopping => "stopping",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::ReadingCheckpoint => "Reading the checkpoint back",
            Self::WaitingForSchema => "Waiting for the schema",
            Self::Running => "Running",
            Self::WaitingForKafka => "Waiting for Kafka",
            Self::WaitingForDirectory => "Waiting for the cdc_raw directory",
            Self::Stopping => "Stopping",
        }
    }
}

/// What a segment is at; the words of [`State`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are those of cdc_raw::State")]
pub enum SegmentState {
    Unused,
    Growing,
    Sealed,
    Final,
    Orphan,
    Damaged,
}

impl SegmentState {
    /// Every state, in order.
    pub const ALL: [Self; 6] =
        [Self::Unused, Self::Growing, Self::Sealed, Self::Final, Self::Orphan, Self::Damaged];

    /// The word of JSON and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Growing => "growing",
            Self::Sealed => "sealed",
            Self::Final => "final",
            Self::Orphan => "orphan",
            Self::Damaged => "damaged",
        }
    }
}

impl From<State> for SegmentState {
    fn from(state: State) -> Self {
        match state {
            State::Unused => Self::Unused,
            State::Growing => Self::Growing,
            State::Sealed => Self::Sealed,
            State::Final(_) => Self::Final,
            State::Orphan(_) => Self::Orphan,
            State::Damaged(_) => Self::Damaged,
        }
    }
}

/// One segment in the directory. Offsets are bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentStatus {
    /// Its id.
    pub id: u64,
    /// What it is at.
    pub state: SegmentState,
    /// Length of the file; Cassandra makes a segment as long as it may become.
    pub bytes: u64,
    /// Up to here something stands that may be read.
    pub readable_to: u64,
    /// Up to here it was read and given to the sink.
    pub read_to: u64,
    /// Up to here everything is committed.
    pub committed_to: u64,
    /// Whether it is the one that is read now.
    pub is_open: bool,
}

/// Where reading stands.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The segments in the directory, in order.
    pub segments: Vec<SegmentStatus>,
    /// Records given to the sink and not committed.
    pub uncommitted_records: u64,
    /// Their bytes.
    pub uncommitted_bytes: u64,
    /// When the oldest unread bytes were written, in microseconds since 1970, where that is known.
    pub oldest_unread_us: Option<u64>,
}

/// Events of one table and operation within a commit.
#[derive(Debug, Clone, Copy)]
pub struct EventCount<'a> {
    /// `keyspace.table`
    pub table: &'a str,
    /// The value of `op`.
    pub op: &'a str,
    /// How many.
    pub events: u64,
    /// The greatest `source.ts_us` of them.
    pub newest_us: Option<u64>,
}

/// What one commit made durable.
#[derive(Debug, Clone, Default)]
pub struct CommitReport<'a> {
    /// Events by table and operation.
    pub events: Vec<EventCount<'a>>,
    /// Of the events: those that were written long before they were read.
    pub late: u64,
    /// Records, tombstones included.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Mutations that were gone through, those without events included.
    pub mutations: u64,
    /// Bytes of the log that were gone through.
    pub log_bytes: u64,
    /// How long the commit took.
    pub took: Duration,
    /// The place up to which all is committed, as `<segment>:<offset>:<entry>`.
    pub position: Option<String>,
}

/// What kind of thing did not come through, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerKind {
    /// Bytes of the log whose checksums are wrong.
    Damage,
    /// A mutation or a part of a segment that is lost for good.
    Lost,
    /// A segment that was gone before it was read whole.
    SegmentLost,
    /// A time in which changes may have been missed: CDC was off, or the agent away for too long.
    Gap,
    /// What was published and then forgotten by a node that crashed.
    Forgotten,
    /// A mutation of a table that no schema describes.
    UnknownSchema,
    /// A record that was too large for the destination: a pointer to it went to the dead-letter topic.
    Oversize,
    /// The same of a record that the destination does not allow the agent to write.
    Denied,
    /// The same of a record that the destination refused.
    DeadLetter,
    /// A segment that came back after it was consumed.
    Resurrected,
}

impl LedgerKind {
    /// Every kind, in order.
    pub const ALL: [Self; 10] = [
        Self::Damage,
        Self::Lost,
        Self::SegmentLost,
        Self::Gap,
        Self::Forgotten,
        Self::UnknownSchema,
        Self::Oversize,
        Self::Denied,
        Self::DeadLetter,
        Self::Resurrected,
    ];

    /// The word of JSON and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Damage => "damage",
            Self::Lost => "lost",
            Self::SegmentLost => "segment_lost",
            Self::Gap => "gap",
            Self::Forgotten => "forgotten",
            Self::UnknownSchema => "unknown_schema",
            Self::Oversize => "oversize",
            Self::Denied => "denied",
            Self::DeadLetter => "dead_letter",
            Self::Resurrected => "resurrected",
        }
    }

    /// Whether changes are missing at the destination because of it. A segment that came back is harmless, and what a
    /// crash forgot is there too often, not too seldom.
    #[must_use]
    pub fn is_loss(self) -> bool {
        !matches!(self, Self::Forgotten | Self::Resurrected | Self::UnknownSchema)
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What happened.
    pub kind: LedgerKind,
    /// Where: a position or the name of a segment.
    pub place: String,
    /// `keyspace.table`, where it is known.
    pub table: Option<String>,
    /// How many bytes it is about.
    pub bytes: u64,
    /// Why, without values of cells.
    pub reason: String,
}

/// How full `cdc_raw` is; see [`crate::cdc_raw::Fullness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryUsage {
    /// Bytes in it, as Cassandra counts.
    pub used_bytes: u64,
    /// Bytes that Cassandra allows.
    pub limit_bytes: u64,
    /// Seconds until it is full at the rate of the last minutes; `None` when it does not grow.
    pub full_in_s: Option<u64>,
    /// Whether Cassandra refuses writes already.
    pub is_full: bool,
    /// Bytes of segments that wait in the spool; `None` without one.
    #[serde(default)]
    pub spool_bytes: Option<u64>,
}

impl From<Fullness> for DirectoryUsage {
    fn from(fullness: Fullness) -> Self {
        Self {
            used_bytes: fullness.used,
            limit_bytes: fullness.limit,
            full_in_s: fullness.time_to_full.map(|time| time.as_secs()),
            is_full: fullness.is_full,
            spool_bytes: None,
        }
    }
}

/// What is known of the node's schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaStatus {
    /// Tables in it.
    pub tables_known: u64,
    /// Of them: those that are published.
    pub tables_wanted: u64,
    /// When the node was last read, in microseconds since 1970.
    pub refreshed_us: Option<u64>,
    /// Whether the node's CQL answers; `None` when nobody asks it.
    pub is_cql_reachable: Option<bool>,
}

/// What is known of the destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KafkaStatus {
    /// Whether the last attempt to talk to it went well; `None` before the first.
    pub is_reachable: Option<bool>,
    /// Records that it was given and has not acknowledged.
    pub queue_records: u64,
    /// Transactions that were committed.
    pub transactions: u64,
    /// Transactions that were aborted.
    pub aborts: u64,
    /// Commits of which it was not known whether they went well, so that they were looked up.
    pub indeterminate: u64,
}

/// How the snapshot of a table stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotStatus {
    /// `keyspace.table`
    pub table: String,
    /// `queued`, `planning`, `reading`, `waiting_for_log` or `retrying`.
    pub state: String,
    /// Rows and static rows published.
    pub rows: u64,
    /// How much of the node's token ranges is published; `None` while that is not known.
    pub percent: Option<f64>,
    /// The error that it waits after.
    pub reason: Option<String>,
}
