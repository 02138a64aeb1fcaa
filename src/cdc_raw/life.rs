//! The life of a segment as it can be told from outside: growing, sealed, final.
//!
//! Cassandra says of a segment that it is complete only when it holds changes of a table with CDC and the index could
//! be written. So the other signs are needed, too: the segments that follow, the links, the time.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use super::chain::{ChainEnd, Followed, follow};
use super::directory::{Directory, Scan, SegmentFile};
use super::file_id::FileId;
use super::runs::{Runs, is_same_process};
use crate::commitlog::map::open_regular;
use crate::commitlog::{Index, SegmentId, SegmentName};

#[cfg(test)]
mod tests;

/// Times by which a segment is judged.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// `commitlog_sync_period` of the node (10 s unless configured).
    pub sync_period: Duration,
    /// For so long a later segment must have had a marker before an earlier one without an index counts as sealed:
    /// more than the 100 ms after which Cassandra chains markers.
    pub order_settles: Duration,
    /// Names that we gave to segments that are still in the directory.
    pub own_links: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { sync_period: Duration::from_secs(10), order_settles: Duration::from_millis(250), own_links: 0 }
    }
}

/// What a segment is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Cassandra made it ahead of its use, or has just begun it: no section is whole.
    Unused,
    /// Cassandra appends to it, or may.
    Growing,
    /// Cassandra has gone over to a later segment, or the process has ended. All it will ever hold is there, unless an
    /// append was under way for very long: then an index appears, or its chain goes on. Not to be deleted.
    Sealed,
    /// Nothing will change any more. To be deleted when everything in it is committed.
    Final(Finality),
    /// Final, and without any content or index: a segment that was made ahead and never used. To be deleted.
    Orphan(Finality),
    /// As final, but its chain of markers does not end as Cassandra ends it. To be read as a final one, which says what
    /// is lost; not to be deleted without being asked to.
    Damaged(Finality),
}

impl State {
    /// Whether, once this segment was read to its end, the next one may be.
    #[must_use]
    pub fn lets_next_begin(self) -> bool {
        !matches!(self, Self::Unused | Self::Growing)
    }

    /// Whether nobody writes to the file any more, so that it may be mapped.
    #[must_use]
    pub fn is_still(self) -> bool {
        matches!(self, Self::Final(_) | Self::Orphan(_) | Self::Damaged(_))
    }
}

/// How it is known that a segment is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finality {
    /// Its index says `COMPLETED`.
    Completed,
    /// Cassandra has given up its own name of the file.
    Dropped,
    /// The process that wrote it has ended, and it has not changed for two sync periods.
    ProcessEnded,
}

/// What is known of a segment now.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The segment.
    pub file: SegmentFile,
    /// What it is at.
    pub state: State,
    /// Number of its run, in the order of the runs.
    pub run: usize,
    /// Whether the process that wrote it has ended: then nothing beyond its last marker counts, whatever the visibility.
    pub has_process_ended: bool,
    /// For how long its chain of markers has not ended as Cassandra ends it. A moment is normal.
    pub torn_for: Option<Duration>,
}

/// A segment that is no longer in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vanished {
    /// Its name.
    pub name: SegmentName,
    /// Whether it held a mutation of a table with CDC, as its index said by being there.
    pub had_index: bool,
    /// File offset to which its chain of markers led when it was looked at last; `None` when it never was.
    pub chain_end: Option<u64>,
}

/// What one look at the directory says.
#[derive(Debug, Default)]
pub struct Lives {
    /// The segments, in the order in which they are to be read: the processes in their order, in each by id.
    pub standings: Vec<Standing>,
    /// The segments that were there the last time.
    pub vanished: Vec<Vanished>,
    /// Whether ids and times disagree on which process came first: the clock went back.
    pub ids_went_back: bool,
    /// The first segment of a process that began since the last look.
    pub process_began: Option<SegmentId>,
}

/// The time of a look.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// To measure spans.
    pub instant: Instant,
    /// To compare with times of change.
    pub wall: SystemTime,
}

impl Now {
    /// The time of the clocks.
    #[must_use]
    pub fn read() -> Self {
        Self { instant: Instant::now(), wall: SystemTime::now() }
    }
}

/// What is remembered of the segments from look to look.
#[derive(Debug)]
pub struct Life {
    timing: Timing,
    /// The segment with the greatest id that was ever seen.
    newest: Option<SegmentFile>,
    memories: BTreeMap<(SegmentName, FileId), Memory>,
}

/// Whether the process of some segments has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    No,
    /// There are segments of a later one. That one replays these segments, and may link them anew and complete their
    /// indexes.
    Seen,
    /// The caller knows that no process runs.
    Known,
}

#[derive(Debug)]
struct Memory {
    file: SegmentFile,
    seen_since: Instant,
    /// When it was seen to have changed last.
    changed: Option<Instant>,
    /// Since when a later segment of the same process has a marker.
    passed_since: Option<Instant>,
    torn_since: Option<Instant>,
    /// Since when its process is known to have ended.
    ended_since: Option<Instant>,
    /// Whether nobody will complete its index any more.
    is_left: bool,
    followed: Option<Followed>,
    /// It cannot change any more.
    state: Option<State>,
}

impl Memory {
    fn new(file: &SegmentFile, now: Now) -> Self {
        Self {
            file: file.clone(),
            seen_since: now.instant,
            changed: None,
            passed_since: None,
            torn_since: None,
            ended_since: None,
            is_left: false,
            followed: None,
            state: None,
        }
    }

    fn look(&mut self, file: &SegmentFile, now: Now) {
        let written = |file: &SegmentFile| (file.length, file.changed, file.index);
        if written(&self.file) != written(file) {
            self.changed = Some(now.instant);
            self.state = None;
        }
        self.file = file.clone();
    }

    fn ended(&mut self, end: End, timing: &Timing, now: Now) {
        self.ended_since = (end != End::No).then(|| self.ended_since.unwrap_or(now.instant));
        let ended_for = self.ended_since.map(|since| now.instant.saturating_duration_since(since));
        self.is_left = end == End::Known || ended_for.is_some_and(|span| span >= timing.sync_period * 2);
    }

    fn has_first_section(&self) -> bool {
        self.followed.as_ref().and_then(Followed::chain).is_some_and(|chain| chain.sections > 0)
    }

    /// Whether it has not changed for `span`, as far as its times and what was seen of it say.
    fn is_settled(&self, span: Duration, now: Now) -> bool {
        let is_past = |since: Instant| now.instant.saturating_duration_since(since) >= span;
        // A time in the future says nothing; and a memory-mapped write may change no time for a while.
        let is_old = || now.wall.duration_since(self.file.changed).is_ok_and(|age| age >= span);
        self.changed.is_none_or(is_past) && (is_past(self.seen_since) || is_old())
    }
}

impl Life {
    /// Nothing was looked at yet.
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self { timing, newest: None, memories: BTreeMap::new() }
    }

    /// Judges what was found in the directory. `is_node_stopped`: the caller knows that no Cassandra process writes
    /// into it (only then the newest segments can become final without an index).
    ///
    /// # Errors
    /// A segment cannot be read. One that vanishes meanwhile is left out.
    pub fn judge(
        &mut self,
        directory: &Directory,
        scan: &Scan,
        now: Now,
        is_node_stopped: bool,
    ) -> io::Result<Lives> {
        let vanished = self.forget(scan);
        for file in &scan.segments {
            let memory = self.memories.entry((file.name, file.id)).or_insert_with(|| Memory::new(file, now));
            memory.look(file, now);
        }
        let runs = Runs::of(&scan.segments);
        let (ids_went_back, process_began) = (!runs.is_ordered, self.process_began(scan));
        let mut lives = Lives { standings: Vec::new(), vanished, ids_went_back, process_began };
        for (number, run) in runs.runs.iter().enumerate() {
            let files = scan.segments.get(run.clone()).unwrap_or_default();
            let end = match runs.has_ended(number) {
                _ if is_node_stopped => End::Known,
                true => End::Seen,
                false => End::No,
            };
            self.judge_run(directory, files, (number, end), now, &mut lives)?;
        }
        Ok(lives)
    }

    /// Finds the first of the segments with new ids that the process of the newest one did not make.
    fn process_began(&mut self, scan: &Scan) -> Option<SegmentId> {
        let mut began = None;
        for file in &scan.segments {
            let Some(newest) = &mut self.newest else {
                self.newest = Some(file.clone());
                continue;
            };
            if file.name > newest.name && !is_same_process(newest, file) {
                began.get_or_insert(file.name.id);
            }
            if file.name >= newest.name {
                *newest = file.clone();
            }
        }
        began
    }

    /// Forgets what is not there any more.
    fn forget(&mut self, scan: &Scan) -> Vec<Vanished> {
        let mut vanished = Vec::new();
        self.memories.retain(|(name, id), memory| {
            let found = scan.segments.binary_search_by_key(name, |file| file.name);
            let is_there =
                found.is_ok_and(|place| scan.segments.get(place).is_some_and(|file| file.id == *id));
            if !is_there {
                let chain = memory.followed.as_ref().and_then(Followed::chain);
                let chain_end = chain.map(|chain| chain.end);
                vanished.push(Vanished { name: *name, had_index: memory.file.has_index, chain_end });
            }
            is_there
        });
        vanished
    }

    /// From the newest to the oldest: what is known of a later segment says something of the earlier ones.
    fn judge_run(
        &mut self,
        directory: &Directory,
        files: &[SegmentFile],
        (run, end): (usize, End),
        now: Now,
        lives: &mut Lives,
    ) -> io::Result<()> {
        let mut is_passed = false;
        let first = lives.standings.len();
        for file in files.iter().rev() {
            let Some(memory) = self.memories.get_mut(&(file.name, file.id)) else { continue };
            if memory.state.is_none() && !memory.follow(directory, now)? {
                continue;
            }
            if is_passed {
                memory.passed_since.get_or_insert(now.instant);
            }
            memory.ended(end, &self.timing, now);
            let state = memory.state(&self.timing, now);
            is_passed |= memory.has_first_section() || state == State::Final(Finality::Completed);
            let torn_for = memory.torn_since.map(|since| now.instant.saturating_duration_since(since));
            lives.standings.push(Standing {
                file: file.clone(),
                state,
                run,
                has_process_ended: end != End::No,
                torn_for,
            });
        }
        lives.standings.get_mut(first..).unwrap_or_default().reverse();
        Ok(())
    }
}

impl Memory {
    /// Follows the chain of markers on; `false` when the file is not there any more.
    fn follow(&mut self, directory: &Directory, now: Now) -> io::Result<bool> {
        let path = directory.segment(self.file.name);
        let file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        // Another file by now: the next look finds it.
        if FileId::of(&file.metadata()?) != self.file.id {
            return Ok(false);
        }
        let before = self.followed.as_ref().and_then(Followed::chain);
        let followed = follow(&file, self.file.name, before)?;
        let end = |followed: &Followed| followed.chain().map(|chain| chain.end);
        if self.followed.as_ref().is_some_and(|before| end(before) != end(&followed)) {
            self.changed = Some(now.instant);
            self.passed_since = None;
        }
        let is_clean = followed.chain().is_some_and(|chain| chain.at_end == ChainEnd::Clean);
        self.torn_since = match is_clean || followed == Followed::Blank {
            true => None,
            false => Some(self.torn_since.unwrap_or(now.instant)),
        };
        self.followed = Some(followed);
        Ok(true)
    }

    fn state(&mut self, timing: &Timing, now: Now) -> State {
        if let Some(state) = self.state {
            return state;
        }
        if let Some(finality) = self.finality(timing, now) {
            let state = self.final_state(finality);
            self.state = Some(state);
            return state;
        }
        let is_whole = self.torn_since.is_none();
        let passed_for = self.passed_since.map(|since| now.instant.saturating_duration_since(since));
        // With an index it is about to be completed.
        let patience = if self.file.has_index { timing.sync_period * 2 } else { timing.order_settles };
        match () {
            () if is_whole
                && (self.ended_since.is_some() || passed_for.is_some_and(|passed| passed >= patience)) =>
            {
                State::Sealed
            }
            () if !self.has_first_section() && !self.file.has_index && is_whole => State::Unused,
            () => State::Growing,
        }
    }

    fn finality(&self, timing: &Timing, now: Now) -> Option<Finality> {
        let is_settled = || self.is_settled(timing.sync_period * 2, now);
        match self.file.index {
            Index::Completed(_) => Some(Finality::Completed),
            // A node without CDC, and whoever copies a segment, have one link to what they write.
            _ if self.file.links.saturating_sub(timing.own_links) <= 1 && is_settled() => {
                Some(Finality::Dropped)
            }
            _ if self.is_left && is_settled() => Some(Finality::ProcessEnded),
            _ => None,
        }
    }

    fn final_state(&self, finality: Finality) -> State {
        match &self.followed {
            // What Cassandra says counts; the reader of final segments compares the end with it.
            _ if finality == Finality::Completed => State::Final(finality),
            Some(Followed::Chain(chain)) if chain.at_end != ChainEnd::Clean => State::Damaged(finality),
            Some(Followed::Chain(chain)) if !chain.has_content && !self.file.has_index => {
                State::Orphan(finality)
            }
            Some(Followed::Chain(_)) => State::Final(finality),
            Some(Followed::Blank) if !self.file.has_index => State::Orphan(finality),
            Some(_) | None => State::Damaged(finality),
        }
    }
}
