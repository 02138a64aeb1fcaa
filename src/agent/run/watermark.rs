//! The low watermark: everything that the node logged before it is published.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::commitlog::Position;
use crate::envelope::Visibility;

/// An entry stands under a marker after this long, and can be seen.
const MARKED_AFTER: Duration = Duration::from_millis(200);

/// A look that began at a time and read all that may be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drained {
    /// Before the directory was looked at.
    pub(super) wall: SystemTime,
    /// The place behind what was read, where bytes stand that may not be read yet.
    pub(super) more_at: Option<Position>,
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
    more: Option<(Position, Option<SystemTime>)>,
    us: Option<i64>,
}

impl Watermark {
    pub(super) fn new(visibility: Visibility, comes_with_syncs: bool, sync_period: Duration) -> Self {
        Self {
            visibility,
            lag: lag(visibility, comes_with_syncs, sync_period),
            last: None,
            more: None,
            us: None,
        }
    }

    /// The segments are written in another way from here on.
    pub(super) fn written(&mut self, comes_with_syncs: bool, sync_period: Duration) {
        self.lag = lag(self.visibility, comes_with_syncs, sync_period);
    }

    /// All was read. `is_parked`: a mutation waits, so that it cannot move.
    ///
    /// A marker covers all that was logged before it was written. So what stands behind one was logged after the last
    /// look that did not see it. Under `written` nothing is known of what stands behind an entry that is not whole.
    pub(super) fn drained(&mut self, look: Drained, is_parked: bool) {
        let before = self.last.replace(look.wall);
        self.more = look.more_at.map(|at| match self.more {
            Some((known, since)) if known == at => (known, since),
            _ => (at, before),
        });
        let limit = match self.more {
            None => Some(look.wall),
            Some(_) if self.visibility == Visibility::Written => None,
            Some((_, since)) => since,
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

    fn look(millis: u64, more_at: Option<&str>) -> Drained {
        let wall = Duration::from_micros(WALL.unsigned_abs()) + Duration::from_millis(millis);
        Drained { wall: UNIX_EPOCH + wall, more_at: more_at.map(|at| at.parse().unwrap()) }
    }

    #[test]
    fn it_stands_still_while_something_is_not_read() {
        let mut mark = Watermark::new(Visibility::Marked, false, Duration::from_secs(10));
        assert_eq!(mark.us(), None);
        mark.drained(look(0, None), false);
        assert_eq!(mark.us(), Some(WALL - 200_000));
        for millis in [100, 300, 900] {
            mark.drained(look(millis, Some("7:20:0")), false);
        }
        assert_eq!(mark.us(), Some(WALL), "what stands there was logged after the first look");
        mark.drained(look(1000, Some("7:90:0")), false);
        assert_eq!(mark.us(), Some(WALL + 800_000), "that was marked, and more was logged");
        mark.drained(look(1500, None), true);
        assert_eq!(mark.us(), Some(WALL + 800_000), "a mutation is parked");
        mark.drained(look(1500, None), false);
        assert_eq!(mark.us(), Some(WALL + 1_300_000));
        mark.drained(look(1400, None), false);
        assert_eq!(mark.us(), Some(WALL + 1_300_000), "it never goes back");
    }

    #[test]
    fn what_stands_behind_a_torn_entry_may_be_old() {
        let mut mark = Watermark::new(Visibility::Written, false, Duration::from_secs(10));
        mark.drained(look(0, None), false);
        mark.drained(look(500, Some("7:20:3")), false);
        mark.drained(look(900, Some("7:20:9")), false);
        assert_eq!(mark.us(), Some(WALL - 200_000));
    }

    #[test]
    fn what_comes_with_a_sync_may_be_a_period_behind() {
        for (visibility, comes_with_syncs) in [(Visibility::Synced, false), (Visibility::Marked, true)] {
            let mut mark = Watermark::new(visibility, comes_with_syncs, Duration::from_secs(10));
            mark.drained(look(0, None), false);
            assert_eq!(mark.us(), Some(WALL - 10_000_000));
        }
    }
}
