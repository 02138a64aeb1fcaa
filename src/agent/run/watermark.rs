//! The low watermark: everything that the node logged before it is published.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::commitlog::Position;
use crate::envelope::Visibility;

/// An entry stands under a marker after this long, and can be seen.
const MARKED_AFTER: Duration = Duration::from_millis(200);

/// A look that began at a time and read all that may be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drained<'d> {
    /// Before the directory was looked at.
    pub(super) wall: SystemTime,
    /// The places behind what was read, where bytes stand that may not be read yet: one in a segment at most.
    pub(super) more_at: &'d [Position],
}

/// Follows the watermark. It never goes back.
#[derive(Debug)]
pub(super) struct Watermark {
    visibility: Visibility,
    /// So long after it was logged an entry may still be unseen.
    lag: Duration,
    /// The last look.
    last: Option<SystemTime>,
    /// Where bytes stand that may not be read yet, and the look before the one that found them there.
    more: Vec<(Position, Option<SystemTime>)>,
    us: Option<i64>,
}

impl Watermark {
    pub(super) fn new(visibility: Visibility, comes_with_syncs: bool, sync_period: Duration) -> Self {
        Self {
            visibility,
            lag: lag(visibility, comes_with_syncs, sync_period),
            last: None,
            more: Vec::new(),
            us: None,
        }
    }

    /// Microseconds since 1970 that every watermark of an agent that starts now is behind of, however segments are written.
    pub(super) fn before_us(now: SystemTime, sync_period: Duration) -> i64 {
        now.checked_sub(sync_period.max(MARKED_AFTER)).and_then(micros).unwrap_or_default()
    }

    /// The segments are written in another way from here on.
    pub(super) fn written(&mut self, comes_with_syncs: bool, sync_period: Duration) {
        self.lag = lag(self.visibility, comes_with_syncs, sync_period);
    }

    /// All was read. `is_parked`: a mutation waits, so that it cannot move.
    ///
    /// A marker covers all that was logged before it was written. So what stands behind one was logged after the last
    /// look that did not see it. Under `written` nothing is known of what stands behind an entry that is not whole.
    pub(super) fn drained(&mut self, look: Drained<'_>, is_parked: bool) {
        let before = self.last.replace(look.wall);
        let known = std::mem::take(&mut self.more);
        let since =
            |at: &Position| known.iter().find(|(known, _)| known == at).map_or(before, |(_, since)| *since);
        self.more = look.more_at.iter().map(|at| (*at, since(at))).collect();
        // A look before the first one is `None`, which is less than any other.
        let limit = match self.more.iter().map(|(_, since)| *since).min() {
            None => Some(look.wall),
            Some(_) if self.visibility == Visibility::Written => None,
            Some(since) => since,
        };
        let seen = look.wall.checked_sub(self.lag);
        if let (Some(limit), Some(seen), false) = (limit, seen, is_parked) {
            self.us = self.us.max(micros(limit.min(seen)));
        }
    }

    /// So long after it was logged an entry may still be unseen.
    pub(super) fn lag(&self) -> Duration {
        self.lag
    }

    /// Microseconds since 1970; `None` before all was read once.
    pub(super) fn us(&self) -> Option<i64> {
        self.us
    }
}

/// So long after it was logged an entry may still be unseen.
fn lag(visibility: Visibility, comes_with_syncs: bool, sync_period: Duration) -> Duration {
    if comes_with_syncs || visibility == Visibility::Synced { sync_period } else { MARKED_AFTER }
}

fn micros(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_795_385_810_000_000;

    fn drained(mark: &mut Watermark, millis: u64, more_at: &[&str], is_parked: bool) {
        let wall = Duration::from_micros(WALL.unsigned_abs()) + Duration::from_millis(millis);
        let more_at: Vec<Position> = more_at.iter().map(|at| at.parse().unwrap()).collect();
        mark.drained(Drained { wall: UNIX_EPOCH + wall, more_at: &more_at }, is_parked);
    }

    #[test]
    fn it_stands_still_while_something_is_not_read() {
        let mut mark = Watermark::new(Visibility::Marked, false, Duration::from_secs(10));
        assert_eq!(mark.us(), None);
        drained(&mut mark, 0, &[], false);
        assert_eq!(mark.us(), Some(WALL - 200_000));
        for millis in [100, 300, 900] {
            drained(&mut mark, millis, &["7:20:0"], false);
        }
        assert_eq!(mark.us(), Some(WALL), "what stands there was logged after the first look");
        drained(&mut mark, 1000, &["7:90:0"], false);
        assert_eq!(mark.us(), Some(WALL + 800_000), "that was marked, and more was logged");
        drained(&mut mark, 1500, &[], true);
        assert_eq!(mark.us(), Some(WALL + 800_000), "a mutation is parked");
        drained(&mut mark, 1500, &[], false);
        assert_eq!(mark.us(), Some(WALL + 1_300_000));
        drained(&mut mark, 1400, &[], false);
        assert_eq!(mark.us(), Some(WALL + 1_300_000), "it never goes back");
    }

    #[test]
    fn a_later_segment_that_is_begun_holds_it_from_when_it_was_first_seen() {
        let mut mark = Watermark::new(Visibility::Marked, false, Duration::from_secs(10));
        drained(&mut mark, 0, &[], false);
        drained(&mut mark, 300, &["7:20:0"], false);
        drained(&mut mark, 600, &["7:20:0", "8:20:0"], false);
        assert_eq!(mark.us(), Some(WALL), "of both the older look");
        // What stood in the first one was marked and read; what was seen in the other one at 600 may be from 300 on.
        for millis in [900, 1200] {
            drained(&mut mark, millis, &["8:20:0"], false);
        }
        assert_eq!(mark.us(), Some(WALL + 300_000));
        drained(&mut mark, 1500, &[], false);
        assert_eq!(mark.us(), Some(WALL + 1_300_000));
    }

    #[test]
    fn what_stands_behind_a_torn_entry_may_be_old() {
        let mut mark = Watermark::new(Visibility::Written, false, Duration::from_secs(10));
        drained(&mut mark, 0, &[], false);
        drained(&mut mark, 500, &["7:20:3"], false);
        drained(&mut mark, 900, &["7:20:9"], false);
        assert_eq!(mark.us(), Some(WALL - 200_000));
    }

    #[test]
    fn what_comes_with_a_sync_may_be_a_period_behind() {
        for (visibility, comes_with_syncs) in [(Visibility::Synced, false), (Visibility::Marked, true)] {
            let mut mark = Watermark::new(visibility, comes_with_syncs, Duration::from_secs(10));
            drained(&mut mark, 0, &[], false);
            assert_eq!(mark.us(), Some(WALL - 10_000_000));
        }
    }
}
