//! Whether the node puts its changes into `cdc_raw` at all (`cdc_enabled` of cassandra.yaml, which it reads at its start).
//!
//! While it does not, segments are missing that nobody can name, and ids look as after a long stop: only the node can tell.

use std::collections::BTreeMap;

use crate::schema::source::{CqlError, CqlSource, Pending};

const NAME: &str = "cdc_enabled";

type Settings = BTreeMap<String, String>;

/// What the node says of it. Nodes that do not tell (a role without the permission, no `system_views`) count as on.
#[derive(Debug, Default)]
pub(super) struct NodeCdc {
    request: Option<Pending<Settings>>,
    is_off: bool,
    /// Since this was taken last, it was switched.
    is_news: bool,
}

impl NodeCdc {
    /// Asks the node, unless it is asked already.
    pub(super) fn ask(&mut self, source: &CqlSource) {
        if self.request.is_none() {
            self.request = Some(source.start_settings(Some(NAME)));
        }
    }

    /// Takes the answer, if it is there.
    pub(super) fn tend(&mut self) {
        if let Some(answer) = self.request.as_ref().and_then(Pending::poll) {
            self.request = None;
            self.answered(&answer);
        }
    }

    fn answered(&mut self, answer: &Result<Settings, CqlError>) {
        let value = answer.as_ref().ok().and_then(|settings| settings.get(NAME));
        let is_on: Option<bool> = value.and_then(|value| value.parse().ok());
        // No answer is no news: the node may be away, and come back as it was.
        if let Some(is_on) = is_on {
            self.is_news |= self.is_off == is_on;
            self.is_off = !is_on;
        }
    }

    /// Whether nothing is put into `cdc_raw`.
    pub(super) const fn is_off(&self) -> bool {
        self.is_off
    }

    /// Whether it was switched since the last call.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_node_says_is_news() {
        let mut cdc = NodeCdc::default();
        let mut said = |value: Option<&str>| {
            cdc.answered(&Ok(value.map(|value| (NAME.to_owned(), value.to_owned())).into_iter().collect()));
            (cdc.take_news(), cdc.is_off())
        };
        assert_eq!(said(Some("true")), (false, false));
        assert_eq!(said(Some("false")), (true, true));
        assert_eq!(said(None), (false, true), "it does not tell");
        assert_eq!(said(Some("?")), (false, true));
        assert_eq!(said(Some("false")), (false, true));
        assert_eq!(said(Some("true")), (true, false));
    }
}
