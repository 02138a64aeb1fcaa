//! Topics that were deleted while no agent ran.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;

use crate::sink::SinkError;

use super::topics::{Topics, counts};

/// A broker that has just started may not know all topics, or where they end, yet: it is asked again after this time.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });
/// How long to wait for the ends of all partitions: one without a leader does not keep the agent from starting.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

impl Topics {
    /// Topics of this prefix in which something was committed, and which are not there any more, or were made anew by somebody
    /// else: nothing was ever written to them. Of one that is missing where the agent makes none nothing is
    /// said: that it is missing is said when it is needed, and that it is new when somebody has made it.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub(super) fn lost(&self) -> Result<Vec<String>, SinkError> {
        let mut lost = self.look_for_lost()?;
        if !lost.is_empty() {
            thread::sleep(ASKED_AGAIN_AFTER);
            let still = self.look_for_lost()?;
            lost.retain(|topic| still.contains(topic));
        }
        Ok(lost)
    }

    /// What was committed in this topic is gone with it.
    pub(super) fn forget_written(&mut self, topic: &str) {
        self.kept.lost(topic);
        self.keep_partitions();
    }

    fn look_for_lost(&self) -> Result<Vec<String>, SinkError> {
        let own = format!("{}.", self.options.prefix);
        let written: Vec<&str> = self.kept.written().filter(|topic| topic.starts_with(&own)).collect();
        if written.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.metadata(None)?;
        let (counts, until) = (counts(&found), Instant::now() + ENDS_WITHIN);
        let mut lost = Vec::new();
        for topic in written {
            let is_lost = match counts.get(topic) {
                Some(partitions) => self.is_empty(topic, *partitions, until),
                None => self.options.topics.create && self.is_missing(topic)?,
            };
            if is_lost {
                lost.push(topic.to_owned());
            }
        }
        Ok(lost)
    }

    /// Whether a topic that is not among all topics is not there. Brokers leave those out that this user may not see.
    fn is_missing(&self, topic: &str) -> Result<bool, SinkError> {
        match self.count(topic) {
            Ok(found) => Ok(found.is_none()),
            Err(SinkError::Forbidden { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether nothing was ever written to a topic: what is deleted because of its age does not bring its end back to 0. Of one
    /// whose end brokers do not tell it is not said.
    fn is_empty(&self, topic: &str, partitions: u32, until: Instant) -> bool {
        (0..partitions).all(|partition| {
            let partition = i32::try_from(partition).unwrap_or(i32::MAX);
            let left = until.saturating_duration_since(Instant::now());
            !left.is_zero() && matches!(self.reader().fetch_watermarks(topic, partition, left), Ok((_, 0)))
        })
    }
}
