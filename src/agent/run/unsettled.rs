//! When a schema that the node told takes the place of the one that the log led to.

use std::time::Instant;

/// A schema that the node told, until the log is read as far as the node had written it when it answered.
///
/// Before that it can be newer than the place that is read; and one that was asked for before a change that the log has
/// told of meanwhile is older. Either would have mutations read under another schema than they were written under: such
/// of a table whose `cdc` is false are left out for good.
#[derive(Debug)]
pub(super) struct Unsettled<S> {
    /// The log has told of a change since the last request began.
    is_overtaken: bool,
    /// When the node answered, and what.
    waiting: Option<(Instant, S)>,
}

impl<S> Default for Unsettled<S> {
    fn default() -> Self {
        Self { is_overtaken: false, waiting: None }
    }
}

impl<S> Unsettled<S> {
    /// The node is asked.
    pub(super) fn asked(&mut self) {
        self.is_overtaken = false;
    }

    /// The log told of a change.
    pub(super) fn logged(&mut self) {
        self.is_overtaken = true;
        self.waiting = None;
    }

    /// The node answered. When a change came between, it is to be asked again.
    pub(super) fn answered(&mut self, now: Instant, schema: S) {
        self.waiting = (!self.is_overtaken).then_some((now, schema));
    }

    /// The schema that can be taken over as a whole. `read_since`: all that was logged before it is read.
    pub(super) fn settled(&mut self, read_since: Option<Instant>) -> Option<S> {
        let is_read = |(answered, _): &mut (Instant, S)| read_since.is_some_and(|since| since > *answered);
        self.waiting.take_if(is_read).map(|(_, schema)| schema)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_asked_for_before_a_change_in_the_log_is_not_taken_over() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut unsettled = Unsettled::default();
        unsettled.asked();
        unsettled.answered(at(10), "one");
        assert_eq!(unsettled.settled(None), None);
        assert_eq!(unsettled.settled(Some(at(9))), None, "it may be newer than what is read");
        assert_eq!(unsettled.settled(Some(at(11))), Some("one"));
        assert_eq!(unsettled.settled(Some(at(12))), None, "once");
        unsettled.asked();
        unsettled.logged();
        unsettled.answered(at(30), "older than the log");
        assert_eq!(unsettled.settled(Some(at(40))), None);
        unsettled.asked();
        unsettled.answered(at(50), "two");
        unsettled.logged();
        assert_eq!(unsettled.settled(Some(at(60))), None, "the log went on since");
        unsettled.asked();
        unsettled.answered(at(70), "three");
        assert_eq!(unsettled.settled(Some(at(80))), Some("three"));
    }
}
