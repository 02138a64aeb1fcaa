//! Whether the node puts its changes into `cdc_raw` at all (`cdc_enabled` of cassandra.yaml, which it reads at its start).
//!
//! While it does not, segments are missing that nobody can name, and ids look as after a long stop: only the node can tell.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::agent::log;
use crate::schema::source::{CqlError, CqlSource, Pending};

const NAME: &str = "cdc_enabled";

type Settings = BTreeMap<String, String>;

/// Between two questions. A restart takes longer, so none is between two answers.
const PAUSE: Duration = Duration::from_secs(2);
/// While the node is away: it may run for a moment only, and what it wrote then nobody knows later.
const PAUSE_AWAY: Duration = Duration::from_millis(500);
/// A node that does not tell.
const PAUSE_REFUSED: Duration = Duration::from_secs(60);

/// What the node says of it. Nodes that do not tell (a role without the permission, no `system_views`) count as on.
#[derive(Debug, Default)]
pub(super) struct NodeCdc {
    request: Option<Pending<Settings>>,
    /// It is not asked again before.
    not_before: Option<Instant>,
    is_off: bool,
    /// Since this was taken last, it was switched.
    is_news: bool,
    /// It was said that the node does not tell.
    is_warned: bool,
}

impl NodeCdc {
    /// Asks the node when it is time to, and takes its answer.
    pub(super) fn tend(&mut self, source: &CqlSource, now: Instant) {
        if let Some(answer) = self.request.as_ref().and_then(Pending::poll) {
            self.request = None;
            self.not_before = now.checked_add(pause(&answer));
            if let Some(reason) = self.untold(&answer) {
                log::warn(&format!(
                    "whether the node has CDC switched on cannot be asked ({reason}): should it be switched off, low \
                     watermarks go on over what is not in cdc_raw. Grant SELECT on system_views.settings to the agent's role"
                ));
            }
            self.answered(&answer);
        }
        if self.request.is_none() && self.not_before.is_none_or(|moment| moment <= now) {
            self.request = Some(source.start_settings(Some(NAME)));
        }
    }

    /// Why the node does not tell, once. That it is away is told elsewhere.
    fn untold(&mut self, answer: &Result<Settings, CqlError>) -> Option<String> {
        let reason = match answer {
            Err(error) if !error.is_transient() => error.to_string(),
            Ok(settings) if !settings.contains_key(NAME) => "it has no such setting".to_owned(),
            _ => return None,
        };
        (!std::mem::replace(&mut self.is_warned, true)).then_some(reason)
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

/// How long to wait behind an answer.
fn pause(answer: &Result<Settings, CqlError>) -> Duration {
    match answer {
        Ok(_) | Err(CqlError::Timeout { .. }) => PAUSE,
        Err(CqlError::Unreachable { .. }) => PAUSE_AWAY,
        Err(_) => PAUSE_REFUSED,
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

    #[test]
    fn that_it_cannot_be_asked_is_said_once() {
        let (address, table) = ("n:9042".to_owned(), "system_views.settings");
        let refused =
            Err(CqlError::Unauthorized { address: address.clone(), table, reason: "no".to_owned() });
        let away = Err(CqlError::Unreachable { address, reason: "no".to_owned() });
        let told = Ok(Settings::from([(NAME.to_owned(), "true".to_owned())]));
        let mut cdc = NodeCdc::default();
        assert_eq!((cdc.untold(&away), cdc.untold(&told)), (None, None));
        assert!(cdc.untold(&refused).is_some_and(|reason| reason.contains("grant SELECT")));
        assert_eq!(cdc.untold(&refused), None);
        assert!(NodeCdc::default().untold(&Ok(Settings::new())).is_some());
    }
}
