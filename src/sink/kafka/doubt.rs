//! Requests for a transactional id that may reach the broker late.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A request is not on its way for longer.
const LATE: Duration = Duration::from_secs(60);

/// Requests for transactional ids whose connection broke. librdkafka sends them again; the first one may reach the broker
/// after that, and then fences the producer that sent it.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubts(Arc<Mutex<Vec<Instant>>>);

impl Doubts {
    /// One more.
    pub(super) fn add(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    }

    /// Whether one of them may have fenced a producer; each fences one only, and is forgotten then. So of two agents that
    /// take the ids from each other, both over bad connections, one gives up in the end.
    pub(super) fn take(&self) -> bool {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.retain(|since| since.elapsed() < LATE);
        requests.pop().is_some()
    }
}
