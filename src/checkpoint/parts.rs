//! Parts of a checkpoint, for destinations that store it in several records.

use std::mem;
use std::sync::Arc;

use crate::commitlog::SegmentId;

use super::progress::Progress;
use super::{Checkpoint, Fingerprint};

impl Checkpoint {
    /// Everything but the finished segments.
    #[must_use]
    pub fn without_done(&self) -> Self {
        Self {
            generation: self.generation,
            scope: self.scope.clone(),
            progress: Progress { open: self.progress.open.clone(), done: Arc::default() },
            before_repetition: self.before_repetition.clone(),
            parked: self.parked.clone(),
            of_other_scopes: self.of_other_scopes.clone(),
            snapshots: self.snapshots.clone(),
        }
    }

    /// What it says of one segment, with generation and scope. A segment of which nothing is repeated yet is as it was
    /// before the repetition.
    #[must_use]
    pub fn of_segment(&self, segment: SegmentId) -> Self {
        let mut part = Self { generation: self.generation, scope: self.scope.clone(), ..Self::default() };
        part.progress = self.progress.of_segment(segment);
        if let Some(before) = &self.before_repetition {
            let before = before.of_segment(segment);
            match part.progress == Progress::default() {
                true => part.progress = before,
                false => part.before_repetition = Some(before),
            }
        }
        let parked = self.parked.iter().filter(|(place, _)| place.segment == segment);
        part.parked = Arc::new(parked.map(|(place, partitions)| (*place, partitions.clone())).collect());
        part.of_other_scopes.extend(self.of_other_scopes.iter().filter(|place| place.segment == segment));
        part
    }

    /// Adds what a part of another segment, or of other segments, says; the higher generation stays. When only one of
    /// them repeats, the other has not begun to.
    pub fn add_part(&mut self, mut part: Self) {
        self.generation = self.generation.max(part.generation);
        self.scope = self.scope.take().or(part.scope.take());
        if part.is_repeating() {
            self.begin_repetition();
        }
        if self.is_repeating() {
            part.begin_repetition();
        }
        self.progress.extend(mem::take(&mut part.progress));
        if let (Some(before), Some(more)) = (&mut self.before_repetition, part.before_repetition) {
            before.extend(more);
        }
        Arc::make_mut(&mut self.parked).extend(Arc::unwrap_or_clone(part.parked));
        self.of_other_scopes.extend(part.of_other_scopes);
        self.snapshots.extend(part.snapshots);
    }

    /// Takes a finished segment on, as a stored part says; it is no longer open then.
    pub fn restore_done(&mut self, segment: SegmentId, fingerprint: Fingerprint) {
        self.progress.finish(segment, fingerprint);
    }

    /// The segments of which it says anything, in the order of their ids.
    #[must_use]
    pub fn segments(&self) -> Vec<SegmentId> {
        let progress = [&self.progress].into_iter().chain(&self.before_repetition);
        let known = progress.flat_map(|progress| progress.open.keys().chain(progress.done.keys())).copied();
        let mut all: Vec<SegmentId> = known.chain(self.parked.keys().map(|place| place.segment)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether both say the same, whatever their generations.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.scope == other.scope
            && self.progress == other.progress
            && self.before_repetition == other.before_repetition
            && self.parked == other.parked
            && self.of_other_scopes == other.of_other_scopes
            && self.snapshots == other.snapshots
    }
}

impl Progress {
    fn of_segment(&self, segment: SegmentId) -> Self {
        let mut part = Self::default();
        part.open.extend(self.open.get(&segment).map(|open| (segment, *open)));
        part.done = Arc::new(self.done.get(&segment).map(|done| (segment, *done)).into_iter().collect());
        part
    }

    fn extend(&mut self, other: Self) {
        self.open.extend(other.open);
        Arc::make_mut(&mut self.done).extend(Arc::unwrap_or_clone(other.done));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
    use super::*;
    use crate::commitlog::Position;

    fn at(segment: i64, entry: u32) -> Position {
        Position { segment: SegmentId(segment), marker: 20, entry, row: 0 }
    }

    fn checkpoint() -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        let mut scope = Scope::default();
        scope.set("table", "a.b");
        checkpoint.enter(scope);
        let fingerprint = Fingerprint::of(b"d", b"s");
        checkpoint.finish(SegmentId(1), fingerprint).unwrap();
        checkpoint.park(at(2, 3), [7]).unwrap();
        checkpoint.park(at(4, 1), [8, 9]).unwrap();
        checkpoint.advance(at(2, 9), Some(fingerprint)).unwrap();
        checkpoint.next_generation();
        checkpoint
    }

    fn joined(whole: &Checkpoint) -> Checkpoint {
        let mut joined = Checkpoint::default();
        whole.segments().into_iter().for_each(|segment| joined.add_part(whole.of_segment(segment)));
        joined
    }

    #[test]
    fn the_parts_of_all_segments_are_the_whole() {
        let whole = checkpoint();
        assert_eq!(whole.segments(), [SegmentId(1), SegmentId(2), SegmentId(4)]);
        assert_eq!(joined(&whole), whole);
        assert_eq!(whole.of_segment(SegmentId(2)).segments(), [SegmentId(2)]);
        assert!(whole.of_segment(SegmentId(3)).segments().is_empty());
    }

    #[test]
    fn a_repetition_goes_on_from_its_parts() {
        for (segment, entry) in [(1, 5), (2, 1)] {
            let mut whole = checkpoint();
            whole.begin_repetition();
            whole.advance(at(segment, entry), Some(Fingerprint::of(b"d", b"s"))).unwrap();
            assert_eq!(joined(&whole), whole);
            assert!(whole.is_repeating());
        }
        let mut begun = checkpoint();
        begun.begin_repetition();
        assert_eq!(joined(&begun), checkpoint(), "nothing is repeated yet");
    }

    #[test]
    fn finished_segments_can_be_stored_apart() {
        let whole = checkpoint();
        let mut rest = whole.without_done();
        assert!(rest.done().next().is_none() && !rest.says_the_same(&whole));
        whole.done().for_each(|(segment, fingerprint)| rest.restore_done(segment, fingerprint));
        assert_eq!(rest, whole);
        rest.next_generation();
        assert!(rest != whole && rest.says_the_same(&whole));
        rest.restore_done(SegmentId(2), Fingerprint::of(b"d", b"s"));
        assert_eq!(rest.open_at(SegmentId(2)), None);
    }
}
