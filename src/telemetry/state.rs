//! All that was told, as it is kept between two questions.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::clock::Moment;
use super::facts::{
    CommitReport, DirectoryUsage, Identity, KafkaStatus, LedgerEntry, LedgerKind, Phase, Reading,
    SchemaStatus, SnapshotStatus,
};
use super::rates::Seconds;
use super::status::{DatedEntry, ErrorLine, Kinds, LISTED_ENTRIES};

/// Seconds that plots show.
const PLOTTED: usize = 600;
/// Whole seconds that the rate of a table is taken over.
pub(super) const RATED: usize = 10;
/// Tables with counters of their own; events of further ones are counted together, so that metrics stay bounded.
const COUNTED_TABLES: usize = 1000;
/// The name that further ones are counted under; no keyspace is called so.
pub(super) const OTHER_TABLES: &str = "(other tables)";
/// Errors that are listed.
const LISTED_ERRORS: usize = 20;
/// A write time that lies so far ahead of the clock says nothing of the lag.
const AHEAD_US: u64 = 1_000_000;
/// Upper bounds of the buckets of `cdc_txn_commit_seconds`, in milliseconds.
pub(super) const COMMIT_BUCKETS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 5000, 30_000];

/// Counts of one table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) by_op: BTreeMap<String, u64>,
    pub(super) newest_us: Option<u64>,
    pub(super) seconds: Seconds,
}

/// Commits so far.
#[derive(Debug, Clone, Default)]
pub(super) struct CommitTotals {
    pub(super) commits: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) mutations: u64,
    pub(super) log_bytes: u64,
    pub(super) late: u64,
    pub(super) took: Duration,
    pub(super) last_took: Duration,
    pub(super) last: Option<Moment>,
    pub(super) position: Option<String>,
    /// Commits that took no longer than the bound of the same place in [`COMMIT_BUCKETS_MS`].
    pub(super) buckets: [u64; COMMIT_BUCKETS_MS.len()],
}

#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) started: Moment,
    pub(super) identity: Identity,
    pub(super) phase: Phase,
    pub(super) phase_since: Moment,
    pub(super) why: Option<String>,
    pub(super) reading: Reading,
    /// When something became unread or uncommitted that is so still.
    pub(super) pending_since: Option<Moment>,
    /// When last nothing was unread or uncommitted.
    pub(super) caught_up: Option<Moment>,
    /// Last commit or other progress.
    pub(super) progressed: Moment,
    pub(super) commits: CommitTotals,
    pub(super) tables: BTreeMap<String, Table>,
    /// The greatest write time that was committed and is not ahead of the clock.
    pub(super) newest_us: Option<u64>,
    pub(super) parked_mutations: u64,
    pub(super) parked_partitions: u64,
    pub(super) kinds: BTreeMap<LedgerKind, Kinds>,
    pub(super) entries: VecDeque<DatedEntry>,
    pub(super) directory: Option<DirectoryUsage>,
    pub(super) watermark_us: Option<u64>,
    pub(super) schema: Option<SchemaStatus>,
    pub(super) kafka: Option<KafkaStatus>,
    pub(super) snapshots: Vec<SnapshotStatus>,
    pub(super) errors: VecDeque<ErrorLine>,
    pub(super) errors_total: u64,
    /// How often a file of the state directory could not be written.
    pub(super) state_write_errors: u64,
    pub(super) events: Seconds,
    pub(super) bytes: Seconds,
    pub(super) lag_ms: Seconds,
}

impl State {
    pub(super) fn new(now: Moment) -> Self {
        let mut state = Self {
            started: now,
            identity: Identity::default(),
            phase: Phase::Starting,
            phase_since: now,
            why: None,
            reading: Reading::default(),
            pending_since: None,
            caught_up: None,
            progressed: now,
            commits: CommitTotals::default(),
            tables: BTreeMap::new(),
            newest_us: None,
            parked_mutations: 0,
            parked_partitions: 0,
            kinds: BTreeMap::new(),
            entries: VecDeque::new(),
            directory: None,
            watermark_us: None,
            schema: None,
            kafka: None,
            snapshots: Vec::new(),
            errors: VecDeque::new(),
            errors_total: 0,
            state_write_errors: 0,
            events: Seconds::new(PLOTTED + 1),
            bytes: Seconds::new(PLOTTED + 1),
            lag_ms: Seconds::new(PLOTTED + 1),
        };
        // The plots begin with the agent, not with its first event.
        for seconds in [&mut state.events, &mut state.bytes, &mut state.lag_ms] {
            seconds.add(now.steady, 0);
        }
        state
    }

    pub(super) fn is_at(&self, phase: Phase) -> bool {
        self.phase == phase
    }

    pub(super) fn phase(&mut self, phase: Phase, why: Option<&str>, now: Moment) {
        if self.phase != phase {
            self.phase_since = now;
            // What was waited for is no stall of what comes after it.
            self.progressed = now;
        }
        self.phase = phase;
        self.why = why.map(str::to_owned);
    }

    pub(super) fn reading(&mut self, reading: Reading, now: Moment) {
        self.reading = reading;
        if self.unread_bytes() > 0 || self.reading.uncommitted_records > 0 {
            self.pending_since.get_or_insert(now);
        } else {
            self.pending_since = None;
            self.caught_up = Some(now);
        }
        self.plot_lag(now);
    }

    pub(super) fn plot_lag(&mut self, now: Moment) {
        if let Some(lag_us) = self.lag_us(now) {
            self.lag_ms.highest(now.steady, lag_us / 1000);
        }
    }

    /// Bytes that may be read and were not.
    pub(super) fn unread_bytes(&self) -> u64 {
        let segments = self.reading.segments.iter();
        segments.fold(0, |sum: u64, at| sum.saturating_add(at.readable_to.saturating_sub(at.read_to)))
    }

    /// How far behind the node everything is, in microseconds: 0 when nothing waits; otherwise since the latest moment up to
    /// which all is known to be done. `None` while no such moment is known.
    pub(super) fn lag_us(&self, now: Moment) -> Option<u64> {
        // A loop that waits for Kafka has something to commit, and looks at nothing: that nothing waited was before.
        if self.pending_since.is_none() && self.phase != Phase::WaitingForKafka {
            return self.caught_up.map(|_| 0);
        }
        let caught_up = self.caught_up.map(|at| at.wall_us);
        let done_to = caught_up.max(self.newest_us).max(self.reading.oldest_unread_us)?;
        Some(now.wall_us.saturating_sub(done_to))
    }

    pub(super) fn committed(&mut self, report: &CommitReport<'_>, now: Moment) {
        self.progressed = now;
        let totals = &mut self.commits;
        totals.commits += 1;
        totals.records = totals.records.saturating_add(report.records);
        totals.bytes = totals.bytes.saturating_add(report.bytes);
        totals.mutations = totals.mutations.saturating_add(report.mutations);
        totals.log_bytes = totals.log_bytes.saturating_add(report.log_bytes);
        totals.late = totals.late.saturating_add(report.late);
        totals.took = totals.took.saturating_add(report.took);
        totals.last_took = report.took;
        totals.last = Some(now);
        if report.position.is_some() {
            totals.position.clone_from(&report.position);
        }
        for (bound, bucket) in COMMIT_BUCKETS_MS.iter().zip(&mut totals.buckets) {
            if report.took <= Duration::from_millis(*bound) {
                *bucket += 1;
            }
        }
        self.bytes.add(now.steady, report.bytes);
        self.count_events(report, now);
    }

    fn count_events(&mut self, report: &CommitReport<'_>, now: Moment) {
        for counted in &report.events {
            let is_ahead = |at: u64| at > now.wall_us.saturating_add(AHEAD_US);
            let newest = counted.newest_us.filter(|at| !is_ahead(*at));
            self.newest_us = self.newest_us.max(newest);
            self.events.add(now.steady, counted.events);
            let table = self.table(counted.table);
            table.newest_us = table.newest_us.max(counted.newest_us);
            table.seconds.add(now.steady, counted.events);
            match table.by_op.get_mut(counted.op) {
                Some(events) => *events = events.saturating_add(counted.events),
                None => drop(table.by_op.insert(counted.op.to_owned(), counted.events)),
            }
        }
    }

    fn table(&mut self, name: &str) -> &mut Table {
        let is_known = self.tables.contains_key(name);
        let name = if is_known || self.tables.len() < COUNTED_TABLES { name } else { OTHER_TABLES };
        self.tables.entry(name.to_owned()).or_insert_with(|| Table {
            by_op: BTreeMap::new(),
            newest_us: None,
            seconds: Seconds::new(RATED + 1),
        })
    }

    pub(super) fn ledger(&mut self, entry: LedgerEntry, now: Moment) {
        let kind = self.kinds.entry(entry.kind).or_default();
        kind.entries += 1;
        kind.bytes = kind.bytes.saturating_add(entry.bytes);
        self.entries.push_front(DatedEntry { at_us: now.wall_us, entry });
        self.entries.truncate(LISTED_ENTRIES);
    }

    pub(super) fn error(&mut self, text: &str, now: Moment) {
        self.errors_total += 1;
        let line = match self.errors.iter().position(|line| line.text == text) {
            Some(place) => self.errors.remove(place),
            None => None,
        };
        let times = line.map_or(0, |line| line.times) + 1;
        self.errors.push_front(ErrorLine { at_us: now.wall_us, text: text.to_owned(), times });
        self.errors.truncate(LISTED_ERRORS);
    }
}
