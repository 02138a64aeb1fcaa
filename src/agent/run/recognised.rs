//! Segments that have the id of one that was read to its end, and are others: ids come again when the node's clock went
//! back and its commit log was wiped, or with the segments of another node.

use std::collections::BTreeSet;

use super::reader::Reading;
use crate::cdc_raw::{FileId, Scan, SegmentFile, Standing, State};
use crate::checkpoint::Checkpoint;
use crate::commitlog::SegmentName;

/// The finished segments in the directory of which it is known whether they are those that were read.
#[derive(Debug, Default)]
pub(super) struct Recognised(BTreeSet<(SegmentName, FileId)>);

impl Recognised {
    /// It was read to its end as this file.
    pub(super) fn add(&mut self, file: &SegmentFile) {
        self.0.insert((file.name, file.id));
    }

    /// Compares the next one, if one is left: its first section may be long. Whether it is another one than was read.
    pub(super) fn compare_next<'s>(
        &mut self,
        (scan, standings): (&Scan, &'s [Standing]),
        checkpoint: &Checkpoint,
        reading: &Reading<'_>,
    ) -> Option<(&'s SegmentFile, bool)> {
        let is_unknown = |standing: &&Standing| {
            let file = &standing.file;
            // A first section that is written now is no other one yet; where nothing is in it, nothing is lost.
            standing.state.lets_next_begin()
                && !matches!(standing.state, State::Orphan(_))
                && checkpoint.done_as(file.name.id).is_some()
                && !self.0.contains(&(file.name, file.id))
        };
        let file = &standings.iter().find(is_unknown)?.file;
        let is_there = |(name, id): &(SegmentName, FileId)| {
            let found = scan.segments.binary_search_by_key(name, |file| file.name).ok();
            found.and_then(|place| scan.segments.get(place)).is_some_and(|file| file.id == *id)
        };
        self.0.retain(is_there);
        self.add(file);
        let (known, found) = (checkpoint.done_as(file.name.id), reading.fingerprint(file));
        Some((file, found.is_some_and(|found| Some(found) != known)))
    }
}
