//! Partitions with parked mutations: what stands behind one in its partition waits.

use std::collections::BTreeSet;

use crate::checkpoint::{Checkpoint, PartitionTag};
use crate::commitlog::{Position, SegmentId};

/// The parked mutations of every partition that has some.
#[derive(Debug, Default)]
pub(in crate::agent) struct Waiting {
    places: BTreeSet<(PartitionTag, Position)>,
    /// Different partitions among them.
    partitions: usize,
}

impl Waiting {
    /// What earlier replays parked.
    pub(in crate::agent) fn of(checkpoint: &Checkpoint) -> Self {
        let mut waiting = Self::default();
        for place in checkpoint.parked() {
            waiting.add(place, checkpoint.parked_partitions(place));
        }
        waiting
    }

    /// A mutation is parked.
    pub(in crate::agent) fn add(
        &mut self,
        place: Position,
        partitions: impl IntoIterator<Item = PartitionTag>,
    ) {
        for partition in partitions {
            self.partitions += usize::from(!self.has(partition));
            self.places.insert((partition, place));
        }
    }

    /// A mutation is parked no longer.
    pub(in crate::agent) fn remove(
        &mut self,
        place: Position,
        partitions: impl IntoIterator<Item = PartitionTag>,
    ) {
        for partition in partitions {
            let was_there = self.places.remove(&(partition, place));
            self.partitions -= usize::from(was_there && !self.has(partition));
        }
    }

    /// How many partitions have parked mutations.
    pub(in crate::agent) fn partitions(&self) -> usize {
        self.partitions
    }

    fn has(&self, partition: PartitionTag) -> bool {
        self.places.range((partition, FIRST)..).next().is_some_and(|(first, _)| *first == partition)
    }

    /// The first parked mutation that stands before `position` in one of these partitions.
    pub(in crate::agent) fn before(
        &self,
        position: Position,
        partitions: impl IntoIterator<Item = PartitionTag>,
    ) -> Option<Position> {
        if self.places.is_empty() {
            return None;
        }
        let first = |partition| {
            let before = (partition, FIRST)..(partition, position);
            self.places.range(before).next().map(|(_, place)| *place)
        };
        partitions.into_iter().filter_map(first).min()
    }
}

/// No position stands before it.
const FIRST: Position = Position { segment: SegmentId(i64::MIN), marker: 0, entry: 0, row: 0 };

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Position {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_stands_behind_waits() {
        let mut waiting = Waiting::default();
        waiting.add(at("7:20:3"), [1, 2]);
        waiting.add(at("7:20:5"), [2]);
        waiting.add(at("7:20:5"), [2]);
        assert_eq!(waiting.partitions(), 2);
        assert_eq!(waiting.before(at("7:20:3"), [1, 2]), None, "a mutation does not wait for itself");
        assert_eq!(waiting.before(at("6:90:9"), [1, 2]), None);
        assert_eq!(waiting.before(at("7:20:4"), [3]), None);
        assert_eq!(waiting.before(at("8:20:0"), [3, 2]), Some(at("7:20:3")));
        waiting.remove(at("7:20:3"), [1, 2]);
        waiting.remove(at("7:20:3"), [1, 2]);
        assert_eq!(waiting.partitions(), 1);
        assert_eq!(waiting.before(at("8:20:0"), [1, 2]), Some(at("7:20:5")));
        assert_eq!(waiting.before(at("8:20:0"), [1]), None);
    }
}
