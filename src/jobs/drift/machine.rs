//! The state machine: inputs → verdicts. Neither I/O nor a clock: time is what watermarks say.

mod bound;
mod judge;
mod said;
mod silence;
mod state;

use super::event::{GapKind, Input, RowEvent, Side, UNVERSIONED};
use super::memory::{RowId, Waiting};
use super::options::Options;
use super::range::RangeDeletion;
use super::unknown::{Gap, Window};
use super::verdict::{Told, Verdict};

pub use state::{Counts, State};

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

/// The state machine of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    options: Options,
    state: State,
}

impl Machine {
    /// One that knows what `state` says: nothing, when it is the default.
    #[must_use]
    pub fn new(options: Options, mut state: State) -> Self {
        state.index();
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

    /// Events that wait for the other side, or for what was said about them to be over.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.waiting
    }

    /// Something that was logged up to this time was lost from the state, microseconds.
    pub fn forgets_to(&mut self, us: i64) {
        self.state.memory.forgets_to(us);
    }

    /// Takes an input; what comes of it is appended.
    pub fn take(&mut self, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Event(event) => {
                let was_crowded = self.is_crowded();
                self.take_event(*event);
                self.bound(outputs);
                // Whoever is ahead may not be read any more then, and no heartbeat come.
                if !was_crowded && self.is_crowded() {
                    self.listen(outputs);
                }
            }
            Input::Heartbeat { side, partition, host_id, wm_us, ts_ms } => {
                let options = self.options.sides.of(side);
                self.state.clocks.of_mut(side).hear(options, &host_id, partition, wm_us, ts_ms);
                self.advance(outputs);
            }
            Input::Beginning { side, partition, host_id, created_us } => {
                self.state.clocks.of_mut(side).begins(host_id, partition, created_us);
            }
            Input::Gap { side, host_id, ts_ms, kind, row } => {
                self.take_gap(side, host_id, ts_ms, (kind, row))
            }
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

    fn take_event(&mut self, mut event: RowEvent) {
        let (state, options) = (&mut self.state, &self.options);
        // What a snapshot read is no write: it says what is there, and is not waited for.
        let is_read = event.op == "r";
        if !is_read {
            let id = (event.partition_key.as_str(), event.event_id.as_str());
            if state.event_ids.is_repeat(id, event.side, event.logged_us) {
                state.counts.repeats += 1;
                return;
            }
            state.counts.events += 1;
        }
        let told_us = state.clocks.of(event.side).told_us(&event.host_id, event.partition);
        let row_id = (event.partition_key.clone(), event.key.clone());
        let row = state.memory.touch(&event);
        if event.content.opaque_us == Some(UNVERSIONED) {
            state.counts.unversioned += 1;
            // It changes a part of what this side has told of the row.
            if let Some(version_us) = row.versions.of(event.side).iter().max() {
                event.version_us = *version_us;
                event.content.opaque_us = Some(*version_us);
            }
        }
        row.take(&event);
        if row.is_open() {
            state.dirty.insert(row_id.clone());
        }
        let range = event.content.range.clone();
        let (side, partition_key) = (event.side, event.partition_key.clone());
        if !is_read {
            let due_us = event.logged_us.saturating_add(options.delay_us());
            let window = window(options, told_us, event.version_us, due_us);
            state.await_other(row_id, event, due_us, window);
        }
        if let Some(range) = range {
            self.delete_range(side, &partition_key, &range);
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

    fn take_gap(&mut self, side: Side, host_id: String, ts_ms: i64, (kind, row): (GapKind, Option<RowId>)) {
        let state = &mut self.state;
        let before_us = state.clocks.of(side).complete_before_us(&host_id, ts_ms).unwrap_or(i64::MIN);
        let said_us = ts_ms.saturating_mul(1000);
        let gaps = state.gaps.of_mut(side);
        let lasting = |from_us, to_us, kind| Gap { host_id: host_id.clone(), from_us, to_us, kind, row };
        match kind {
            GapKind::Lost | GapKind::Forgotten => gaps.add(lasting(before_us, said_us, kind)),
            GapKind::Off => gaps.add(lasting(before_us, i64::MAX, kind)),
            GapKind::Truncated => gaps.add(lasting(i64::MIN, said_us, kind)),
            GapKind::On if gaps.end(&host_id, said_us) => {}
            // Of what was before its beginning nothing was heard either.
            GapKind::On => gaps.add(lasting(i64::MIN, said_us, GapKind::Lost)),
        }
        for (partition_key, partition) in &state.memory.partitions {
            let open = partition.rows.iter().filter(|(_, row)| row.is_open());
            state.dirty.extend(open.map(|(key, _)| (partition_key.clone(), key.clone())));
        }
    }

    /// The smaller watermark of both sides decides.
    fn advance(&mut self, outputs: &mut Vec<Output>) {
        let watermark_us = match (self.watermark_of(Side::Onprem), self.watermark_of(Side::Cloud)) {
            (Some(onprem), Some(cloud)) => Some(onprem.min(cloud)),
            _ => None,
        };
        // A node that was not heard of before may set it back: what was decided stays, and the rest waits.
        if let Some(now_us) = watermark_us.filter(|now| Some(*now) > self.state.watermark_us) {
            self.reach(now_us, outputs);
        }
        self.listen(outputs);
    }

    fn watermark_of(&self, side: Side) -> Option<i64> {
        self.state.clocks.of(side).watermark_us(self.options.sides.of(side))
    }

    fn reach(&mut self, now_us: i64, outputs: &mut Vec<Output>) {
        self.state.watermark_us = Some(now_us);
        self.decide(now_us, outputs);
        let before_us = now_us.saturating_sub(self.options.retention_us);
        self.state.memory.forget(before_us, now_us);
        self.forget_ids(before_us);
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

impl State {
    /// Remembers that the other side must have an event one day.
    fn await_other(&mut self, row_id: RowId, event: RowEvent, due_us: i64, window: Window) {
        let version_us = event.version_us;
        let Some(row) = self.memory.row_mut(&row_id) else { return };
        let entry = row.entries.entry(version_us).or_default();
        if entry.events.is_empty() && entry.open.is_none() {
            entry.since_us = due_us;
            self.held.insert((due_us, row_id.clone(), version_us));
        }
        entry.first_seen_us =
            Some(entry.first_seen_us.map_or(event.logged_us, |first| first.min(event.logged_us)));
        *entry.told.of_mut(event.side) = Some(Told {
            event_id: event.event_id.clone(),
            op: event.op,
            row_hash: event.row_hash,
            hash_def: event.hash_def,
            place: event.place,
        });
        let (side, event_id, content) = (event.side, event.event_id, event.content);
        entry.events.push(Waiting { side, event_id, content, due_us, window });
        self.waiting += 1;
        self.due.insert((due_us, row_id, version_us));
    }
}
