//! What a running agent tells of itself: the loop feeds a [`Telemetry`] once per commit and per look at the directory,
//! and whoever asks gets a [`Status`] of it, or [`metrics`] made from that.
//!
//! Nothing here is done per event, waits, or fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod clock;
pub(crate) mod exposition;
mod facts;
mod health;
pub mod metrics;
mod process;
pub(crate) mod rates;
mod state;
mod status;
#[cfg(test)]
mod tests;

pub use clock::{Clock, Moment, SetClock, SystemClock};
pub use facts::{
    CommitReport, DirectoryUsage, EventCount, Identity, KafkaStatus, LedgerEntry, LedgerKind, Phase, Reading,
    SchemaStatus, SegmentState, SegmentStatus, SnapshotStatus,
};
pub use health::{Headline, Level, Reason};
pub(crate) use health::{size, time};
pub use process::ProcessStatus;
pub(crate) use rates::to_float;
pub use status::{
    Commits, DatedEntry, ErrorLine, History, Kinds, LISTED_ENTRIES, LISTED_SEGMENTS, LISTED_TABLES, Lag,
    Status, TableStatus,
};

use state::State;

/// Times after which something counts as wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Something is there to be read or committed and nothing was committed for so long: stalled.
    pub stall_after: Duration,
    /// The loop gave no sign of life for so long: hung. Above what a commit to Kafka may take.
    pub live_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { stall_after: Duration::from_secs(60), live_within: Duration::from_secs(120) }
    }
}

/// Collects what the loop tells. Shared: `Arc<Telemetry>`.
#[derive(Debug)]
pub struct Telemetry {
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// Milliseconds of the steady clock at the last sign of life.
    alive_at: AtomicU64,
    state: Mutex<State>,
}

impl Telemetry {
    /// With the system's clocks.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with_clock(limits, Arc::new(SystemClock::default()))
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let alive_at = AtomicU64::new(millis(now.steady));
        Self { clock, limits, alive_at, state: Mutex::new(State::new(now)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sign of life of the loop: to be given in each turn, and in waits that may be long. Cheap.
    pub fn alive(&self) {
        self.alive_at.store(millis(self.clock.now().steady), Ordering::Relaxed);
    }

    /// Something went on that is no commit, as reading through segments without wanted changes: no stall.
    pub fn progress(&self) {
        self.alive();
        let now = self.clock.now();
        self.state().progressed = now;
    }

    /// Who the agent is.
    pub fn identity(&self, identity: Identity) {
        self.state().identity = identity;
    }

    /// What the loop is at from now on, and why where that is not plain.
    pub fn phase(&self, phase: Phase, why: Option<&str>) {
        self.alive();
        let now = self.clock.now();
        self.state().phase(phase, why, now);
    }

    /// As [`Self::phase`], when it is another phase than before, which anybody may have told. Cheap.
    pub fn phase_if_new(&self, phase: Phase, why: Option<&str>) {
        self.alive();
        let mut state = self.state();
        if !state.is_at(phase) {
            let now = self.clock.now();
            state.phase(phase, why, now);
        }
    }

    /// Where reading stands, after a look at the directory.
    pub fn reading(&self, reading: Reading) {
        self.alive();
        let now = self.clock.now();
        self.state().reading(reading, now);
    }

    /// What a commit made durable.
    pub fn committed(&self, report: &CommitReport<'_>) {
        self.alive();
        let now = self.clock.now();
        self.state().committed(report, now);
    }

    /// How many mutations wait for a better schema, and in how many partitions.
    pub fn parked(&self, mutations: u64, partitions: u64) {
        let mut state = self.state();
        state.parked_mutations = mutations;
        state.parked_partitions = partitions;
    }

    /// Something did not come through, or not whole.
    pub fn ledger(&self, entry: LedgerEntry) {
        let now = self.clock.now();
        self.state().ledger(entry, now);
    }

    /// How full `cdc_raw` is. Said every second, whatever the loop waits for: so the lag is plotted meanwhile, too.
    pub fn directory(&self, usage: DirectoryUsage) {
        let now = self.clock.now();
        let mut state = self.state();
        state.directory = Some(usage);
        state.plot_lag(now);
    }

    /// The low watermark, in microseconds since 1970.
    pub fn watermark(&self, wm_us: u64) {
        self.state().watermark_us = Some(wm_us);
    }

    /// What is known of the schema.
    pub fn schema(&self, schema: SchemaStatus) {
        self.state().schema = Some(schema);
    }

    /// The snapshots that are under way.
    pub fn snapshots(&self, snapshots: Vec<SnapshotStatus>) {
        self.state().snapshots = snapshots;
    }

    /// What is known of the destination.
    pub fn kafka(&self, kafka: KafkaStatus) {
        self.state().kafka = Some(kafka);
    }

    /// An error or warning that somebody should see; the same one again is counted. Without values of cells.
    pub fn error(&self, text: &str) {
        let now = self.clock.now();
        self.state().error(text, now);
    }

    /// A file of the state directory could not be written.
    pub fn state_unwritten(&self) {
        self.state().state_write_errors += 1;
    }

    /// Everything, as of now.
    #[must_use]
    pub fn status(&self) -> Status {
        let now = self.clock.now();
        let alive_at = Duration::from_millis(self.alive_at.load(Ordering::Relaxed));
        let silent = now.steady.saturating_sub(alive_at);
        // The state is copied under the lock and looked at outside of it: the loop is not to wait for readers.
        let state = self.state().clone();
        status::make(&state, now, silent, self.limits)
    }

    /// Whether the loop gave a sign of life lately.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let now = millis(self.clock.now().steady);
        let silent = now.saturating_sub(self.alive_at.load(Ordering::Relaxed));
        silent <= millis(self.limits.live_within)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
