//! Hands out units of work in the order of the log, and keeps the schema as of each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::epoch::Epoch;
use super::report::Report;
use super::scan::{Scan, SectionStart, scan};
use super::segment::{OpenSegment, identity};
use crate::agent::exit::{Exit, Failure};
use crate::agent::input::SegmentFile;
use crate::agent::keys::Keys;
use crate::agent::warn;
use crate::change::filter::TableFilter;
use crate::change::schema_change;
use crate::checkpoint::{Checkpoint, Fingerprint};
use crate::commitlog::descriptor::OLDEST_DECODED_VERSION;
use crate::commitlog::{Decoder, Mutation, Position, SegmentError, SegmentId};
use crate::schema::{SchemaHistory, system};

/// A run of sections of one segment.
#[derive(Debug)]
pub(super) struct Unit {
    /// Place in the order of the replay, from 0.
    pub(super) sequence: u64,
    pub(super) segment: Arc<OpenSegment>,
    pub(super) start: SectionStart,
    /// File offset where the unit ends.
    pub(super) end: usize,
    /// What stands before it was done by an earlier replay.
    pub(super) from: Position,
    /// Mutations that an earlier replay parked, to be tried again.
    pub(super) retried: Arc<BTreeSet<Position>>,
    /// Schemas by place; the first holds at the start of the unit.
    pub(super) epochs: Vec<Arc<Epoch>>,
    /// What follows this unit.
    pub(super) after: After,
}

/// What is done once a unit's records are with the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// The next unit of the same segment begins here.
    Continue(Position),
    /// The segment is complete and at its end.
    Finish(SegmentId, Fingerprint),
}

/// Units in order. Segments are looked at when the units of the ones before are handed out.
#[derive(Debug)]
pub(super) struct Schedule {
    state: Mutex<State>,
    keys: Keys,
    filter: TableFilter,
    committed: Checkpoint,
}

#[derive(Debug)]
struct State {
    files: VecDeque<SegmentFile>,
    units: VecDeque<Unit>,
    next_sequence: u64,
    /// Segments of this replay.
    seen: BTreeMap<SegmentId, Fingerprint>,
    /// Segments that were done before, from which the schema changes are not yet taken.
    passed: Vec<Arc<OpenSegment>>,
    history: SchemaHistory,
    current: Arc<Epoch>,
    /// What the scans found, until it is taken.
    report: Report,
}

impl Schedule {
    /// `committed` is what earlier replays did, and must not be done again.
    pub(super) fn new(
        mut files: Vec<SegmentFile>,
        keys: Keys,
        filter: TableFilter,
        history: SchemaHistory,
        committed: Checkpoint,
    ) -> Self {
        // Of several copies of a segment the longest is read.
        files.sort_by_cached_key(|file| (file.name.is_none(), file.name, Reverse(named_length(file))));
        let current = Arc::new(Epoch::new(None, history.schema().clone(), &filter));
        let state = State {
            files: files.into(),
            units: VecDeque::new(),
            next_sequence: 0,
            seen: BTreeMap::new(),
            passed: Vec::new(),
            history,
            current,
            report: Report::default(),
        };
        Self { state: Mutex::new(state), keys, filter, committed }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The next unit; `None` when all are handed out.
    ///
    /// # Errors
    /// A segment has the id of another one.
    pub(super) fn next_unit(&self) -> Result<Option<Unit>, Failure> {
        let mut state = self.lock();
        while state.units.is_empty() {
            let Some(file) = state.files.pop_front() else { return Ok(None) };
            self.look_at(&mut state, file)?;
        }
        Ok(state.units.pop_front())
    }

    /// Looks at all segments that are left and gives the last schema of the log: what it says of a table may
    /// stand behind the mutations that need it.
    ///
    /// # Errors
    /// A segment has the id of another one.
    pub(super) fn last_epoch(&self) -> Result<Arc<Epoch>, Failure> {
        let mut state = self.lock();
        while let Some(file) = state.files.pop_front() {
            self.look_at(&mut state, file)?;
        }
        Ok(Arc::clone(&state.current))
    }

    /// What was found since the last call: damage, segments, schema changes.
    pub(super) fn take_report(&self) -> Report {
        std::mem::take(&mut self.lock().report)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_at(&self, state: &mut State, file: SegmentFile) -> Result<(), Failure> {
        let label = file.label();
        let opened = match OpenSegment::open(file) {
            Ok(opened) => Arc::new(opened),
            Err(failure) => {
                state.report.unreadable.push((label, failure.to_string()));
                return Ok(());
            }
        };
        let segment = match opened.segment(&self.keys) {
            Ok(segment) => segment,
            Err(error) => {
                state.refuse(&opened, &error);
                return Ok(());
            }
        };
        if segment.descriptor().version < OLDEST_DECODED_VERSION {
            let reason = format!(
                "segment format version {}: only its framing can be read (cdc-agent verify)",
                segment.descriptor().version
            );
            state.report.unreadable.push((opened.label.clone(), reason));
            return Ok(());
        }
        let (id, fingerprint) = identity(&segment);
        if state.seen.get(&id) == Some(&fingerprint) {
            warn(&format!("{label} was given twice and is read once"));
            return Ok(());
        }
        let known = state.seen.insert(id, fingerprint).or(self.committed.done_as(id));
        if known.is_some_and(|known| known != fingerprint) {
            let what = format!("{label}: another segment with id {id} was replayed before it");
            return Err(Failure::new(Exit::Usage, what)
                .next("replay the segments of one node at a time, each node into its own destination"));
        }
        let retried = self.committed.parked().filter(|place| place.segment == id).collect::<BTreeSet<_>>();
        if known.is_some() {
            state.report.segments_done_before += 1;
            if retried.is_empty() {
                state.passed.push(opened);
                return Ok(());
            }
        } else {
            state.report.segments_read += 1;
        }
        self.catch_up(state);
        let from = match known {
            Some(_) => Position { segment: id, marker: u64::MAX, entry: u32::MAX, row: 0 },
            None => self.committed.open_at(id).unwrap_or(start_of(id)),
        };
        let first = retried.first().map_or(from, |place| from.min(*place));
        let found = scan(&segment, from, first);
        self.cut(state, &opened, found, (fingerprint, from, retried));
        Ok(())
    }

    /// Follows the schema through the segments that were done before.
    fn catch_up(&self, state: &mut State) {
        for opened in std::mem::take(&mut state.passed) {
            let Ok(segment) = opened.segment(&self.keys) else { continue };
            let end = Position { marker: u64::MAX, ..start_of(segment.descriptor().id) };
            let found = scan(&segment, end, end);
            self.follow(state, &found, end);
        }
    }

    /// Applies the schema changes of a segment; tells of those from `from` on.
    fn follow(&self, state: &mut State, found: &Scan, from: Position) -> Vec<Arc<Epoch>> {
        let mut epochs = vec![Arc::clone(&state.current)];
        for (position, payload) in &found.schema_mutations {
            let told = state.report.schema_changes.len();
            let changed = state.apply(*position, payload);
            if *position < from {
                state.report.schema_changes.truncate(told);
            }
            if changed {
                // The schema holds for what follows the mutation that changed it.
                let from = Position { entry: position.entry + 1, ..*position };
                state.current =
                    Arc::new(Epoch::new(Some(from), state.history.schema().clone(), &self.filter));
                epochs.push(Arc::clone(&state.current));
            }
        }
        epochs
    }

    /// Applies the segment's schema changes and makes its units.
    fn cut(
        &self,
        state: &mut State,
        opened: &Arc<OpenSegment>,
        found: Scan,
        (fingerprint, from, retried): (Fingerprint, Position, BTreeSet<Position>),
    ) {
        let (id, retried) = (from.segment, Arc::new(retried));
        let epochs = self.follow(state, &found, from);
        let is_done = opened.is_completed && found.ends_cleanly;
        let ends = found.units.iter().skip(1).map(|start| start.0).chain([found.end]);
        for (start, end) in found.units.iter().zip(ends) {
            let next = Position { marker: end as u64, ..start_of(id) };
            let after = match end == found.end {
                true if is_done => After::Finish(id, fingerprint),
                true => After::Continue(found.next),
                false => After::Continue(next),
            };
            let here = Position { marker: start.0 as u64, ..start_of(id) };
            state.units.push_back(Unit {
                sequence: state.next_sequence,
                segment: Arc::clone(opened),
                start: *start,
                end,
                from,
                retried: Arc::clone(&retried),
                epochs: epochs_of(&epochs, here, next),
                after,
            });
            state.next_sequence += 1;
        }
        state.report.add(found.report);
    }
}

fn start_of(segment: SegmentId) -> Position {
    Position { segment, marker: 0, entry: 0, row: 0 }
}

/// Length of a file with a segment's name; 0 of others, whose order is the user's.
fn named_length(file: &SegmentFile) -> u64 {
    file.name.and_then(|_| file.path.metadata().ok()).map_or(0, |metadata| metadata.len())
}

/// The epoch that holds at `from`, and those that begin before `to`.
fn epochs_of(epochs: &[Arc<Epoch>], from: Position, to: Position) -> Vec<Arc<Epoch>> {
    let first = epochs.iter().rposition(|epoch| epoch.from.is_none_or(|start| start <= from)).unwrap_or(0);
    let later = epochs.iter().skip(first + 1).filter(|epoch| epoch.from.is_some_and(|start| start < to));
    epochs.iter().skip(first).take(1).chain(later).cloned().collect()
}

impl State {
    /// Applies a logged schema change; `true` when something changed.
    fn apply(&mut self, position: Position, payload: &[u8]) -> bool {
        let mut mutation = Mutation::default();
        let decoded = Decoder::new(system::schema()).decode(payload, &mut mutation);
        let change = match &decoded {
            Ok(()) => schema_change(&mutation).map_err(|error| error.to_string()),
            Err(error) => Err(format!("a change of system_schema cannot be decoded: {error}")),
        };
        let effects = match change {
            Ok(updates) => self.history.apply(&updates),
            Err(problem) => {
                self.report.schema_changes.push((position, format!("doubtful: {problem}")));
                return false;
            }
        };
        let changes = effects.iter().map(|effect| (position, effect.to_string()));
        self.report.schema_changes.extend(changes);
        !effects.is_empty()
    }

    /// Notes a segment that cannot be opened.
    fn refuse(&mut self, opened: &OpenSegment, error: &SegmentError) {
        let entry = (opened.label.clone(), error.to_string());
        if error.damage_kind().is_some() {
            self.report.lost.bytes += opened.length();
            self.report.lost.more_mutations = true;
            self.report.damaged_segments.push(entry);
        } else if !matches!(error, SegmentError::Descriptor(crate::commitlog::DescriptorError::Blank)) {
            self.report.unreadable.push(entry);
        }
    }
}
