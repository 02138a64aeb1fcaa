//! Hands out units of work in the order of the log, and keeps the schema as of each.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::copies::{fullest_first, is_same};
use super::past::{Past, other_segment};
use crate::agent::exit::Failure;
use crate::agent::head::Head;
use crate::agent::input::SegmentFile;
use crate::agent::keys::{Keys, reason};
use crate::agent::pipeline::epoch::{Epoch, SchemaAt};
use crate::agent::pipeline::follow::follow_schema;
use crate::agent::pipeline::held::Held;
use crate::agent::pipeline::range::Range;
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::segment::{Identity, OpenSegment, memory_to_open};
use crate::agent::pipeline::unit::{SectionPart, Unit};
use crate::agent::pipeline::walk::{Found, Start, Walk, start_of};
use crate::agent::pipeline::worker::LaterSchema;
use crate::agent::warn;
use crate::change::filter::TableFilter;
use crate::checkpoint::Fingerprint;
use crate::commitlog::descriptor::OLDEST_DECODED_VERSION;
use crate::commitlog::{Position, Sections, Segment, SegmentId, SegmentName};
use crate::schema::SchemaHistory;

/// Units in order. The log is looked at, section by section, when the units before are handed out.
#[derive(Debug)]
pub(super) struct Schedule {
    state: Mutex<State>,
    /// A unit is worked off: there may be room for the next section.
    changed: Condvar,
    keys: Keys,
    past: Past,
    range: Range,
}

#[derive(Debug)]
struct State {
    files: VecDeque<SegmentFile>,
    /// The segment at hand.
    walk: Option<Walk>,
    units: VecDeque<Unit>,
    next_sequence: u64,
    in_work: usize,
    held: Held,
    /// Segments of this replay.
    seen: BTreeMap<SegmentId, Seen>,
    /// Segments that were done before, from which the schema changes are not yet taken.
    passed: Vec<SegmentFile>,
    schema: SchemaAt,
    /// The schema at the end of the log, once somebody asked for it.
    last: Option<Arc<Epoch>>,
    /// What was found, until it is taken.
    report: Report,
}

/// A segment of this replay.
#[derive(Debug)]
struct Seen {
    file: SegmentFile,
    identity: Identity,
}

/// A unit that a worker has. When it is dropped the memory that it alone needed is free.
#[derive(Debug)]
pub(super) struct UnitInWork<'s> {
    /// Place in the order of the replay, from 0.
    pub(super) sequence: u64,
    pub(super) unit: Unit,
    schedule: &'s Schedule,
}

impl Drop for UnitInWork<'_> {
    fn drop(&mut self) {
        let mut state = self.schedule.lock();
        state.in_work -= 1;
        for restored in self.unit.parts.drain(..).filter_map(SectionPart::into_restored) {
            state.held.give_back(restored);
        }
        self.schedule.changed.notify_all();
    }
}

/// What came of a step through the log.
enum Step {
    Walked,
    /// The next section or segment must wait until others need less memory.
    NoRoom,
    EndOfLog,
}

impl Schedule {
    /// `past` is what earlier replays did.
    pub(super) fn new(
        files: Vec<SegmentFile>,
        keys: Keys,
        filter: TableFilter,
        history: SchemaHistory,
        past: Past,
        range: Range,
    ) -> Self {
        let state = State {
            files: fullest_first(files),
            walk: None,
            units: VecDeque::new(),
            next_sequence: 0,
            in_work: 0,
            held: Held::default(),
            seen: BTreeMap::new(),
            passed: Vec::new(),
            schema: SchemaAt::new(history, filter),
            last: None,
            report: Report::default(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), keys, past, range }
    }

    /// The next unit; `None` when all are handed out.
    ///
    /// # Errors
    /// A segment has the id of another one.
    pub(super) fn next_unit(&self) -> Result<Option<UnitInWork<'_>>, Failure> {
        let mut state = self.lock();
        loop {
            if let Some(unit) = state.units.pop_front() {
                let sequence = state.next_sequence;
                state.next_sequence += 1;
                state.in_work += 1;
                return Ok(Some(UnitInWork { sequence, unit, schedule: self }));
            }
            match self.step(&mut state)? {
                Step::Walked => {}
                Step::NoRoom => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Step::EndOfLog => return Ok(None),
            }
        }
    }

    /// What was found since the last call: damage, segments, schema changes.
    pub(super) fn take_report(&self) -> Report {
        let mut state = self.lock();
        let mut report = mem::take(&mut state.report);
        state.schema.doubts.take().into_iter().for_each(|doubt| report.schema_doubtful.push(doubt));
        report
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on in the segment at hand until there are units, or opens the next one.
    fn step(&self, state: &mut State) -> Result<Step, Failure> {
        if let Some(walk) = state.walk.take() {
            return Ok(self.go_on(state, walk));
        }
        let Some(file) = state.files.front() else { return Ok(Step::EndOfLog) };
        if state.in_work > 0 && !state.held.has_room_for(memory_to_open(file)) {
            return Ok(Step::NoRoom);
        }
        if let Some(file) = state.files.pop_front() {
            drop(state.held.take_buffer());
            self.open(state, file)?;
        }
        Ok(Step::Walked)
    }

    fn go_on(&self, state: &mut State, mut walk: Walk) -> Step {
        let opened = Arc::clone(&walk.opened);
        let Ok(segment) = opened.segment(&self.keys) else { return Step::Walked };
        loop {
            let has_room = state.held.has_room_for(walk.memory_of_next(&segment));
            // What the unit at hand holds is free once it is worked off; when nothing is, nothing comes of waiting.
            let must_wait = !has_room && (state.in_work > 0 || walk.has_parts());
            let mut found = Found { schema: &mut state.schema, report: &mut state.report, units: Vec::new() };
            if must_wait {
                walk.cut_here(&mut found);
            }
            let is_more = must_wait || walk.next_section(&segment, &mut found, &mut state.held);
            let has_units = !found.units.is_empty();
            state.units.extend(found.units);
            if is_more && (has_units || must_wait) {
                state.walk = Some(walk);
            } else if is_more {
                continue;
            }
            return if must_wait && !has_units { Step::NoRoom } else { Step::Walked };
        }
    }

    /// Opens a segment to walk through, unless nothing in it is left to be done.
    fn open(&self, state: &mut State, file: SegmentFile) -> Result<(), Failure> {
        let (label, name) = (file.label(), file.name);
        let opened = match OpenSegment::open(file) {
            Ok(opened) => Arc::new(opened),
            Err(failure) => {
                state.miss(name, &label);
                state.report.unreadable.push((label, failure.to_string()));
                return Ok(());
            }
        };
        match Head::of(opened.bytes(), name, &self.keys) {
            Head::Sound(segment) if segment.descriptor().version >= OLDEST_DECODED_VERSION => {
                return self.begin(state, &opened, &segment);
            }
            Head::Sound(segment) => {
                let version = segment.descriptor().version;
                let reason = format!(
                    "segment format version {version}: only its framing can be read (cdc-agent verify)"
                );
                state.miss(name, &label);
                state.report.unreadable.push((label, reason));
            }
            Head::Blank => {}
            head => {
                state.miss(name, &label);
                if name.is_none_or(|name| self.range.touches_segment(name.id)) {
                    state.refuse(label, head);
                }
            }
        }
        Ok(())
    }

    /// Begins with a segment that can be read.
    fn begin(
        &self,
        state: &mut State,
        opened: &Arc<OpenSegment>,
        segment: &Segment<'_>,
    ) -> Result<(), Failure> {
        let (id, identity) = (segment.descriptor().id, Identity::of(segment));
        if let Some(seen) = state.seen.get(&id) {
            if !self.is_copy_of(seen, segment) {
                return Err(other_segment(&opened.label, id));
            }
            warn(&format!("{} was given twice and is read once", opened.label));
            return Ok(());
        }
        if let Some(problem) = &opened.index_problem {
            warn(problem);
        }
        self.past.check_identity(&opened.label, id, identity)?;
        let newest = state.seen.keys().next_back().copied();
        state.seen.insert(id, Seen { file: opened.file.clone(), identity });
        // Of another copy, which could not be read, nothing is missed.
        state.schema.doubts.forget(id);
        let is_done = self.past.is_done(id);
        let retried = self.past.parked_in(id);
        if is_done {
            state.report.segments_done_before += 1;
            if retried.is_empty() {
                state.passed.push(opened.file.clone());
                return Ok(());
            }
        } else {
            state.report.segments_read += 1;
        }
        let late = !is_done && self.past.is_late(&opened.label, segment, newest, &self.range)?;
        // A checkpoint does not keep the schema: it is followed through the segments that were done before, once
        // there is one that is not.
        for passed in mem::take(&mut state.passed) {
            self.follow_file(passed, &mut state.schema);
        }
        let from = match is_done {
            true => Position { segment: id, marker: u64::MAX, entry: u32::MAX, row: 0 },
            false => self.past.reached(id),
        };
        state.held.add(opened, opened.memory());
        let start = Start { fingerprint: identity.fingerprint, from, retried, late };
        state.walk = Some(Walk::new(Arc::clone(opened), segment, start, self.range));
        Ok(())
    }

    /// Whether a segment is the one that was seen: of a copy that was cut, as far as it goes.
    fn is_copy_of(&self, seen: &Seen, segment: &Segment<'_>) -> bool {
        let identity = Identity::of(segment);
        if identity.is_lasting && identity == seen.identity {
            return true;
        }
        // Many segments are seen, and few are given twice: none is held open for it.
        let Ok(opened) = OpenSegment::open(seen.file.clone()) else { return false };
        opened.segment(&self.keys).is_ok_and(|seen| is_same(&seen, segment))
    }

    /// The fingerprint of a segment of this replay, if it can be told already.
    pub(super) fn fingerprint(&self, id: SegmentId) -> Option<Fingerprint> {
        self.lock().seen.get(&id).and_then(|seen| seen.identity.lasting())
    }

    /// Follows the schema through a segment; one that cannot be read says nothing.
    fn follow_file(&self, file: SegmentFile, schema: &mut SchemaAt) {
        let Ok(opened) = OpenSegment::open(file) else { return };
        let Ok(segment) = opened.segment(&self.keys) else { return };
        if segment.descriptor().version >= OLDEST_DECODED_VERSION {
            follow_schema(&segment, Sections::new(&segment).cursor(), schema);
        }
    }
}

impl LaterSchema for Schedule {
    /// Follows the schema through all of the log that is left.
    fn last_epoch(&self) -> Arc<Epoch> {
        let mut state = self.lock();
        if let Some(last) = &state.last {
            return Arc::clone(last);
        }
        let mut schema = state.schema.clone();
        if let Some(walk) = &state.walk
            && let Ok(segment) = walk.opened.segment(&self.keys)
        {
            follow_schema(&segment, walk.cursor, &mut schema);
        }
        // Those that were passed stand behind the segment at hand.
        for file in state.passed.iter().chain(&state.files) {
            self.follow_file(file.clone(), &mut schema);
        }
        let last = Arc::clone(schema.epoch());
        state.last = Some(Arc::clone(&last));
        last
    }
}

impl State {
    /// The schema changes of a segment that is not read are missed.
    fn miss(&mut self, name: Option<SegmentName>, label: &str) {
        if let Some(name) = name.filter(|name| !self.seen.contains_key(&name.id)) {
            let reason = format!("{label} could not be read, and may hold a schema change");
            self.schema.doubts.add(start_of(name.id), reason);
        }
    }

    /// Notes a segment that is not read.
    fn refuse(&mut self, label: String, head: Head<'_>) {
        match head {
            Head::Sound(_) | Head::Blank => {}
            // Its place in the order of the log, and its index, follow from the name.
            Head::Misnamed(_, damage) => {
                let mismatch = damage.reason.unwrap_or_default();
                let what = format!("{mismatch}; nothing is lost: rename the file, and replay it then");
                self.report.damaged_segments.push((label, what));
            }
            Head::Damaged(damage, error) => {
                self.report.lost.bytes += damage.lost_bytes;
                self.report.lost.more_mutations = true;
                self.report.damaged_segments.push((label, error.to_string()));
            }
            Head::Unreadable(error) => self.report.unreadable.push((label, reason(&error))),
        }
    }
}
