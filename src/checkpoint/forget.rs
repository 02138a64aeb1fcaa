//! Finished segments that are remembered no longer, and those in which something is parked.

use std::iter;
use std::sync::Arc;

use crate::commitlog::{Position, SegmentId};

use super::Checkpoint;

impl Checkpoint {
    /// Remembers finished segments no longer: should one of them come again, it is read again. What is not done, or has
    /// something parked, is left as it is. How many were forgotten.
    ///
    /// [`Self::check_follows`] takes that for a step back; whoever commits it compares with what the committed checkpoint
    /// says without them.
    pub fn forget_done(&mut self, segments: impl IntoIterator<Item = SegmentId>) -> usize {
        let known = |segment: &SegmentId| self.is_complete(*segment);
        let outdated: Vec<SegmentId> = segments.into_iter().filter(known).collect();
        if outdated.is_empty() {
            return 0;
        }
        let done = Arc::make_mut(&mut self.progress.done);
        outdated.iter().filter(|segment| done.remove(segment).is_some()).count()
    }

    /// The places of mutations of a segment that could not be decoded yet, in the order of the log.
    pub fn parked_in(&self, segment: SegmentId) -> impl Iterator<Item = Position> {
        let first = Position { segment, marker: 0, entry: 0, row: 0 };
        let last = Position { segment, marker: u64::MAX, entry: u32::MAX, row: u32::MAX };
        self.parked.range(first..=last).map(|(place, _)| *place)
    }

    /// The segments in which something is parked, in id order.
    pub fn parked_segments(&self) -> impl Iterator<Item = SegmentId> {
        let first = self.parked.keys().next().map(|place| place.segment);
        iter::successors(first, |before| {
            let next = Position { segment: SegmentId(before.0.checked_add(1)?), marker: 0, entry: 0, row: 0 };
            self.parked.range(next..).next().map(|(place, _)| place.segment)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CheckpointError, Fingerprint};
    use super::*;

    fn at(text: &str) -> Position {
        text.parse().unwrap()
    }

    /// 3 to 5 are done, in 4 something is parked, 6 is open and has two parked.
    fn checkpoint() -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        for place in ["4:20:7", "6:20:1", "6:90:1"] {
            checkpoint.park(at(place), [1]).unwrap();
        }
        for id in [3, 4, 5] {
            checkpoint.finish(SegmentId(id), Fingerprint::of(b"d", b"s")).unwrap();
        }
        checkpoint.advance(at("6:90:4"), None).unwrap();
        checkpoint.next_generation();
        checkpoint
    }

    #[test]
    fn only_finished_segments_in_which_nothing_waits_are_forgotten() {
        let committed = checkpoint();
        let mut next = committed.clone();
        assert_eq!(next.forget_done([3, 4, 6, 9].map(SegmentId)), 1);
        next.next_generation();
        let done: Vec<_> = next.done().map(|(id, _)| id.0).collect();
        assert_eq!(done, [4, 5]);
        assert_eq!(next.open().collect::<Vec<_>>(), [at("6:90:4")]);
        // It is a step back but where it was meant.
        assert!(matches!(next.check_follows(&committed), Err(CheckpointError::AlreadyDone { .. })));
        let mut without = committed.clone();
        without.forget_done([SegmentId(3)]);
        next.check_follows(&without).unwrap();
    }

    #[test]
    fn segments_with_something_parked_are_named_once() {
        let checkpoint = checkpoint();
        assert_eq!(checkpoint.parked_segments().collect::<Vec<_>>(), [SegmentId(4), SegmentId(6)]);
        assert_eq!(checkpoint.parked_in(SegmentId(6)).collect::<Vec<_>>(), [at("6:20:1"), at("6:90:1")]);
        assert_eq!(checkpoint.parked_in(SegmentId(5)).count(), 0);
        assert_eq!(Checkpoint::default().parked_segments().count(), 0);
    }
}
