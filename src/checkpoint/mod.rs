//! What is safely done: the state that is committed together with the records, by every sink in its own way.
//!
//! Pure data and the rules for moving it: progress only ever grows, and a caller that tries to move it
//! backwards gets an error and not a silent repeat.

mod error;
mod fingerprint;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use crate::commitlog::{Position, SegmentId};

pub use error::CheckpointError;
pub use fingerprint::{Fingerprint, ParseFingerprintError};

/// What is safely done in the commit log of one node.
///
/// Its JSON form is described at [`Checkpoint::from_json`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    generation: u64,
    open: BTreeMap<SegmentId, Position>,
    done: BTreeMap<SegmentId, Fingerprint>,
    parked: BTreeSet<Position>,
}

impl Checkpoint {
    /// How many checkpoints were committed before this one; of two checkpoints of one node the one with the
    /// higher generation holds.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The first event not yet done of a segment that is partly done.
    #[must_use]
    pub fn open_at(&self, segment: SegmentId) -> Option<Position> {
        self.open.get(&segment).copied()
    }

    /// The partly done segments with their first event not yet done, in id order.
    pub fn open(&self) -> impl Iterator<Item = Position> {
        self.open.values().copied()
    }

    /// The fingerprint of a segment that was read to its end.
    #[must_use]
    pub fn done_as(&self, segment: SegmentId) -> Option<Fingerprint> {
        self.done.get(&segment).copied()
    }

    /// The segments that were read to their end, in id order.
    pub fn done(&self) -> impl Iterator<Item = (SegmentId, Fingerprint)> {
        self.done.iter().map(|(segment, fingerprint)| (*segment, *fingerprint))
    }

    /// The places of mutations that could not be decoded yet, in the order of the log.
    pub fn parked(&self) -> impl Iterator<Item = Position> {
        self.parked.iter().copied()
    }

    /// Everything before `first_not_done` is done in its segment, but for parked places.
    ///
    /// # Errors
    /// When the segment already is done, or further on than this.
    pub fn advance(&mut self, first_not_done: Position) -> Result<(), CheckpointError> {
        let segment = first_not_done.segment;
        if self.done.contains_key(&segment) {
            return Err(CheckpointError::AlreadyDone { segment });
        }
        match self.open.get(&segment) {
            Some(reached) if *reached > first_not_done => {
                Err(CheckpointError::Backwards { reached: *reached, asked: first_not_done })
            }
            _ => {
                self.open.insert(segment, first_not_done);
                Ok(())
            }
        }
    }

    /// Every event of the segment is done, but for parked places. Repeating it changes nothing.
    ///
    /// # Errors
    /// When another segment with the same id, as told by its fingerprint, is done.
    pub fn finish(&mut self, segment: SegmentId, fingerprint: Fingerprint) -> Result<(), CheckpointError> {
        match self.done.get(&segment) {
            Some(done) if *done != fingerprint => {
                Err(CheckpointError::OtherSegment { segment, done: *done, found: fingerprint })
            }
            _ => {
                self.open.remove(&segment);
                self.done.insert(segment, fingerprint);
                Ok(())
            }
        }
    }

    /// Remember a mutation that could not be decoded, before the progress moves past it.
    ///
    /// # Errors
    /// When the place was passed already: its events may have been sent.
    pub fn park(&mut self, place: Position) -> Result<(), CheckpointError> {
        let segment = place.segment;
        if self.parked.contains(&place) {
            return Ok(());
        }
        if self.done.contains_key(&segment) {
            return Err(CheckpointError::AlreadyDone { segment });
        }
        match self.open.get(&segment) {
            Some(reached) if *reached > place => {
                Err(CheckpointError::Backwards { reached: *reached, asked: place })
            }
            _ => {
                self.parked.insert(place);
                Ok(())
            }
        }
    }

    /// The events of a parked mutation are done now.
    ///
    /// # Errors
    /// When nothing is parked there.
    pub fn unpark(&mut self, place: Position) -> Result<(), CheckpointError> {
        if self.parked.remove(&place) { Ok(()) } else { Err(CheckpointError::NotParked { place }) }
    }

    /// Whether every event of the segment is done and nothing in it is parked, so that it may be deleted.
    #[must_use]
    pub fn is_complete(&self, segment: SegmentId) -> bool {
        self.done.contains_key(&segment) && !self.parked.iter().any(|place| place.segment == segment)
    }

    /// Start the next generation. To be called once before every commit of a changed checkpoint.
    pub fn next_generation(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    /// Check that this checkpoint may replace `committed`: it is the same, or of a later generation that
    /// takes back nothing of what was done.
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
        for (segment, done) in &committed.done {
            match self.done.get(segment) {
                Some(found) if found == done => {}
                Some(found) => {
                    return Err(CheckpointError::OtherSegment {
                        segment: *segment,
                        done: *done,
                        found: *found,
                    });
                }
                None => return Err(CheckpointError::AlreadyDone { segment: *segment }),
            }
        }
        for reached in committed.open.values() {
            let still_there = match self.open.get(&reached.segment) {
                Some(position) => position >= reached,
                None => self.done.contains_key(&reached.segment),
            };
            if !still_there {
                let asked = self.open_at(reached.segment).unwrap_or(Position {
                    marker: 0,
                    entry: 0,
                    row: 0,
                    ..*reached
                });
                return Err(CheckpointError::Backwards { reached: *reached, asked });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
