//! The state machine: inputs → verdicts. Neither I/O nor a clock: time is what watermarks say.

mod judge;
mod silence;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::event::{Both, GapKind, Input, RowEvent, Side};
use super::memory::{EventIds, Forgotten, Memory, RowId, Waiting};
use super::options::Options;
use super::range::RangeDeletion;
use super::unknown::{Gap, Gaps, Window};
use super::verdict::{Status, Told, Verdict};

/// What comes of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// For the audit trail.
    Verdict(Box<Verdict>),
    /// What holds of a row from now on; None when nothing is wrong with it any more. Key None: of the job.
    Current {
        /// Key of the row.
        key: Option<String>,
        /// What holds.
        verdict: Option<Box<Verdict>>,
    },
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Verdicts by status, in the order of [`Status::ALL`].
    verdicts: [u64; Status::ALL.len()],
    /// Events that were taken.
    pub events: u64,
    /// Further copies of events, of other replicas.
    pub repeats: u64,
    /// Differing versions from before the stream of a side begins: no verdict.
    pub before_start: u64,
    /// What was forgotten because there was too much.
    pub forgotten: Forgotten,
}

impl Counts {
    fn add(&mut self, status: Status) {
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
    clocks: Both<Clock>,
    gaps: Both<Gaps>,
    memory: Memory,
    event_ids: EventIds,
    /// When a version must be decided.
    due: BTreeSet<(i64, RowId, i64)>,
    /// Rows about which something holds that may have changed.
    dirty: BTreeSet<RowId>,
    watermark_us: Option<i64>,
    silent: BTreeSet<(Side, String)>,
    /// The newest watermark when the first heartbeat came.
    first_heard_us: Option<i64>,
    counts: Counts,
}

/// The state machine of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    options: Options,
    state: State,
}

impl Machine {
    /// One that knows what `state` says: nothing, when it is the default.
    #[must_use]
    pub fn new(options: Options, state: State) -> Self {
        Self { options, state }
    }

    /// What decides.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What it knows.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.state.counts
    }

    /// Up to where both sides are complete, microseconds.
    #[must_use]
    pub fn watermark_us(&self) -> Option<i64> {
        self.state.watermark_us
    }

    /// Rows and event ids that are remembered.
    #[must_use]
    pub fn remembered(&self) -> (usize, usize) {
        (self.state.memory.len(), self.state.event_ids.len())
    }

    /// Something that was logged up to this time was lost from the state, microseconds.
    pub fn forgets_to(&mut self, us: i64) {
        self.state.memory.forgets_to(us);
    }

    /// Takes an input; what comes of it is appended.
    pub fn take(&mut self, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Event(event) => self.take_event(*event),
            Input::Heartbeat { side, partition, host_id, wm_us, ts_ms } => {
                let options = self.options.sides.of(side);
                self.state.clocks.of_mut(side).hear(options, &host_id, partition, wm_us, ts_ms);
                self.advance(outputs);
            }
            Input::Gap { side, host_id, ts_ms, kind } => self.take_gap(side, host_id, ts_ms, kind),
        }
    }

    /// Nothing more comes of either side: all that was told is decided, as if both watermarks had passed it.
    pub fn finish(&mut self, outputs: &mut Vec<Output>) {
        let rows = self.state.memory.partitions.values().flat_map(|partition| partition.rows.values());
        let waiting = rows.flat_map(|row| row.entries.values()).flat_map(|entry| &entry.events);
        let last_us = waiting.map(|event| event.due_us).max();
        if let Some(now_us) = last_us.max(self.state.watermark_us) {
            self.reach(now_us, outputs);
        }
    }

    fn take_event(&mut self, event: RowEvent) {
        let (state, options) = (&mut self.state, &self.options);
        // What a snapshot read is no write: it says what is there, and is not waited for.
        let is_read = event.op == "r";
        if !is_read {
            if state.event_ids.is_repeat(&event.event_id, event.side, event.logged_us) {
                state.counts.repeats += 1;
                return;
            }
            state.counts.events += 1;
        }
        let told_us = state.clocks.of(event.side).told_us(&event.host_id, event.partition);
        let row_id = (event.partition_key.clone(), event.key.clone());
        let row = state.memory.touch(&event);
        row.take(&event);
        if row.is_open() {
            state.dirty.insert(row_id.clone());
        }
        if !is_read {
            let due_us = event.logged_us.saturating_add(options.delay_us());
            let entry = row.entries.entry(event.version_us).or_default();
            entry.first_seen_us =
                Some(entry.first_seen_us.map_or(event.logged_us, |first| first.min(event.logged_us)));
            *entry.told.of_mut(event.side) = Some(Told {
                event_id: event.event_id.clone(),
                op: event.op,
                row_hash: event.row_hash,
                hash_def: event.hash_def,
                place: event.place,
            });
            entry.events.push(Waiting {
                side: event.side,
                event_id: event.event_id,
                content: event.content.clone(),
                due_us,
                window: window(options, told_us, event.version_us, due_us),
            });
            state.due.insert((due_us, row_id, event.version_us));
        }
        if let Some(range) = &event.content.range {
            self.delete_range(event.side, &event.partition_key, range);
        }
    }

    fn delete_range(&mut self, side: Side, partition_key: &str, range: &RangeDeletion) {
        let state = &mut self.state;
        let Some(partition) = state.memory.partitions.get_mut(partition_key) else { return };
        if !partition.delete_range(side, range, &self.options.clustering) {
            state.counts.forgotten.ranges += 1;
        }
        let open = partition.rows.iter().filter(|(_, row)| row.is_open());
        state.dirty.extend(open.map(|(key, _)| (partition_key.to_owned(), key.clone())));
    }

    fn take_gap(&mut self, side: Side, host_id: String, ts_ms: i64, kind: GapKind) {
        let state = &mut self.state;
        let from_us = state.clocks.of(side).complete_before_us(&host_id, ts_ms).unwrap_or(i64::MIN);
        let to_us = ts_ms.saturating_mul(1000);
        state.gaps.of_mut(side).add(Gap { host_id, from_us, to_us, kind });
        for (partition_key, partition) in &state.memory.partitions {
            let open = partition.rows.iter().filter(|(_, row)| row.is_open());
            state.dirty.extend(open.map(|(key, _)| (partition_key.clone(), key.clone())));
        }
    }

    /// The smaller watermark of both sides decides.
    fn advance(&mut self, outputs: &mut Vec<Output>) {
        let of = |side| self.state.clocks.of(side).watermark_us(self.options.sides.of(side));
        let watermark_us = match (of(Side::Onprem), of(Side::Cloud)) {
            (Some(onprem), Some(cloud)) => Some(onprem.min(cloud)),
            _ => None,
        };
        // A node that was not heard of before may set it back: what was decided stays, and the rest waits.
        if let Some(now_us) = watermark_us.filter(|now| Some(*now) > self.state.watermark_us) {
            self.reach(now_us, outputs);
        }
        self.listen(outputs);
    }

    fn reach(&mut self, now_us: i64, outputs: &mut Vec<Output>) {
        self.state.watermark_us = Some(now_us);
        self.decide(now_us, outputs);
        self.forget(now_us);
    }

    fn forget(&mut self, now_us: i64) {
        let (state, options) = (&mut self.state, &self.options);
        let before_us = now_us.saturating_sub(options.retention_us);
        let count = &mut state.counts.forgotten;
        state.memory.forget(before_us, now_us, options.max_rows, count);
        state.event_ids.forget(before_us, options.max_event_ids, count);
    }
}

/// When the other side can have logged an event that was logged after `told_us`.
fn window(options: &Options, told_us: Option<i64>, version_us: i64, due_us: i64) -> Window {
    let mut from_us = told_us.unwrap_or(i64::MIN);
    if options.old_is_incomparable {
        from_us = from_us.min(version_us);
    }
    Window { from_us: from_us.saturating_sub(options.delay_us()), to_us: due_us }
}
