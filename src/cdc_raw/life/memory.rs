//! What is remembered of one segment from look to look, and what follows from it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Finality, Now, State, Timing};
use crate::cdc_raw::chain::{ChainEnd, Followed, follow};
use crate::cdc_raw::directory::SegmentFile;
use crate::cdc_raw::file_id::FileId;
use crate::commitlog::Index;
use crate::commitlog::map::open_regular;

/// Whether the process of some segments has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    No,
    /// There are segments of a later one. That one replays these segments, and may link them anew and complete their
    /// indexes.
    Seen,
    /// The caller knows that no process runs.
    Known,
}

#[derive(Debug)]
pub(super) struct Memory {
    pub(super) file: SegmentFile,
    seen_since: Instant,
    /// When it was seen to have changed last.
    changed: Option<Instant>,
    /// Since when a later segment of the same process has a marker.
    pub(super) passed_since: Option<Instant>,
    pub(super) torn_since: Option<Instant>,
    /// Since when its process is known to have ended.
    ended_since: Option<Instant>,
    /// Whether nobody will complete its index any more.
    is_left: bool,
    pub(super) followed: Option<Followed>,
    /// It cannot change any more.
    pub(super) state: Option<State>,
}

impl Memory {
    pub(super) fn new(file: &SegmentFile, now: Now) -> Self {
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

    pub(super) fn look(&mut self, file: &SegmentFile, now: Now) {
        let written = |file: &SegmentFile| (file.length, file.changed, file.index);
        if written(&self.file) != written(file) {
            self.changed = Some(now.instant);
            self.state = None;
        }
        self.file = file.clone();
    }

    pub(super) fn ended(&mut self, end: End, timing: &Timing, now: Now) {
        self.ended_since = (end != End::No).then(|| self.ended_since.unwrap_or(now.instant));
        let ended_for = self.ended_since.map(|since| now.instant.saturating_duration_since(since));
        self.is_left = end == End::Known || ended_for.is_some_and(|span| span >= timing.sync_period * 2);
    }

    pub(super) fn has_first_section(&self) -> bool {
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

impl Memory {
    /// Follows the chain of markers on; `false` when the file is not there any more.
    pub(super) fn follow(&mut self, path: &Path, now: Now) -> io::Result<bool> {
        let file = match open_regular(path) {
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

    pub(super) fn state(&mut self, timing: &Timing, now: Now) -> State {
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
        // Cassandra syncs its segments in their order, each up to where it stopped allocating, before it writes a marker
        // into a later one (AbstractCommitLogSegmentManager.sync): such a marker says that this one is whole. An index
        // is completed in the same sync.
        let patience = if self.file.has_index { timing.sync_period * 2 } else { Duration::ZERO };
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
