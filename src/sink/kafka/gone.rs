//! Topics that are deleted, while the agent writes them or while none runs: what stood in them is lost, and that is told.

use std::collections::BTreeSet;

use crate::sink::SinkError;

use super::KafkaSink;
use super::notice::Notice;

/// Topics that this program has found or made to send records to. One of them that is not known any more was deleted.
#[derive(Debug, Default)]
pub(super) struct Used(BTreeSet<Box<str>>);

impl Used {
    /// Records go to this topic.
    pub(super) fn add(&mut self, topic: &str) {
        self.0.insert(Box::from(topic));
    }

    /// Those that are not there any more, once.
    fn take_gone(&mut self, is_there: impl Fn(&str) -> bool) -> BTreeSet<Box<str>> {
        let (there, gone) = std::mem::take(&mut self.0).into_iter().partition(|topic| is_there(topic));
        self.0 = there;
        gone
    }
}

impl KafkaSink {
    /// Tells of topics that were deleted, after a look at which are there. They are made again when they are needed.
    pub(super) fn tell_of_gone_topics(&mut self) {
        for topic in self.used.take_gone(|topic| self.topics.has(topic)) {
            self.tell_gone(topic.into());
        }
    }

    /// Tells of topics that agents of this state directory wrote, and that were deleted while none ran: once. They are made
    /// again when they are needed. For an agent that begins to run, before it sends anything.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn tell_of_lost_topics(&mut self) -> Result<(), SinkError> {
        for topic in self.topics.lost()? {
            self.tell_gone(topic);
        }
        Ok(())
    }

    fn tell_gone(&mut self, topic: String) {
        self.topics.forget_written(&topic);
        let committed_to = self.committed.open().last().map(|position| position.to_string());
        self.options
            .observer
            .tell(&Notice::TopicGone { topic, committed_to: committed_to.unwrap_or_default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_gone_once() {
        let mut used = Used::default();
        for topic in ["a", "b", "a"] {
            used.add(topic);
        }
        assert!(used.take_gone(|_| true).is_empty());
        assert_eq!(used.take_gone(|topic| topic == "b"), BTreeSet::from(["a".into()]));
        assert!(used.take_gone(|topic| topic == "b").is_empty());
        used.add("a");
        assert_eq!(used.take_gone(|_| false), BTreeSet::from(["a".into(), "b".into()]));
    }
}
