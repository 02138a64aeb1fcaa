//! How many records of each minute of Kafka time are valid and invalid.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A minute.
pub(super) const WINDOW_MS: i64 = 60_000;
/// Windows that are kept for late records; of more the oldest are let go.
const MOST_WINDOWS: usize = 100_000;

/// The counts of a minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) valid: u64,
    /// Of the valid ones those that broke a rule of severity `warn`.
    pub(super) warned: u64,
    pub(super) invalid: u64,
    /// How many records broke each rule of severity `fail`, by its id.
    pub(super) by_rule: BTreeMap<String, u64>,
    /// Whether it holds more than its row says.
    is_open: bool,
}

/// All windows, and how far Kafka time is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Counters {
    /// By their beginning, milliseconds since the epoch.
    windows: BTreeMap<i64, Window>,
    /// Greatest timestamp of each partition.
    times: BTreeMap<u32, i64>,
    /// Partitions that hold nothing back.
    idle: BTreeSet<u32>,
    /// Windows that begin before this are not known any more: their rows are left as they are.
    floor_ms: Option<i64>,
    /// Records of windows that were let go.
    let_go: u64,
    /// Records that came after their window was let go: no row tells of them.
    late: u64,
    /// Records of windows that were let go before their rows told of all of them.
    untold: u64,
    /// Everything was read: all windows are closed.
    has_ended: bool,
}

/// What the verdict was.
pub(super) enum Count<'c> {
    Valid { is_warned: bool },
    Invalid { failed: &'c [&'c str] },
}

impl Counters {
    /// A record of a partition: time goes on.
    pub(super) fn pass(&mut self, partition: u32, timestamp_ms: i64) {
        self.has_ended = false;
        self.idle.remove(&partition);
        let time = self.times.entry(partition).or_insert(timestamp_ms);
        *time = timestamp_ms.max(*time);
    }

    /// Counts a verdict.
    pub(super) fn count(&mut self, timestamp_ms: i64, count: &Count<'_>) {
        let start = timestamp_ms.div_euclid(WINDOW_MS).saturating_mul(WINDOW_MS);
        if self.floor_ms.is_some_and(|floor| start < floor) {
            self.late += 1;
            return;
        }
        let window = self.windows.entry(start).or_default();
        window.is_open = true;
        match count {
            Count::Valid { is_warned } => {
                window.valid += 1;
                window.warned += u64::from(*is_warned);
            }
            Count::Invalid { failed } => {
                window.invalid += 1;
                for rule in *failed {
                    match window.by_rule.get_mut(*rule) {
                        Some(number) => *number += 1,
                        None => _ = window.by_rule.insert((*rule).to_owned(), 1),
                    }
                }
            }
        }
    }

    pub(super) fn idle(&mut self, partition: u32) {
        self.idle.insert(partition);
    }

    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// Windows of which something is gone, after the state was made anew.
    pub(super) fn forget_before(&mut self, ms: i64) {
        let floor = ms.div_euclid(WINDOW_MS).saturating_add(1).saturating_mul(WINDOW_MS);
        self.floor_ms = self.floor_ms.max(Some(floor));
        self.let_go();
    }

    /// The time that every one of so many partitions has passed.
    fn passed(&self, partitions: u32) -> i64 {
        if self.has_ended {
            return i64::MAX;
        }
        let waited_for = (0..partitions).filter(|partition| !self.idle.contains(partition));
        // Where all are idle, everything that is there was read.
        waited_for
            .map(|partition| self.times.get(&partition).copied().unwrap_or(i64::MIN))
            .min()
            .unwrap_or(i64::MAX)
    }

    /// The windows that are closed and hold more than their rows say; then the rows say it.
    pub(super) fn close(&mut self, partitions: u32) -> Vec<(i64, Window)> {
        let passed = self.passed(partitions);
        let mut closed = Vec::new();
        for (start, window) in &mut self.windows {
            if start.saturating_add(WINDOW_MS) > passed {
                break;
            }
            if std::mem::take(&mut window.is_open) {
                closed.push((*start, window.clone()));
            }
        }
        self.let_go();
        closed
    }

    fn let_go(&mut self) {
        let is_over = |start: i64, floor: Option<i64>| floor.is_some_and(|floor| start < floor);
        while let Some((oldest, _)) = self.windows.first_key_value() {
            if is_over(*oldest, self.floor_ms) {
                let Some((_, window)) = self.windows.pop_first() else { break };
                self.let_go += window.valid + window.invalid;
            } else if self.windows.len() > MOST_WINDOWS {
                let Some((start, window)) = self.windows.pop_first() else { break };
                self.let_go += window.valid + window.invalid;
                self.untold += if window.is_open { window.valid + window.invalid } else { 0 };
                self.floor_ms = Some(start.saturating_add(WINDOW_MS));
            } else {
                break;
            }
        }
    }

    /// Records that are in windows, or were in windows that were let go, or came later than that.
    pub(super) fn sum(&self) -> u64 {
        let in_windows: u64 = self.windows.values().map(|window| window.valid + window.invalid).sum();
        in_windows + self.let_go + self.late
    }

    /// Records of which no row tells, and none will.
    pub(super) fn uncounted(&self) -> u64 {
        self.late + self.untold
    }

    /// Windows whose rows do not say everything yet.
    pub(super) fn open_windows(&self) -> usize {
        self.windows.values().filter(|window| window.is_open).count()
    }
}
