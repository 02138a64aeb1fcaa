//! When to ask the node for its schema. Pure: the caller brings the time.
//!
//! A hint is answered by a fetch that *began* after it; a fetch under way when a hint comes may have missed the cause.

use std::time::{Duration, Instant};

/// Times between requests to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshLimits {
    /// At least this long from the beginning of one fetch to that of the next.
    pub min_interval: Duration,
    /// Between two looks at the schema's version when there are no hints.
    pub poll_interval: Duration,
    /// Wait after a first failure; it doubles with each further one.
    pub first_back_off: Duration,
    /// Longest wait after a failure.
    pub max_back_off: Duration,
}

impl Default for RefreshLimits {
    /// 500 ms, 10 s, 500 ms, 30 s.
    fn default() -> Self {
        Self {
            min_interval: Duration::from_millis(500),
            poll_interval: Duration::from_secs(10),
            first_back_off: Duration::from_millis(500),
            max_back_off: Duration::from_secs(30),
        }
    }
}

/// What to ask the node for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The schema: [`Refresh::began`] with this, then [`Refresh::fetched`] or [`Refresh::failed`].
    Fetch,
    /// Its version only: [`Refresh::began`] with this, then [`Refresh::polled`] or [`Refresh::failed`].
    Poll,
    /// Nothing before this moment, unless a hint comes.
    NotBefore(Instant),
    /// Nothing: a request is under way.
    UnderWay,
}

/// Decides when to ask the node for its schema. One request is under way at a time.
#[derive(Debug, Clone)]
pub struct Refresh {
    limits: RefreshLimits,
    /// There is a hint that came after the last fetch began.
    wanted: bool,
    /// The request under way: when it began, and whether it is a fetch.
    under_way: Option<(Instant, bool)>,
    last_fetch_began: Option<Instant>,
    /// The newest fetch that succeeded: when it began.
    fresh_from: Option<Instant>,
    /// When the node last answered.
    answered: Option<Instant>,
    failures: u32,
    /// After a failure.
    not_before: Option<Instant>,
    version: Option<String>,
}

impl Refresh {
    /// A policy that wants a first fetch at once.
    #[must_use]
    pub const fn new(limits: RefreshLimits) -> Self {
        Self {
            limits,
            wanted: true,
            under_way: None,
            last_fetch_began: None,
            fresh_from: None,
            answered: None,
            failures: 0,
            not_before: None,
            version: None,
        }
    }

    /// Something was read that asks for a newer schema: an unknown table id or column, a schema change, a doubtful
    /// effect.
    pub const fn hint(&mut self) {
        self.wanted = true;
    }

    /// What to do at `now`.
    #[must_use]
    pub fn due(&self, now: Instant) -> Due {
        if self.under_way.is_some() {
            return Due::UnderWay;
        }
        let (due, at) = if self.wanted {
            (Due::Fetch, self.last_fetch_began.map(|began| began + self.limits.min_interval))
        } else {
            (Due::Poll, self.answered.map(|answered| answered + self.limits.poll_interval))
        };
        match at.max(self.not_before).filter(|at| *at > now) {
            Some(at) => Due::NotBefore(at),
            None => due,
        }
    }

    /// A request begins; `due` is what [`Self::due`] said.
    pub fn began(&mut self, due: Due, now: Instant) {
        let is_fetch = due == Due::Fetch;
        self.under_way = Some((now, is_fetch));
        if is_fetch {
            self.last_fetch_began = Some(now);
            self.wanted = false;
        }
    }

    /// The fetch succeeded, with that version of the schema.
    pub fn fetched(&mut self, schema_version: &str, now: Instant) {
        let began = self.answer(now);
        self.fresh_from = self.fresh_from.max(began);
        self.version = Some(schema_version.to_owned());
    }

    /// The poll succeeded; another version than the fetched one is a hint. Whether it is the same.
    pub fn polled(&mut self, schema_version: &str, now: Instant) -> bool {
        self.answer(now);
        let same = self.version.as_deref() == Some(schema_version);
        if !same {
            self.hint();
        }
        same
    }

    fn answer(&mut self, now: Instant) -> Option<Instant> {
        self.answered = Some(now);
        self.failures = 0;
        self.not_before = None;
        self.under_way.take().map(|(began, _)| began)
    }

    /// The request failed. The next one waits, longer after each failure; what was hinted at is still wanted.
    pub fn failed(&mut self, now: Instant) {
        self.wanted |= self.under_way.take().is_some_and(|(_, is_fetch)| is_fetch);
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let wait = self.limits.first_back_off.saturating_mul(doubled).min(self.limits.max_back_off);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.checked_add(wait);
    }

    /// Whether a fetch that began after `moment` succeeded. An id read at `moment` that is still unknown then belongs
    /// to a table that was dropped.
    #[must_use]
    pub fn is_younger_than(&self, moment: Instant) -> bool {
        self.fresh_from.is_some_and(|began| began > moment)
    }

    /// Failures since the node last answered.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RefreshLimits = RefreshLimits {
        min_interval: Duration::from_millis(500),
        poll_interval: Duration::from_secs(10),
        first_back_off: Duration::from_millis(500),
        max_back_off: Duration::from_secs(3),
    };

    /// A policy that fetched at `start`, and moments after it in milliseconds.
    fn fetched() -> (Refresh, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let at = move |ms| start + Duration::from_millis(ms);
        let mut refresh = Refresh::new(LIMITS);
        assert_eq!(refresh.due(at(0)), Due::Fetch);
        refresh.began(Due::Fetch, at(0));
        refresh.fetched("v1", at(40));
        (refresh, at)
    }

    #[test]
    fn without_hints_the_version_is_polled() {
        let (mut refresh, at) = fetched();
        assert_eq!(refresh.due(at(41)), Due::NotBefore(at(10_040)));
        assert_eq!(refresh.due(at(10_040)), Due::Poll);
        refresh.began(Due::Poll, at(10_040));
        assert_eq!(refresh.due(at(10_041)), Due::UnderWay);
        assert!(refresh.polled("v1", at(10_050)));
        assert_eq!(refresh.due(at(10_051)), Due::NotBefore(at(20_050)));
        refresh.began(Due::Poll, at(20_050));
        assert!(!refresh.polled("v2", at(20_060)));
        assert_eq!(refresh.due(at(20_060)), Due::Fetch);
    }

    #[test]
    fn hints_are_answered_together_and_not_too_often() {
        let (mut refresh, at) = fetched();
        refresh.hint();
        refresh.hint();
        assert_eq!(refresh.due(at(100)), Due::NotBefore(at(500)));
        assert_eq!(refresh.due(at(500)), Due::Fetch);
        refresh.began(Due::Fetch, at(500));
        refresh.fetched("v2", at(510));
        assert_eq!(refresh.due(at(511)), Due::NotBefore(at(10_510)));
    }

    #[test]
    fn a_hint_during_a_fetch_asks_for_one_more() {
        let (mut refresh, at) = fetched();
        refresh.hint();
        refresh.began(Due::Fetch, at(600));
        refresh.hint();
        refresh.fetched("v2", at(640));
        assert_eq!(refresh.due(at(640)), Due::NotBefore(at(1_100)));
        assert!(refresh.is_younger_than(at(599)) && !refresh.is_younger_than(at(600)));
    }

    #[test]
    fn failures_back_off_and_forget_no_hint() {
        let (mut refresh, at) = fetched();
        refresh.hint();
        let mut now = 1_000;
        for wait in [500, 1_000, 2_000, 3_000, 3_000] {
            assert_eq!(refresh.due(at(now)), Due::Fetch);
            refresh.began(Due::Fetch, at(now));
            refresh.failed(at(now));
            refresh.hint();
            assert_eq!(refresh.due(at(now)), Due::NotBefore(at(now + wait)));
            now += wait;
        }
        assert_eq!(refresh.failures(), 5);
        assert!(!refresh.is_younger_than(at(0)), "none of them succeeded");
        refresh.began(Due::Fetch, at(now));
        refresh.fetched("v2", at(now + 1));
        assert_eq!(refresh.failures(), 0);
        assert_eq!(refresh.due(at(now + 1)), Due::NotBefore(at(now + 10_001)));
        assert!(refresh.is_younger_than(at(1_000)));
    }

    #[test]
    fn a_failed_poll_is_no_hint() {
        let (mut refresh, at) = fetched();
        refresh.began(Due::Poll, at(11_000));
        refresh.failed(at(11_000));
        assert_eq!(refresh.due(at(11_500)), Due::Poll);
    }
}
