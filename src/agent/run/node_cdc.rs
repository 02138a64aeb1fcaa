//! Whether the node puts its changes into `cdc_raw` at all (`cdc_enabled` of cassandra.yaml, which it reads at its start).
//!
//! While it does not, segments are missing that nobody can name, and ids look as after a long stop: only the node can tell.

use serde_json::Value;

use crate::schema::source::{CqlError, CqlSource, Pending};

/// What the node says of it. Nodes that do not tell (a role without the permission, no `system_views`) count as on.
#[derive(Debug, Default)]
pub(super) struct NodeCdc {
    request: Option<Pending<Vec<String>>>,
    is_off: bool,
    /// Since this was taken last, it was switched.
    is_news: bool,
}

impl NodeCdc {
    /// Asks the node, unless it is asked already.
    pub(super) fn ask(&mut self, source: &CqlSource) {
        if self.request.is_none() {
            let query = "SELECT JSON value FROM system_views.settings WHERE name = 'cdc_enabled'".to_owned();
            self.request = Some(source.start_rows(query, "system_views.settings"));
        }
    }

    /// Takes the answer, if it is there.
    pub(super) fn tend(&mut self) {
        if let Some(answer) = self.request.as_ref().and_then(Pending::poll) {
            self.request = None;
            self.answered(&answer);
        }
    }

    fn answered(&mut self, answer: &Result<Vec<String>, CqlError>) {
        let value =
            |row: &String| serde_json::from_str::<Value>(row).ok()?.get("value")?.as_str()?.parse().ok();
        let is_on: Option<bool> = answer.as_ref().ok().and_then(|rows| rows.first()).and_then(value);
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
        let mut said = |row: &[&str]| {
            cdc.answered(&Ok(row.iter().map(|&row| row.to_owned()).collect()));
            (cdc.take_news(), cdc.is_off())
        };
        assert_eq!(said(&[r#"{"value": "true"}"#]), (false, false));
        assert_eq!(said(&[r#"{"value": "false"}"#]), (true, true));
        assert_eq!(said(&[]), (false, true), "it does not tell");
        assert_eq!(said(&[r#"{"value": null}"#]), (false, true));
        assert_eq!(said(&[r#"{"value": "false"}"#]), (false, true));
        assert_eq!(said(&[r#"{"value": "true"}"#]), (true, false));
    }
}
