//! Refusals of the node at the start that may pass by themselves.

use std::time::{Duration, Instant};

use super::stop::Stop;
use crate::agent::log;
use crate::schema::source::CqlError;

/// So long a node is asked again that refuses the login, the connection by TLS, or a table.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between attempts.
const PAUSE: Duration = Duration::from_secs(2);
/// That it refuses is told so often.
const TOLD_EVERY: Duration = Duration::from_secs(30);

/// Since when the node refuses, and when that was told last.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    since: Option<Instant>,
    told: Option<Instant>,
}

impl Refusals {
    /// Asks until the answer is none that may pass, for some minutes at most, or the agent is to stop.
    pub(super) fn wait<T>(
        &mut self,
        stop: &Stop,
        mut ask: impl FnMut() -> Result<T, CqlError>,
    ) -> Result<T, CqlError> {
        loop {
            let answer = ask();
            match &answer {
                Err(error) if error.may_pass() && !stop.is_asked() => {
                    if !self.is_patient(error, Instant::now()) {
                        return answer;
                    }
                    stop.sleep(PAUSE);
                }
                _ => return answer,
            }
        }
    }

    /// Whether to ask again; tells that this is done.
    fn is_patient(&mut self, error: &CqlError, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let left = PATIENCE.saturating_sub(now.saturating_duration_since(since));
        if left.is_zero() {
            return false;
        }
        let is_due = |told: Instant| now.saturating_duration_since(told) >= TOLD_EVERY;
        if self.told.is_none_or(is_due) {
            self.told = Some(now);
            log::warn(&format!(
                "the node refuses; one that has just started does that for a while, so it is asked again for {} s: {error}",
                left.as_secs()
            ));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> CqlError {
        CqlError::Authentication { address: "n:9042".to_owned(), reason: "Unable to load roles".to_owned() }
    }

    #[test]
    fn a_refusal_is_waited_out_for_some_minutes() {
        let (mut refusals, began) = (Refusals::default(), Instant::now());
        for (seconds, expected) in [(0, true), (2, true), (299, true), (300, false), (400, false)] {
            let is_patient = refusals.is_patient(&refused(), began + Duration::from_secs(seconds));
            assert_eq!(is_patient, expected, "{seconds}");
        }
    }

    #[test]
    fn what_does_not_pass_and_whoever_stops_does_not_wait() {
        let (mut refusals, stop) = (Refusals::default(), Stop::never());
        let mut asked = 0;
        let answer = refusals.wait(&stop, || {
            asked += 1;
            if asked == 1 { Err(refused()) } else { Ok(asked) }
        });
        assert_eq!(answer.unwrap(), 2);
        let settings = || CqlError::Ended { address: "n:9042".to_owned() };
        assert!(refusals.wait::<()>(&stop, || Err(settings())).is_err());
        stop.ask_stop();
        assert!(refusals.wait::<()>(&stop, || Err(refused())).is_err());
    }
}
