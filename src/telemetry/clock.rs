//! The time, as one thing to ask for, so that tests can say what it is.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since an origin of the clock's own; never goes back.
    pub steady: Duration,
    /// Microseconds since 1970.
    pub wall_us: u64,
}

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The moment of the call.
    fn now(&self) -> Moment;
}

/// The system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment {
            steady: self.origin.elapsed(),
            wall_us: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// A clock that stands still until it is moved: for tests.
#[derive(Debug)]
pub struct SetClock(Mutex<Moment>);

impl SetClock {
    /// A clock whose wall shows `wall_us`.
    #[must_use]
    pub fn at(wall_us: u64) -> Self {
        Self(Mutex::new(Moment { steady: Duration::ZERO, wall_us }))
    }

    /// Lets `time` pass.
    pub fn pass(&self, time: Duration) {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moment.steady = moment.steady.saturating_add(time);
        moment.wall_us = moment.wall_us.saturating_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }
}

impl Clock for SetClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
