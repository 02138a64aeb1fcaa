//! How snapshots stand, for people and for programs.

use serde::Serialize;
use serde_json::Value;

use super::Snapshots;
use crate::checkpoint::TableSnapshot;
use crate::schema::source::ReadConsistency;
use crate::schema::source::ranges::done_share;
use crate::telemetry::SnapshotStatus;

/// So many that came to an end are remembered.
const REMEMBERED: usize = 20;

/// A snapshot that came to an end.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) snapshot: TableSnapshot,
    pub(super) outcome: &'static str,
    pub(super) reason: Option<String>,
    pub(super) ended_ms: i64,
}

/// How one snapshot stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::agent::run) struct State {
    /// `keyspace.table`
    pub(in crate::agent::run) table: String,
    /// `queued`, `planning`, `reading`, `waiting_for_log`, `retrying`; `complete`, `stopped`, `failed`.
    pub(in crate::agent::run) state: &'static str,
    /// Rows and static rows published.
    pub(in crate::agent::run) rows: u64,
    /// How much of the node's ranges is published; `None` while that is not known.
    pub(in crate::agent::run) percent: Option<f64>,
    pub(in crate::agent::run) rate: u32,
    pub(in crate::agent::run) consistency: ReadConsistency,
    pub(in crate::agent::run) begun_ms: i64,
    pub(in crate::agent::run) ended_ms: Option<i64>,
    /// The error that it waits after, or ended with.
    pub(in crate::agent::run) reason: Option<String>,
}

impl Snapshots {
    /// How those under way stand, and what ended since the agent runs.
    pub(in crate::agent::run) fn states(&self, under_way: &[TableSnapshot]) -> Vec<State> {
        let ended = self.ended.iter().map(|ended| State {
            state: ended.outcome,
            percent: (ended.outcome == "complete").then_some(100.0),
            ended_ms: Some(ended.ended_ms),
            reason: ended.reason.clone(),
            ..blank(&ended.snapshot)
        });
        ended.chain(under_way.iter().map(|snapshot| self.state(snapshot))).collect()
    }

    pub(in crate::agent::run) fn state(&self, snapshot: &TableSnapshot) -> State {
        let Some(reading) = self.reading.as_ref().filter(|reading| reading.id == snapshot.id) else {
            return blank(snapshot);
        };
        let state = match &reading.plan {
            _ if reading.pages.trouble.is_some() => "retrying",
            None => "planning",
            Some(_) if reading.pages.are_held() => "waiting_for_log",
            Some(_) => "reading",
        };
        let percent = |ranges| f64::from(done_share(ranges, snapshot.token)) / 100.0;
        State {
            state,
            percent: reading.plan.as_ref().map(|plan| percent(&plan.ranges)),
            reason: reading.pages.trouble.clone(),
            ..blank(snapshot)
        }
    }
}

impl State {
    /// As an item of an answer.
    pub(in crate::agent::run) fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// As it is told to those who watch.
    pub(in crate::agent::run) fn told(self) -> SnapshotStatus {
        let state = self.state.to_owned();
        let Self { table, rows, percent, reason, .. } = self;
        SnapshotStatus { table, state, rows, percent, reason }
    }
}

fn blank(snapshot: &TableSnapshot) -> State {
    State {
        table: snapshot.name(),
        state: "queued",
        rows: snapshot.rows,
        percent: None,
        rate: snapshot.rate,
        consistency: snapshot.consistency,
        begun_ms: snapshot.begun_ms,
        ended_ms: None,
        reason: None,
    }
}

/// Forgets the oldest.
pub(super) fn shorten(ended: &mut Vec<Ended>) {
    let surplus = ended.len().saturating_sub(REMEMBERED);
    ended.drain(..surplus);
}
