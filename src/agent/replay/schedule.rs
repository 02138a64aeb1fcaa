//! Hands out units of work in the order of the log, and keeps the schema as of each.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::epoch::Epoch;
use super::report::Report;
use super::scan::{Scan, SectionStart, scan};
use super::segment::{OpenSegment, identity};
use crate::agent::exit::Failure;
use crate::agent::input::SegmentFile;
use crate::agent::keys::Keys;
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
    /// The segment is at its end and final.
    Finish(SegmentId, Fingerprint),
}

/// Units in order. Segments are looked at when the units of the ones before are handed out.
#[derive(Debug)]
pub(super) struct Schedule {
    state: Mutex<State>,
    keys: Keys,
    filter: TableFilter,
    again: bool,
    committed: Checkpoint,
}

#[derive(Debug)]
struct State {
    files: VecDeque<SegmentFile>,
    units: VecDeque<Unit>,
    next_sequence: u64,
    history: SchemaHistory,
    current: Arc<Epoch>,
    /// What the scans found, until it is taken.
    report: Report,
}

impl Schedule {
    pub(super) fn new(
        files: Vec<SegmentFile>,
        keys: Keys,
        filter: TableFilter,
        history: SchemaHistory,
        committed: Checkpoint,
        again: bool,
    ) -> Self {
        let current = Arc::new(Epoch::new(None, history.schema().clone(), &filter));
        let state = State {
            files: files.into(),
            units: VecDeque::new(),
            next_sequence: 0,
            history,
            current,
            report: Report::default(),
        };
        Self { state: Mutex::new(state), keys, filter, again, committed }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The next unit; `None` when all are handed out.
    ///
    /// # Errors
    /// A segment's file cannot be opened.
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
    /// A segment's file cannot be opened.
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
        let opened = Arc::new(OpenSegment::open(file)?);
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
        if !self.again && self.committed.done_as(id) == Some(fingerprint) {
            state.report.segments_done_before += 1;
            return Ok(());
        }
        let start = self
            .committed
            .open_at(id)
            .filter(|_| !self.again)
            .and_then(|open| usize::try_from(open.marker).ok());
        let found = scan(&segment, start);
        state.report.segments_read += 1;
        self.cut(state, &opened, found, (id, fingerprint));
        Ok(())
    }

    /// Applies the segment's schema changes and makes its units.
    fn cut(
        &self,
        state: &mut State,
        opened: &Arc<OpenSegment>,
        found: Scan,
        (id, fingerprint): (SegmentId, Fingerprint),
    ) {
        let mut epochs = vec![Arc::clone(&state.current)];
        for (position, payload) in &found.schema_mutations {
            if state.apply(*position, payload) {
                // The schema holds for what follows the mutation that changed it.
                let from = Position { entry: position.entry + 1, ..*position };
                state.current =
                    Arc::new(Epoch::new(Some(from), state.history.schema().clone(), &self.filter));
                epochs.push(Arc::clone(&state.current));
            }
        }
        let ends = found.units.iter().skip(1).map(|start| start.0).chain([found.end]);
        for (start, end) in found.units.iter().zip(ends) {
            let next = Position { segment: id, marker: end as u64, entry: 0, row: 0 };
            let last = end == found.end;
            let after =
                if last && opened.is_final { After::Finish(id, fingerprint) } else { After::Continue(next) };
            let here = Position { segment: id, marker: start.0 as u64, entry: 0, row: 0 };
            state.units.push_back(Unit {
                sequence: state.next_sequence,
                segment: Arc::clone(opened),
                start: *start,
                end,
                epochs: epochs_of(&epochs, here, next),
                after,
            });
            state.next_sequence += 1;
        }
        state.report.add(found.report);
    }
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
