//! The low watermark: everything that the node logged before it is published.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::envelope::Visibility;

/// An entry stands under a marker after this long, and can be seen.
const MARKED_AFTER: Duration = Duration::from_millis(200);

/// A look that began at a time and read all that was there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drained {
    /// Before the directory was looked at.
    pub(super) began: Instant,
    pub(super) wall: SystemTime,
    /// Whether bytes stand behind what may be read.
    pub(super) has_more: bool,
}

/// Follows the watermark. It never goes back.
#[derive(Debug)]
pub(super) struct Watermark {
    /// So long after it was logged an entry may still be unseen.
    lag: Duration,
    /// Since when bytes stand behind what may be read.
    more_since: Option<Instant>,
    us: Option<i64>,
}

impl Watermark {
    pub(super) fn new(visibility: Visibility, is_stored: bool, sync_period: Duration) -> Self {
        Self { lag: lag(visibility, is_stored, sync_period), more_since: None, us: None }
    }

    /// The segments are stored in another way from here on.
    pub(super) fn store(&mut self, visibility: Visibility, is_stored: bool, sync_period: Duration) {
        self.lag = lag(visibility, is_stored, sync_period);
    }

    /// All was read. `is_parked`: a mutation waits, so that it cannot move.
    pub(super) fn drained(&mut self, look: Drained, is_parked: bool) {
        self.more_since = look.has_more.then(|| self.more_since.unwrap_or(look.began));
        let is_late = |since: Instant| look.began.saturating_duration_since(since) > self.lag;
        if is_parked || self.more_since.is_some_and(is_late) {
            return;
        }
        let us = look.wall.checked_sub(self.lag).and_then(micros);
        self.us = self.us.max(us);
    }

    /// Microseconds since 1970; `None` before all was read once.
    pub(super) fn us(&self) -> Option<i64> {
        self.us
    }
}

/// So long after it was logged an entry may still be unseen.
fn lag(visibility: Visibility, is_stored: bool, sync_period: Duration) -> Duration {
    if is_stored || visibility == Visibility::Synced { sync_period } else { MARKED_AFTER }
}

fn micros(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_795_385_810_000_000;

    fn look(start: Instant, millis: u64, has_more: bool) -> Drained {
        let wall = Duration::from_micros(WALL.unsigned_abs()) + Duration::from_millis(millis);
        Drained { began: start + Duration::from_millis(millis), wall: UNIX_EPOCH + wall, has_more }
    }

    #[test]
    fn it_stands_still_while_something_is_not_read() {
        let start = Instant::now();
        let mut mark = Watermark::new(Visibility::Marked, false, Duration::from_secs(10));
        assert_eq!(mark.us(), None);
        mark.drained(look(start, 0, false), false);
        assert_eq!(mark.us(), Some(WALL - 200_000));
        mark.drained(look(start, 100, true), false);
        mark.drained(look(start, 300, true), false);
        assert_eq!(mark.us(), Some(WALL + 100_000), "a marker comes within 200 ms");
        mark.drained(look(start, 301, true), false);
        assert_eq!(mark.us(), Some(WALL + 100_000), "none came");
        mark.drained(look(start, 400, false), true);
        assert_eq!(mark.us(), Some(WALL + 100_000), "a mutation is parked");
        mark.drained(look(start, 500, false), false);
        assert_eq!(mark.us(), Some(WALL + 300_000));
        mark.drained(look(start, 450, false), false);
        assert_eq!(mark.us(), Some(WALL + 300_000), "it never goes back");
    }

    #[test]
    fn what_comes_with_a_sync_may_be_a_period_behind() {
        let start = Instant::now();
        for (visibility, is_stored) in [(Visibility::Synced, false), (Visibility::Marked, true)] {
            let mut mark = Watermark::new(visibility, is_stored, Duration::from_secs(10));
            mark.drained(look(start, 0, false), false);
            assert_eq!(mark.us(), Some(WALL - 10_000_000));
        }
    }
}
