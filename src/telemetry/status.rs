//! The answer to "how is it?": one snapshot, which JSON, metrics, the page and the terminal are made from.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Limits;
use super::clock::Moment;
use super::facts::{
    DirectoryUsage, Identity, KafkaStatus, LedgerEntry, LedgerKind, Phase, SchemaStatus, SegmentState,
    SegmentStatus, SnapshotStatus,
};
use super::health::{self, Headline, Reason};
use super::process::ProcessStatus;
use super::state::{COMMIT_BUCKETS_MS, RATED, State};

/// Segments that are listed: the first, which hold the agent up, and the last, which grow.
pub const LISTED_SEGMENTS: usize = 100;
/// Tables that are listed, those with most events first.
pub const LISTED_TABLES: usize = 1001;
/// Ledger entries that are listed, the newest first.
pub const LISTED_ENTRIES: usize = 100;

/// What an agent says of itself. Times of the wall are microseconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// When this was made.
    pub at_us: u64,
    /// The state in one line.
    pub headline: Headline,
    /// Whether the agent does its work.
    pub is_ready: bool,
    /// Why it is not ready.
    pub reasons: Vec<Reason>,
    /// Whether the loop gave a sign of life lately.
    pub is_live: bool,
    /// Who the agent is.
    pub identity: Identity,
    /// What the loop is at.
    pub phase: Phase,
    /// Since when.
    pub phase_since_us: u64,
    /// When the agent was started.
    pub started_us: u64,
    /// How far it is behind the node.
    pub lag: Lag,
    /// Everything written before this time is committed.
    pub watermark_us: Option<u64>,
    /// What was committed since the start.
    pub commits: Commits,
    /// Segments by state, those that are not listed included.
    pub segment_counts: BTreeMap<SegmentState, u64>,
    /// Segments in the directory, in order; see [`LISTED_SEGMENTS`].
    pub segments: Vec<SegmentStatus>,
    /// How full the directory is.
    pub directory: Option<DirectoryUsage>,
    /// Tables with events since the start, those with most first.
    pub tables: Vec<TableStatus>,
    /// Mutations that wait for a better schema.
    pub parked_mutations: u64,
    /// Partitions that wait with them.
    pub parked_partitions: u64,
    /// Ledger entries by kind since the start.
    pub ledger_counts: BTreeMap<LedgerKind, Kinds>,
    /// The newest of them.
    pub ledger: Vec<DatedEntry>,
    /// What is known of the schema.
    pub schema: Option<SchemaStatus>,
    /// What is known of the destination.
    pub kafka: Option<KafkaStatus>,
    /// Snapshots that are under way, the one at hand first.
    #[serde(default)]
    pub snapshots: Vec<SnapshotStatus>,
    /// Errors and warnings, the newest first.
    pub errors: Vec<ErrorLine>,
    /// How many there were since the start.
    pub errors_total: u64,
    /// How often a file of the state directory could not be written since the start.
    #[serde(default)]
    pub state_write_errors: u64,
    /// The last minutes by second.
    pub history: History,
    /// What the process uses.
    pub process: Option<ProcessStatus>,
}

/// How far the agent is behind the node.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Lag {
    /// Seconds since the latest moment up to which all is known to be committed; 0 when nothing waits.
    pub seconds: Option<f64>,
    /// Bytes that may be read and were not.
    pub unread_bytes: u64,
    /// Records that were sent and are not committed.
    pub uncommitted_records: u64,
    /// Their bytes.
    pub uncommitted_bytes: u64,
}

/// What was committed since the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Commits {
    /// How often.
    pub commits: u64,
    /// Events.
    pub events: u64,
    /// Of them: those that were written long before they were read.
    pub late: u64,
    /// Records.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Mutations that were gone through.
    pub mutations: u64,
    /// Bytes of the log that were gone through.
    pub log_bytes: u64,
    /// Events a second, of the last ten seconds.
    pub events_per_s: f64,
    /// Bytes of records a second, of the last ten seconds.
    pub bytes_per_s: f64,
    /// When the last one was.
    pub last_us: Option<u64>,
    /// How long it took, in milliseconds.
    pub last_took_ms: Option<f64>,
    /// How long all of them took, in seconds.
    pub took_s: f64,
    /// Commits by how long they took: upper bound in milliseconds, commits that took no longer.
    pub took_buckets: Vec<(u64, u64)>,
    /// The greatest write time of an event.
    pub newest_us: Option<u64>,
    /// The place up to which all is committed.
    pub position: Option<String>,
}

/// One table's events since the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableStatus {
    /// `keyspace.table`
    pub table: String,
    /// All of them.
    pub events: u64,
    /// By the value of `op`.
    pub by_op: BTreeMap<String, u64>,
    /// Events a second, of the last ten seconds.
    pub events_per_s: f64,
    /// The greatest write time.
    pub newest_us: Option<u64>,
}

/// Ledger entries of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kinds {
    /// How many.
    pub entries: u64,
    /// The bytes they are about.
    pub bytes: u64,
}

/// A ledger entry and when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedEntry {
    /// When.
    pub at_us: u64,
    /// What.
    #[serde(flatten)]
    pub entry: LedgerEntry,
}

/// An error or warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorLine {
    /// When it was last.
    pub at_us: u64,
    /// What it says.
    pub text: String,
    /// How often, while it was listed.
    pub times: u64,
}

/// The last minutes: a number for each whole second, the oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct History {
    /// Events that were committed.
    pub events: Vec<u64>,
    /// Bytes of records that were committed.
    pub bytes: Vec<u64>,
    /// The greatest lag in milliseconds.
    pub lag_ms: Vec<u64>,
}

pub(super) fn make(state: &State, now: Moment, silent: Duration, limits: Limits) -> Status {
    let judged = health::judge(state, now, silent, limits);
    let unread_bytes = state.unread_bytes();
    Status {
        at_us: now.wall_us,
        headline: judged.headline,
        is_ready: judged.reasons.is_empty(),
        reasons: judged.reasons,
        is_live: silent <= limits.live_within,
        identity: state.identity.clone(),
        phase: state.phase,
        phase_since_us: state.phase_since.wall_us,
        started_us: state.started.wall_us,
        lag: Lag {
            seconds: state.lag_us(now).map(|us| Duration::from_micros(us).as_secs_f64()),
            unread_bytes,
            uncommitted_records: state.reading.uncommitted_records,
            uncommitted_bytes: state.reading.uncommitted_bytes,
        },
        watermark_us: state.watermark_us,
        commits: commits(state, now),
        segment_counts: segment_counts(state),
        segments: listed_segments(&state.reading.segments),
        directory: state.directory,
        tables: tables(state, now),
        parked_mutations: state.parked_mutations,
        parked_partitions: state.parked_partitions,
        ledger_counts: state.kinds.clone(),
        ledger: state.entries.iter().cloned().collect(),
        schema: state.schema.clone(),
        kafka: kafka(state),
        snapshots: state.snapshots.clone(),
        errors: state.errors.iter().cloned().collect(),
        errors_total: state.errors_total,
        state_write_errors: state.state_write_errors,
        history: History {
            events: state.events.whole(now.steady),
            bytes: state.bytes.whole(now.steady),
            lag_ms: state.lag_ms.whole(now.steady),
        },
        process: ProcessStatus::read(),
    }
}

/// What is known of Kafka. While it is waited for it does not answer: what failed is told of the loop only when it gives up.
fn kafka(state: &State) -> Option<KafkaStatus> {
    let mut kafka = state.kafka.clone()?;
    if state.phase == Phase::WaitingForKafka {
        kafka.is_reachable = Some(false);
    }
    Some(kafka)
}

fn commits(state: &State, now: Moment) -> Commits {
    let totals = &state.commits;
    Commits {
        commits: totals.commits,
        events: state.tables.values().flat_map(|table| table.by_op.values()).sum(),
        late: totals.late,
        records: totals.records,
        bytes: totals.bytes,
        mutations: totals.mutations,
        log_bytes: totals.log_bytes,
        events_per_s: state.events.rate(now.steady, RATED),
        bytes_per_s: state.bytes.rate(now.steady, RATED),
        last_us: totals.last.map(|at| at.wall_us),
        last_took_ms: totals.last.map(|_| totals.last_took.as_secs_f64() * 1000.0),
        took_s: totals.took.as_secs_f64(),
        took_buckets: COMMIT_BUCKETS_MS.iter().copied().zip(totals.buckets).collect(),
        newest_us: state.newest_us,
        position: totals.position.clone(),
    }
}

fn segment_counts(state: &State) -> BTreeMap<SegmentState, u64> {
    let mut counts = BTreeMap::from(SegmentState::ALL.map(|word| (word, 0)));
    for segment in &state.reading.segments {
        *counts.entry(segment.state).or_insert(0) += 1;
    }
    counts
}

fn listed_segments(segments: &[SegmentStatus]) -> Vec<SegmentStatus> {
    let half = LISTED_SEGMENTS / 2;
    let first = segments.len().min(half);
    let last = segments.len().saturating_sub(half).max(first);
    segments.iter().take(first).chain(segments.iter().skip(last)).cloned().collect()
}

fn tables(state: &State, now: Moment) -> Vec<TableStatus> {
    let mut tables: Vec<_> = state
        .tables
        .iter()
        .map(|(name, table)| TableStatus {
            table: name.clone(),
            events: table.by_op.values().sum(),
            by_op: table.by_op.clone(),
            events_per_s: table.seconds.rate(now.steady, RATED),
            newest_us: table.newest_us,
        })
        .collect();
    tables.sort_by(|one, other| other.events.cmp(&one.events).then_with(|| one.table.cmp(&other.table)));
    tables.truncate(LISTED_TABLES);
    tables
}
