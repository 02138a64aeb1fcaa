//! How long finished segments are remembered.
//!
//! That a segment is done stands in the checkpoint alone: what is forgotten and comes again is read and published again.
//! So an entry stays while its segment is in `cdc_raw` or in the spool, or something in it is parked; and behind that for
//! 30 days, because Cassandra links segments again after a crash, and an operator may put one back. But not more than
//! some thousands of those: every checkpoint that a file log or the local copy gets has them all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::agent::pipeline::writer::Writer;
use crate::cdc_raw::{Now, Scan};
use crate::checkpoint::Checkpoint;
use crate::commitlog::SegmentId;

/// Between two looks for what can be forgotten.
const EVERY: Duration = Duration::from_secs(3600);
/// And when there is more.
const SOON: Duration = Duration::from_secs(10);
/// So many are forgotten at once: each is a record in Kafka.
const AT_ONCE: usize = 5_000;

/// What of the finished segments that are not there any more is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) age: Duration,
    /// The newest ones by id. More than Cassandra has in its commit log to link again after a crash.
    pub(super) count: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { age: Duration::from_secs(30 * 24 * 3600), count: 10_000 }
    }
}

/// Finds finished segments that need not be remembered any longer.
#[derive(Debug)]
pub(super) struct Remembered {
    limits: Limits,
    /// When segments were finished, in milliseconds since 1970: as the destination says, else when they were first seen
    /// here.
    since_ms: BTreeMap<SegmentId, i64>,
    due: Option<Instant>,
}

impl Remembered {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, since_ms: BTreeMap::new(), due: None }
    }

    /// The finished segments that can be forgotten, when it is time to look for them. `scan` is what is there.
    pub(super) fn outdated(&mut self, now: Now, scan: &Scan, writer: &Writer<'_>) -> Vec<SegmentId> {
        // Without a segment the volume may not be mounted: then they are all there.
        if self.due.is_some_and(|due| now.instant < due) || scan.segments.is_empty() {
            return Vec::new();
        }
        let checkpoint = writer.checkpoint();
        self.note(millis(now.wall), checkpoint, writer);
        let mut outdated = self.find(millis(now.wall), scan, checkpoint);
        let pause = if outdated.len() > AT_ONCE { SOON } else { EVERY };
        self.due = now.instant.checked_add(pause);
        outdated.truncate(AT_ONCE);
        outdated
    }

    fn note(&mut self, now_ms: i64, checkpoint: &Checkpoint, writer: &Writer<'_>) {
        self.since_ms.retain(|segment, _| checkpoint.done_as(*segment).is_some());
        for (segment, _) in checkpoint.done() {
            let since = || writer.finished_ms(segment).unwrap_or(now_ms).min(now_ms);
            self.since_ms.entry(segment).or_insert_with(since);
        }
    }

    /// From the oldest id on.
    fn find(&self, now_ms: i64, scan: &Scan, checkpoint: &Checkpoint) -> Vec<SegmentId> {
        let there = scan.segments.iter().map(|file| file.name.id);
        let there: BTreeSet<_> = there.chain(scan.stray_indexes.iter().map(|index| index.name.id)).collect();
        // The newest one says where the log went on.
        let newest = checkpoint.newest();
        let is_gone = |segment: &SegmentId| {
            !there.contains(segment) && Some(*segment) != newest && checkpoint.is_complete(*segment)
        };
        let gone: Vec<SegmentId> = checkpoint.done().map(|(id, _)| id).filter(is_gone).collect();
        let surplus = gone.len().saturating_sub(self.limits.count);
        let age_ms = i64::try_from(self.limits.age.as_millis()).unwrap_or(i64::MAX);
        let is_old = |segment: &SegmentId| {
            self.since_ms.get(segment).is_some_and(|since| now_ms.saturating_sub(*since) > age_ms)
        };
        let outdated = gone.into_iter().enumerate().filter(|(at, id)| *at < surplus || is_old(id));
        outdated.map(|(_, id)| id).collect()
    }
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc_raw::directory::StrayIndex;
    use crate::cdc_raw::{FileId, SegmentFile};
    use crate::checkpoint::Fingerprint;
    use crate::commitlog::{Index, SegmentName};
    use crate::sink::Discard;

    fn name(id: i64) -> SegmentName {
        SegmentName { id: SegmentId(id), version: 7 }
    }

    fn scan(segments: &[i64], stray_indexes: &[i64]) -> Scan {
        let file = |id: &i64| SegmentFile {
            name: name(*id),
            id: FileId { device: 1, inode: id.unsigned_abs() },
            length: 1,
            links: 2,
            modified: UNIX_EPOCH,
            changed: UNIX_EPOCH,
            index: Index::Absent,
            has_index: false,
            // The spool is listed with it.
            is_spooled: *id == 3,
        };
        let stray = |id: &i64| StrayIndex { name: name(*id), modified: UNIX_EPOCH };
        Scan {
            segments: segments.iter().map(file).collect(),
            stray_indexes: stray_indexes.iter().map(stray).collect(),
            ..Scan::default()
        }
    }

    /// 1 to `last` are done, in 2 something is parked.
    fn checkpoint(last: i64) -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        checkpoint.park("2:20:0".parse().unwrap(), [7]).unwrap();
        (1..=last).for_each(|id| checkpoint.finish(SegmentId(id), Fingerprint::of(b"", b"")).unwrap());
        checkpoint
    }

    /// What can be forgotten at these seconds after the start.
    fn outdated(remembered: &mut Remembered, seconds: u64, scan: &Scan, checkpoint: &Checkpoint) -> Vec<i64> {
        let (mut sink, start) = (Discard::default(), remembered.due.unwrap_or_else(Instant::now));
        let now = Now { instant: start + EVERY, wall: UNIX_EPOCH + Duration::from_secs(seconds) };
        let writer = Writer::new(&mut sink, checkpoint.clone(), false);
        remembered.outdated(now, scan, &writer).iter().map(|id| id.0).collect()
    }

    #[test]
    fn what_is_there_or_waits_is_remembered_however_old_it_is() {
        let mut remembered = Remembered::new(Limits { age: Duration::from_secs(100), count: 10_000 });
        let (checkpoint, scan) = (checkpoint(9), scan(&[3, 4, 12], &[5]));
        assert_eq!(outdated(&mut remembered, 1_000, &scan, &checkpoint), [0; 0]);
        assert_eq!(outdated(&mut remembered, 1_100, &scan, &checkpoint), [0; 0], "they are not old");
        // 2 waits, 3 is in the spool, 4 in cdc_raw, 5 left its index there, 9 is the newest.
        assert_eq!(outdated(&mut remembered, 1_101, &scan, &checkpoint), [1, 6, 7, 8]);
        assert_eq!(
            outdated(&mut remembered, 1_101, &Scan::default(), &checkpoint),
            [0; 0],
            "nothing is mounted"
        );
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let mut remembered = Remembered::new(Limits { count: 3, ..Limits::default() });
        let (checkpoint, scan) = (checkpoint(9), scan(&[12], &[]));
        assert_eq!(outdated(&mut remembered, 1_000, &scan, &checkpoint), [1, 3, 4, 5]);
    }

    #[test]
    fn it_is_looked_for_once_an_hour_or_soon_when_there_is_more() {
        let mut remembered = Remembered::new(Limits { count: 0, ..Limits::default() });
        let scan = scan(&[100_000], &[]);
        let start = Instant::now();
        let mut sink = Discard::default();
        let mut found = |seconds, last| {
            let now = Now { instant: start + Duration::from_secs(seconds), wall: UNIX_EPOCH };
            remembered.outdated(now, &scan, &Writer::new(&mut sink, checkpoint(last), false)).len()
        };
        assert_eq!(found(0, 6_000), AT_ONCE);
        assert_eq!(found(9, 6_000), 0);
        assert_eq!(found(10, 6_000), AT_ONCE);
        assert_eq!(found(20, 100), 98, "without 2, which waits, and the newest");
        assert_eq!(found(20 + 3599, 100), 0);
        assert_eq!(found(20 + 3600, 100), 98);
    }
}
