//! The life of a segment as it can be told from outside: growing, sealed, final.
//!
//! Cassandra says of a segment that it is complete only when it holds changes of a table with CDC and the index could
//! be written. So the other signs are needed, too: the segments that follow, the links, the time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use super::chain::Followed;
use super::directory::{Directory, DirectoryError, Scan, SegmentFile};
use super::file_id::FileId;
use super::runs::{Runs, is_same_process};
use crate::commitlog::{SegmentId, SegmentName};
use crate::envelope::Visibility;

mod memory;
#[cfg(test)]
mod tests;

use memory::{End, Memory};

/// Times by which a segment is judged.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// `commitlog_sync_period` of the node (10 s unless configured).
    pub sync_period: Duration,
    /// Names that we gave to segments that are still in the directory.
    pub own_links: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { sync_period: Duration::from_secs(10), own_links: 0 }
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

impl Standing {
    /// Under which visibility the segment is to be read when the user asks for `asked`.
    ///
    /// Beyond the last marker of a process that has ended nothing counts. And what Cassandra has closed is on disk, also
    /// without an index that says so: a segment is flushed when it is closed.
    #[must_use]
    pub fn visibility(&self, asked: Visibility) -> Visibility {
        match asked {
            Visibility::Written if self.has_process_ended => Visibility::Marked,
            Visibility::Synced if self.state.lets_next_begin() => Visibility::Marked,
            _ => asked,
        }
    }
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

/// Lengths of memory-mapped segments are multiples of this one: `commitlog_segment_size` is a number of mebibytes.
const MEBIBYTE: u64 = 1 << 20;

impl Lives {
    /// Whether something of what is logged now stands in a file only when Cassandra has synced it: in compressed and
    /// encrypted segments, and with direct I/O (5.0), which a segment does not tell of itself. A memory-mapped segment has
    /// its full length from the beginning, and the others grow; the one that is made ahead is the shortest of them.
    #[must_use]
    pub fn come_with_syncs(&self) -> bool {
        let is_written = |standing: &&Standing| !standing.state.is_still() && !standing.has_process_ended;
        self.standings.iter().filter(is_written).any(|standing| standing.file.length % MEBIBYTE != 0)
    }
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
    ) -> Result<Lives, DirectoryError> {
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
    ) -> Result<(), DirectoryError> {
        let mut is_passed = false;
        let first = lives.standings.len();
        for file in files.iter().rev() {
            let Some(memory) = self.memories.get_mut(&(file.name, file.id)) else { continue };
            let path = directory.segment(file.name);
            let follow = |memory: &mut Memory| {
                memory.follow(&path, now).map_err(|error| DirectoryError::of(&path, error))
            };
            if memory.state.is_none() && !follow(memory)? {
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
