//! How far the segments of a commit log are done.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::commitlog::{Position, SegmentId};

use super::{CheckpointError, Fingerprint};

/// Partly done and finished segments; no segment is both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) open: BTreeMap<SegmentId, Open>,
    /// Shared with the checkpoints that were copied from this one: there are many, and they seldom change.
    pub(super) done: Arc<BTreeMap<SegmentId, Fingerprint>>,
}

/// How far a segment is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) first_not_done: Position,
    /// `None` until its first section is whole, and in checkpoints of version 1.
    pub(super) fingerprint: Option<Fingerprint>,
}

impl Progress {
    /// The first event not yet done of a segment that is partly done.
    pub(super) fn open_at(&self, segment: SegmentId) -> Option<Position> {
        self.open.get(&segment).map(|open| open.first_not_done)
    }

    /// The fingerprint of a segment that is done, or partly done, where it is known.
    pub(super) fn fingerprint(&self, segment: SegmentId) -> Option<Fingerprint> {
        self.done.get(&segment).copied().or_else(|| self.open.get(&segment)?.fingerprint)
    }

    /// The segment with the highest id of those that are done or partly done.
    pub(super) fn newest(&self) -> Option<SegmentId> {
        self.open.keys().next_back().max(self.done.keys().next_back()).copied()
    }

    /// The segments whose fingerprints are known.
    pub(super) fn fingerprints(&self) -> impl Iterator<Item = (SegmentId, Fingerprint)> {
        let open = self.open.iter().filter_map(|(segment, open)| Some((*segment, open.fingerprint?)));
        self.done.iter().map(|(segment, fingerprint)| (*segment, *fingerprint)).chain(open)
    }

    /// A segment is done up to here.
    pub(super) fn insert(&mut self, first_not_done: Position, fingerprint: Option<Fingerprint>) {
        self.open.insert(first_not_done.segment, Open { first_not_done, fingerprint });
    }

    /// Nothing is known of a segment.
    pub(super) fn forget(&mut self, segment: SegmentId) {
        self.open.remove(&segment);
        Arc::make_mut(&mut self.done).remove(&segment);
    }

    /// A segment is done.
    pub(super) fn finish(&mut self, segment: SegmentId, fingerprint: Fingerprint) {
        self.open.remove(&segment);
        Arc::make_mut(&mut self.done).insert(segment, fingerprint);
    }

    /// Takes over what `other` is ahead in, and gives the places from which it was ahead in segments that are partly
    /// done here.
    pub(super) fn catch_up(&mut self, other: Self) -> Vec<Position> {
        let mut behind = Vec::new();
        for (segment, fingerprint) in other.done.iter() {
            behind.extend(self.open_at(*segment));
            self.finish(*segment, *fingerprint);
        }
        for (segment, open) in other.open {
            let is_ahead = match self.open_at(segment) {
                Some(reached) => reached < open.first_not_done,
                None => !self.done.contains_key(&segment),
            };
            if is_ahead {
                behind.extend(self.open_at(segment));
                self.open.insert(segment, open);
            }
        }
        behind
    }

    /// Checks that nothing of what was done `before` is taken back.
    ///
    /// # Errors
    /// What would be taken back.
    pub(super) fn check_keeps(&self, before: &Self) -> Result<(), CheckpointError> {
        let is_same = Arc::ptr_eq(&self.done, &before.done);
        for (segment, done) in before.done.iter().filter(|_| !is_same) {
            let segment = *segment;
            let found = self.done.get(&segment).ok_or(CheckpointError::AlreadyDone { segment })?;
            same_segment(segment, Some(*done), Some(*found))?;
        }
        for (segment, open) in &before.open {
            let (segment, reached) = (*segment, open.first_not_done);
            same_segment(segment, open.fingerprint, self.fingerprint(segment))?;
            let still_there = match self.open_at(segment) {
                Some(position) => position >= reached,
                None => self.done.contains_key(&segment),
            };
            if !still_there {
                let start = Position { marker: 0, entry: 0, row: 0, ..reached };
                let asked = self.open_at(segment).unwrap_or(start);
                return Err(CheckpointError::Backwards { reached, asked });
            }
        }
        Ok(())
    }
}

/// An error when both fingerprints are known and differ.
pub(super) fn same_segment(
    segment: SegmentId,
    known: Option<Fingerprint>,
    found: Option<Fingerprint>,
) -> Result<(), CheckpointError> {
    match (known, found) {
        (Some(known), Some(found)) if known != found => {
            Err(CheckpointError::OtherSegment { segment, known, found })
        }
        _ => Ok(()),
    }
}
