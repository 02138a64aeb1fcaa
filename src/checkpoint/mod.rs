//! What is safely done: the state that is committed together with the records, by every sink in its own way.
//!
//! Pure data and the rules for moving it: progress only ever grows, and a caller that tries to move it
//! backwards gets an error and not a silent repeat.

mod error;
mod fingerprint;
mod forget;
mod parts;
mod progress;
mod rewind;
mod scope;
mod snapshot;
mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::commitlog::{Position, SegmentId};

pub use error::CheckpointError;
pub use fingerprint::{Fingerprint, FingerprintParts, ParseFingerprintError};
use progress::{Progress, same_segment};
pub use rewind::Rewound;
pub use scope::{Difference, Scope};
pub use snapshot::TableSnapshot;

/// What is safely done in the commit log of one node.
///
/// Its JSON form is described at [`Checkpoint::from_json`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    generation: u64,
    scope: Option<Scope>,
    /// Of the repetition, while there is one.
    progress: Progress,
    /// What was done before the repetition that has not come to its end.
    before_repetition: Option<Progress>,
    /// Of a dropped table there can be very many, so that copies share them.
    parked: Arc<BTreeMap<Position, Partitions>>,
    /// Those that were parked in another scope than this one.
    of_other_scopes: BTreeSet<Position>,
    /// Tables whose rows are being read, in the order in which that was asked for.
    snapshots: Vec<TableSnapshot>,
}

/// The partitions of a mutation: one, but of a batch over several tables.
type Partitions = SmallVec<[PartitionTag; 1]>;

/// Identity of a partition of a table, as far as a checkpoint needs it: equal for the mutations of one partition, and
/// hardly for others. What it is made of is the caller's affair, as long as it stays the same.
pub type PartitionTag = u64;

impl Checkpoint {
    /// How many checkpoints were committed before this one; of two checkpoints of one node the one with the
    /// higher generation holds.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What "done" is about; `None` in checkpoints of version 1 and 2, and where it is always the same.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Goes on in `scope`. What was done in another one is not done in this one; what was parked stays parked. A
    /// checkpoint without a scope takes it on.
    pub fn enter(&mut self, scope: Scope) {
        if self.scope.as_ref() == Some(&scope) {
            return;
        }
        if self.scope.replace(scope).is_some() {
            self.progress = Progress::default();
            self.before_repetition = None;
        }
        self.of_other_scopes.extend(self.parked.keys());
    }

    /// Does once more what is done: from here on nothing is, until [`Self::end_repetition`]. A repetition that has
    /// begun goes on.
    pub fn begin_repetition(&mut self) {
        if self.before_repetition.is_none() {
            self.before_repetition = Some(mem::take(&mut self.progress));
        }
    }

    /// Whether a repetition has begun and has not come to its end.
    #[must_use]
    pub fn is_repeating(&self) -> bool {
        self.before_repetition.is_some()
    }

    /// What was done before is done again. Gives the places from which on it was not repeated, of segments that were
    /// repeated in part.
    pub fn end_repetition(&mut self) -> Vec<Position> {
        self.before_repetition.take().map_or_else(Vec::new, |before| self.progress.catch_up(before))
    }

    /// The first event not yet done of a segment that is partly done.
    #[must_use]
    pub fn open_at(&self, segment: SegmentId) -> Option<Position> {
        self.progress.open_at(segment)
    }

    /// The partly done segments with their first event not yet done, in id order.
    pub fn open(&self) -> impl Iterator<Item = Position> {
        self.progress.open.values().map(|open| open.first_not_done)
    }

    /// The fingerprint of a segment that was read to its end.
    #[must_use]
    pub fn done_as(&self, segment: SegmentId) -> Option<Fingerprint> {
        self.progress.done.get(&segment).copied()
    }

    /// The segments that were read to their end, in id order.
    pub fn done(&self) -> impl Iterator<Item = (SegmentId, Fingerprint)> {
        self.progress.done.iter().map(|(segment, fingerprint)| (*segment, *fingerprint))
    }

    /// Whether both surely say the same of finished segments, because one was copied from the other. `false` says
    /// nothing.
    #[must_use]
    pub fn shares_done(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.progress.done, &other.progress.done)
    }

    /// The segment with the highest id, so the newest one of its node, of those that are done or partly done.
    #[must_use]
    pub fn newest(&self) -> Option<SegmentId> {
        self.progress.newest()
    }

    /// The fingerprint of a segment that is done or partly done, or was before a repetition, where it is known.
    #[must_use]
    pub fn known_as(&self, segment: SegmentId) -> Option<Fingerprint> {
        let before = || self.before_repetition.as_ref()?.fingerprint(segment);
        self.progress.fingerprint(segment).or_else(before)
    }

    /// The known fingerprints of all segments of [`Self::known_as`].
    pub fn fingerprints(&self) -> impl Iterator<Item = (SegmentId, Fingerprint)> {
        let before = self.before_repetition.iter().flat_map(Progress::fingerprints);
        self.progress.fingerprints().chain(before)
    }

    /// The places of mutations that could not be decoded yet, in the order of the log.
    pub fn parked(&self) -> impl Iterator<Item = Position> {
        self.parked.keys().copied()
    }

    /// How many mutations are parked.
    #[must_use]
    pub fn parked_count(&self) -> usize {
        self.parked.len()
    }

    /// Whether a mutation is parked there.
    #[must_use]
    pub fn is_parked(&self, place: Position) -> bool {
        self.parked.contains_key(&place)
    }

    /// The places of mutations that were parked in another scope: what this scope leaves out of them is not done.
    pub fn parked_in_other_scopes(&self) -> impl Iterator<Item = Position> {
        self.of_other_scopes.iter().copied()
    }

    /// The partitions that wait for a parked mutation; none when nothing is parked there, and of one that was parked
    /// by version 1.
    pub fn parked_partitions(&self, place: Position) -> impl Iterator<Item = PartitionTag> {
        self.parked.get(&place).map(SmallVec::as_slice).unwrap_or_default().iter().copied()
    }

    /// Everything before `first_not_done` is done in its segment, but for parked places. `fingerprint` is the
    /// segment's, once its first section is whole.
    ///
    /// # Errors
    /// When the segment already is done, or further on than this, or is another segment with the same id.
    pub fn advance(
        &mut self,
        first_not_done: Position,
        fingerprint: Option<Fingerprint>,
    ) -> Result<(), CheckpointError> {
        let segment = first_not_done.segment;
        if self.done_as(segment).is_some() {
            return Err(CheckpointError::AlreadyDone { segment });
        }
        let known = self.known_as(segment);
        same_segment(segment, known, fingerprint)?;
        match self.open_at(segment) {
            Some(reached) if reached > first_not_done => {
                Err(CheckpointError::Backwards { reached, asked: first_not_done })
            }
            _ => {
                self.progress.insert(first_not_done, fingerprint.or(known));
                Ok(())
            }
        }
    }

    /// Every event of the segment is done, but for parked places. Repeating it changes nothing.
    ///
    /// # Errors
    /// When another segment with the same id, as told by its fingerprint, is done.
    pub fn finish(&mut self, segment: SegmentId, fingerprint: Fingerprint) -> Result<(), CheckpointError> {
        same_segment(segment, self.known_as(segment), Some(fingerprint))?;
        self.progress.finish(segment, fingerprint);
        Ok(())
    }

    /// Remember a mutation that could not be decoded, before the progress moves past it, and the partitions that wait
    /// for it. Of one that is parked already only the partitions are added.
    ///
    /// # Errors
    /// When the place was passed already: its events may have been sent.
    pub fn park(
        &mut self,
        place: Position,
        partitions: impl IntoIterator<Item = PartitionTag>,
    ) -> Result<(), CheckpointError> {
        let segment = place.segment;
        if self.parked.contains_key(&place) {
            let known = Arc::make_mut(&mut self.parked).entry(place).or_default();
            for partition in partitions {
                if !known.contains(&partition) {
                    known.push(partition);
                }
            }
            return Ok(());
        }
        if self.done_as(segment).is_some() {
            return Err(CheckpointError::AlreadyDone { segment });
        }
        match self.open_at(segment) {
            Some(reached) if reached > place => Err(CheckpointError::Backwards { reached, asked: place }),
            _ => {
                Arc::make_mut(&mut self.parked).insert(place, partitions.into_iter().collect());
                Ok(())
            }
        }
    }

    /// The events of a parked mutation are done now.
    ///
    /// # Errors
    /// When nothing is parked there.
    pub fn unpark(&mut self, place: Position) -> Result<(), CheckpointError> {
        self.of_other_scopes.remove(&place);
        Arc::make_mut(&mut self.parked).remove(&place).map(|_| ()).ok_or(CheckpointError::NotParked { place })
    }

    /// The tables whose rows are being read, the one at hand first.
    #[must_use]
    pub fn snapshots(&self) -> &[TableSnapshot] {
        &self.snapshots
    }

    /// The same, to move them.
    pub fn snapshots_mut(&mut self) -> &mut Vec<TableSnapshot> {
        &mut self.snapshots
    }

    /// Whether every event of the segment is done and nothing in it is parked, so that it may be deleted.
    #[must_use]
    pub fn is_complete(&self, segment: SegmentId) -> bool {
        self.done_as(segment).is_some() && self.parked_in(segment).next().is_none()
    }

    /// Start the next generation. To be called once before every commit of a changed checkpoint.
    pub fn next_generation(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    /// Check that this checkpoint may replace `committed`: it is the same, or of a later generation that
    /// takes back nothing of what was done in its scope.
    ///
    /// # Errors
    /// What would be taken back.
    pub fn check_follows(&self, committed: &Self) -> Result<(), CheckpointError> {
        if self == committed {
            return Ok(());
        }
        if self.generation <= committed.generation {
            return Err(CheckpointError::StaleGeneration {
                committed: committed.generation,
                asked: self.generation,
            });
        }
        if committed.scope.is_some() && self.scope.is_some() && self.scope != committed.scope {
            return Ok(());
        }
        match (&self.before_repetition, &committed.before_repetition) {
            (Some(before), None) => before.check_keeps(&committed.progress),
            (before, earlier) => {
                self.progress.check_keeps(&committed.progress)?;
                let all = before.as_ref().unwrap_or(&self.progress);
                earlier.as_ref().map_or(Ok(()), |earlier| all.check_keeps(earlier))
            }
        }
    }
}

#[cfg(test)]
mod tests;
