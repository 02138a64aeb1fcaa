//! What is missing in the directory, and what that proves.
//!
//! Less than it seems. Cassandra itself deletes segments without changes of tables with CDC, so an id that is missing
//! between two others proves nothing. With `cdc_block_writes: false` it deletes the segments with the lowest ids, read or
//! not, so a segment that is still there vouches for all later ones. An index is written only for a segment with changes
//! of such tables, and Cassandra removes both or none: an index alone, or one that was seen, is a proof.

use super::directory::Scan;
use super::life::Vanished;
use crate::commitlog::{Position, SegmentId};

/// Segments that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub first: SegmentId,
    /// The last; the same when it is one.
    pub last: SegmentId,
    /// What is known of them.
    pub evidence: Evidence,
}

/// What is known of missing segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The segment held changes of tables with CDC, as its index says or said, and it was not read to its end.
    Unread,
    /// As before, but all that was seen of it was read. What was written between that look and its end is lost, if there
    /// was anything.
    ReadAsSeen,
    /// It was read in part, by an agent that was stopped since, and is gone. It had no index as far as that agent saw: if it
    /// got one, its rest is lost; else Cassandra deleted it because it held no changes of tables with CDC.
    PartlyRead(Position),
    /// It was read to its end by an agent that was stopped since, and is gone; what is parked in it can be read no more.
    Parked,
    /// Segments with such ids may have been there and deleted by Cassandra (`cdc_block_writes: false`) or somebody else,
    /// or may never have been, or may have held no changes of tables with CDC.
    Unknown,
}

impl Evidence {
    /// Whether changes are lost for certain.
    #[must_use]
    pub fn is_proof(self) -> bool {
        self == Self::Unread
    }
}

/// What is known when gaps are looked for.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// What is there.
    pub scan: &'k Scan,
    /// What was there the last time and is not now.
    pub vanished: &'k [Vanished],
    /// Whether a segment was read to its end, and nothing in it is parked.
    pub is_done: &'k dyn Fn(SegmentId) -> bool,
    /// The segments in which something is parked.
    pub parked: &'k [SegmentId],
    /// Whether a partly read segment had an index, as an agent before this one saw too.
    pub had_index: &'k dyn Fn(SegmentId) -> bool,
    /// Where reading of partly read segments ended.
    pub open: &'k [Position],
    /// The greatest id that was read to its end.
    pub last_done: Option<SegmentId>,
    /// `cdc_block_writes` of the node, where it is known (before 4.1 always true).
    pub blocks_writes: Option<bool>,
}

/// The gaps, in the order of the ids. Each is found again as long as its evidence is there: remember which were told.
#[must_use]
pub fn gaps(known: &Known<'_>) -> Vec<Gap> {
    let mut found = Vec::new();
    let one = |id, evidence| Gap { first: id, last: id, evidence };
    let is_there = |id: SegmentId| known.scan.segments.iter().any(|file| file.name.id == id);
    for stray in &known.scan.stray_indexes {
        if !(known.is_done)(stray.name.id) {
            found.push(one(stray.name.id, Evidence::Unread));
        }
    }
    for gone in known.vanished {
        let id = gone.name.id;
        if gone.had_index && !is_there(id) && !(known.is_done)(id) {
            let reached = known.open.iter().find(|open| open.segment == id).map_or(0, |open| open.marker);
            let was_read = gone.chain_end.is_some_and(|end| end <= reached);
            found.push(one(id, if was_read { Evidence::ReadAsSeen } else { Evidence::Unread }));
        }
    }
    let is_told = |found: &[Gap], id| found.iter().any(|gap| gap.first == id);
    let is_deleted_by_cassandra =
        |id| known.vanished.iter().any(|gone| gone.name.id == id && !gone.had_index);
    for open in known.open {
        let id = open.segment;
        if !is_there(id) && !(known.is_done)(id) && !is_told(&found, id) && !is_deleted_by_cassandra(id) {
            let evidence = if (known.had_index)(id) { Evidence::Unread } else { Evidence::PartlyRead(*open) };
            found.push(one(id, evidence));
        }
    }
    for id in known.parked.iter().copied() {
        if !is_there(id) && !is_told(&found, id) {
            found.push(one(id, Evidence::Parked));
        }
    }
    found.extend(before_the_first(known));
    found.sort_by_key(|gap| gap.first);
    found.dedup_by_key(|gap| gap.first);
    found
}

/// The ids between the last one that was read and the first one that is there.
fn before_the_first(known: &Known<'_>) -> Option<Gap> {
    if known.blocks_writes == Some(true) {
        return None;
    }
    let last = known.open.iter().map(|open| open.segment).chain(known.last_done).max()?;
    let next = known.scan.segments.first()?.name.id;
    let (first, last) = (last.0.checked_add(1)?, next.0.checked_sub(1)?);
    (first <= last).then_some(Gap {
        first: SegmentId(first),
        last: SegmentId(last),
        evidence: Evidence::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;
    use crate::cdc_raw::directory::StrayIndex;
    use crate::cdc_raw::{FileId, SegmentFile};
    use crate::commitlog::{Index, SegmentName};

    /// The segment that had an index when an agent saw it last.
    const INDEXED: i64 = 3;

    fn name(id: i64) -> SegmentName {
        SegmentName { id: SegmentId(id), version: 7 }
    }

    fn file(id: i64, modified: SystemTime) -> SegmentFile {
        SegmentFile {
            name: name(id),
            id: FileId { device: 1, inode: id.unsigned_abs() },
            length: 1,
            links: 2,
            modified,
            changed: modified,
            index: Index::Absent,
            has_index: false,
            is_spooled: false,
        }
    }

    /// Ids that are there, indexes alone, done ids, open positions.
    fn found(
        there: &[i64],
        strays: &[i64],
        done: &[i64],
        open: &[(i64, u64)],
        vanished: &[(i64, bool, u64)],
        blocks_writes: Option<bool>,
    ) -> Vec<(i64, i64, Evidence)> {
        found_with_parked(there, strays, (done, &[]), open, vanished, blocks_writes)
    }

    /// And ids in which something is parked.
    fn found_with_parked(
        there: &[i64],
        strays: &[i64],
        (done, parked): (&[i64], &[i64]),
        open: &[(i64, u64)],
        vanished: &[(i64, bool, u64)],
        blocks_writes: Option<bool>,
    ) -> Vec<(i64, i64, Evidence)> {
        let scan = Scan {
            segments: there.iter().map(|id| file(*id, UNIX_EPOCH)).collect(),
            stray_indexes: strays
                .iter()
                .map(|id| StrayIndex { name: name(*id), modified: UNIX_EPOCH })
                .collect(),
            ..Scan::default()
        };
        let position = |(id, marker): &(i64, u64)| Position {
            segment: SegmentId(*id),
            marker: *marker,
            entry: 0,
            row: 0,
        };
        let open: Vec<_> = open.iter().map(position).collect();
        let vanished: Vec<_> = vanished
            .iter()
            .map(|(id, had_index, end)| Vanished {
                name: name(*id),
                had_index: *had_index,
                chain_end: Some(*end),
            })
            .collect();
        let is_done = |id: SegmentId| done.contains(&id.0) && !parked.contains(&id.0);
        let parked: Vec<_> = parked.iter().copied().map(SegmentId).collect();
        let last_done = done.iter().max().map(|id| SegmentId(*id));
        let known = Known {
            scan: &scan,
            vanished: &vanished,
            is_done: &is_done,
            parked: &parked,
            had_index: &|id| id.0 == INDEXED,
            open: &open,
            last_done,
            blocks_writes,
        };
        gaps(&known).into_iter().map(|gap| (gap.first.0, gap.last.0, gap.evidence)).collect()
    }

    #[test]
    fn an_id_that_is_missing_between_others_proves_nothing() {
        for blocks_writes in [Some(true), Some(false), None] {
            assert_eq!(found(&[5, 9, 10], &[], &[4], &[], &[], blocks_writes), []);
        }
    }

    #[test]
    fn an_index_without_its_segment_is_a_proof_unless_it_was_done() {
        assert_eq!(found(&[9], &[5, 6], &[8, 6], &[], &[], Some(true)), [(5, 5, Evidence::Unread)]);
    }

    #[test]
    fn what_vanishes_is_lost_when_it_had_an_index_and_was_not_read() {
        let vanished = [(5, true, 900), (6, false, 900), (7, true, 900), (8, true, 900)];
        let found = found(&[9], &[], &[8], &[(7, 900), (5, 100), (6, 20)], &vanished, Some(true));
        assert_eq!(found, [(5, 5, Evidence::Unread), (7, 7, Evidence::ReadAsSeen)]);
        assert!(found[0].2.is_proof() && !found[1].2.is_proof());
    }

    #[test]
    fn what_was_read_in_part_before_a_stop_and_is_gone_may_be_lost() {
        let gap = found(&[9], &[], &[], &[(5, 100), (9, 20)], &[], Some(true));
        let at = Position { segment: SegmentId(5), marker: 100, entry: 0, row: 0 };
        assert_eq!(gap, [(5, 5, Evidence::PartlyRead(at))]);
        let indexed = found(&[9], &[], &[], &[(INDEXED, 100), (9, 20)], &[], Some(true));
        assert_eq!(indexed, [(INDEXED, INDEXED, Evidence::Unread)]);
        assert_eq!(found(&[INDEXED, 9], &[], &[], &[(INDEXED, 100)], &[], Some(true)), [], "it is there");
    }

    #[test]
    fn what_is_parked_in_a_segment_that_is_gone_is_missing_though_it_was_read_to_its_end() {
        let (done, parked) = (&[4, 5, 6, 7, 8][..], &[4, 5, 6, 8][..]);
        let vanished = [(5, true, 900), (6, false, 900), (7, true, 900)];
        let found = found_with_parked(&[8, 9], &[4], (done, parked), &[], &vanished, Some(true));
        assert_eq!(found, [(4, 4, Evidence::Unread), (5, 5, Evidence::Unread), (6, 6, Evidence::Parked)]);
        let later = found_with_parked(&[8, 9], &[], (done, parked), &[], &[], Some(true));
        let [first, second, third] = [4, 5, 6].map(|id| (id, id, Evidence::Parked));
        assert_eq!(later, [first, second, third], "when the agent was away meanwhile");
    }

    #[test]
    fn ids_before_the_first_are_unknown_when_cassandra_may_delete_unread_segments() {
        assert_eq!(found(&[90, 91], &[], &[4], &[], &[], Some(true)), []);
        assert_eq!(found(&[90, 91], &[], &[4], &[], &[], Some(false)), [(5, 89, Evidence::Unknown)]);
        assert_eq!(found(&[90, 91], &[], &[89], &[], &[], None), []);
        assert_eq!(found(&[90, 91], &[], &[], &[], &[], None), [], "nothing was ever read");
    }
}
