//! What happened in each of the last seconds, for small plots and rates.

use std::collections::VecDeque;
use std::time::Duration;

/// One number for each of the last seconds.
#[derive(Debug, Clone)]
pub(super) struct Seconds {
    /// Number of the second that stands last in `values`, by the steady clock.
    newest: u64,
    values: VecDeque<u64>,
    length: usize,
}

impl Seconds {
    /// Keeps the last `length` seconds.
    pub(super) fn new(length: usize) -> Self {
        Self { newest: 0, values: VecDeque::with_capacity(length), length }
    }

    /// Adds to the second of `now`.
    pub(super) fn add(&mut self, now: Duration, amount: u64) {
        if let Some(value) = self.at(now) {
            *value = value.saturating_add(amount);
        }
    }

    /// Keeps the greatest number of the second of `now`.
    pub(super) fn highest(&mut self, now: Duration, amount: u64) {
        if let Some(value) = self.at(now) {
            *value = (*value).max(amount);
        }
    }

    fn at(&mut self, now: Duration) -> Option<&mut u64> {
        self.advance(now.as_secs());
        self.values.back_mut()
    }

    fn advance(&mut self, second: u64) {
        if self.values.is_empty() {
            self.newest = second;
            self.values.push_back(0);
        }
        let behind = usize::try_from(second.saturating_sub(self.newest)).unwrap_or(usize::MAX);
        for _ in 0..behind.min(self.length) {
            self.values.push_back(0);
        }
        self.newest = self.newest.max(second);
        while self.values.len() > self.length {
            self.values.pop_front();
        }
    }

    /// The numbers, the oldest first; the second of `now`, which is not over, is left out.
    pub(super) fn whole(&self, now: Duration) -> Vec<u64> {
        let mut copy = self.clone();
        copy.advance(now.as_secs());
        copy.values.pop_back();
        copy.values.into()
    }

    /// Mean a second over the last `over` whole seconds, or fewer where not so many are known.
    pub(super) fn rate(&self, now: Duration, over: usize) -> f64 {
        let values = self.whole(now);
        let last: Vec<u64> = values.iter().rev().take(over).copied().collect();
        let sum = last.iter().fold(0, |sum: u64, value| sum.saturating_add(*value));
        let seconds = u32::try_from(last.len()).unwrap_or(u32::MAX).max(1);
        to_float(sum) / f64::from(seconds)
    }
}

/// The number as a float; above 2^53 the nearest one.
pub(crate) fn to_float(number: u64) -> f64 {
    let low = u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0);
    let high = u32::try_from(number >> 32).unwrap_or(0);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn seconds_without_news_are_zero_and_old_ones_fall_out() {
        let mut seconds = Seconds::new(4);
        seconds.add(at(10_000), 1);
        seconds.add(at(10_999), 2);
        seconds.add(at(12_500), 5);
        assert_eq!(seconds.whole(at(12_900)), [3, 0], "the second that is not over is left out");
        assert_eq!(seconds.whole(at(13_000)), [3, 0, 5]);
        assert_eq!(seconds.whole(at(14_000)), [0, 5, 0]);
        assert_eq!(seconds.whole(at(9_000_000)), [0, 0, 0]);
    }

    #[test]
    fn a_rate_is_the_mean_of_whole_seconds() {
        let mut seconds = Seconds::new(60);
        for second in 0..20 {
            seconds.add(at(second * 1000), 100);
        }
        seconds.add(at(20_000), 7);
        assert!((seconds.rate(at(20_500), 10) - 100.0).abs() < 1e-9);
        assert!((seconds.rate(at(25_500), 10) - (5.0 * 100.0 + 7.0) / 10.0).abs() < 1e-9);
        assert!((Seconds::new(60).rate(at(5000), 10)).abs() < 1e-9);
    }

    #[test]
    fn large_numbers_become_floats() {
        assert!((to_float(5_000_000_000) - 5e9).abs() < 1e-3);
        assert!((to_float(u64::MAX) - 18_446_744_073_709_551_615.0).abs() < 1.0);
    }

    #[test]
    fn the_highest_of_a_second_stays() {
        let mut seconds = Seconds::new(4);
        seconds.highest(at(100), 5);
        seconds.highest(at(200), 3);
        assert_eq!(seconds.whole(at(1000)), [5]);
    }
}
