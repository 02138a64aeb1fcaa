//! How long to wait until the next look at a growing segment.
//!
//! What Cassandra writes into a memory-mapped segment makes no notification, so it is looked for: often while it comes, and
//! less often when nothing came for a while.

use std::time::{Duration, Instant};

use crate::envelope::Visibility;

/// A pause counts as one after so long.
const QUIET_AFTER: Duration = Duration::from_millis(500);

/// The pauses between looks.
#[derive(Debug, Clone)]
pub struct Pace {
    busy: Duration,
    quiet: Duration,
    news: Instant,
}

impl Pace {
    /// `has_notifications`: indexes that are written wake up ([`Watch::problem`](super::watch::Watch::problem)).
    #[must_use]
    pub fn new(
        visibility: Visibility,
        comes_with_syncs: bool,
        has_notifications: bool,
        now: Instant,
    ) -> Self {
        let (busy, quiet) = match visibility {
            // A section, or an index that says more, comes with each sync.
            Visibility::Synced if has_notifications => (100, 1000),
            Visibility::Synced => (20, 100),
            _ if comes_with_syncs => (5, 20),
            // A marker comes every 100 ms, and a look at where it will be costs microseconds.
            Visibility::Marked => (1, 20),
            Visibility::Written => (1, 4),
        };
        Self { busy: Duration::from_millis(busy), quiet: Duration::from_millis(quiet), news: now }
    }

    /// Something new was found.
    pub fn news(&mut self, now: Instant) {
        self.news = now;
    }

    /// How long to wait now.
    #[must_use]
    pub fn pause(&self, now: Instant) -> Duration {
        let is_quiet = now.saturating_duration_since(self.news) >= QUIET_AFTER;
        if is_quiet { self.quiet } else { self.busy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_rare_when_nothing_comes() {
        let start = Instant::now();
        let mut pace = Pace::new(Visibility::Written, false, true, start);
        let pause = |pace: &Pace, millis| pace.pause(start + Duration::from_millis(millis)).as_millis();
        assert_eq!([pause(&pace, 0), pause(&pace, 499), pause(&pace, 500)], [1, 1, 4]);
        pace.news(start + Duration::from_secs(1));
        assert_eq!([pause(&pace, 1000), pause(&pace, 1499), pause(&pace, 1500)], [1, 1, 4]);
        for visibility in [Visibility::Synced, Visibility::Marked, Visibility::Written] {
            for (comes_with_syncs, has_notifications) in
                [(true, true), (true, false), (false, true), (false, false)]
            {
                let pace = Pace::new(visibility, comes_with_syncs, has_notifications, start);
                assert!(pause(&pace, 0) < pause(&pace, 1000) && pause(&pace, 1000) <= 1000);
            }
        }
    }
}
