//! What was made, in the words of the jobs' counters (docs/jobs.md).

use serde_json::{Map, Value, json};

use crate::jobs::rules::{Severity, TableRules};

/// How many records there are, and which rules they break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    rules_version: String,
    valid: u64,
    warned: u64,
    invalid: u64,
    /// Rule, severity, records that broke it; in the order of the rules.
    by_rule: Vec<(String, Severity, u64)>,
    not_broken: Vec<String>,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
}

impl Summary {
    pub(super) fn new(rules: &TableRules) -> Self {
        let by_rule = rules.rules.iter().map(|rule| (rule.id.clone(), rule.severity, 0)).collect();
        Self {
            rules_version: rules.rules_version.clone(),
            valid: 0,
            warned: 0,
            invalid: 0,
            by_rule,
            not_broken: Vec::new(),
            first_ms: None,
            last_ms: None,
        }
    }

    pub(super) fn valid(&mut self, warnings: &[&str], timestamp_ms: i64) {
        self.valid += 1;
        self.warned += u64::from(!warnings.is_empty());
        self.broke(warnings, timestamp_ms);
    }

    pub(super) fn invalid(&mut self, failed: &[&str], warnings: &[&str], timestamp_ms: i64) {
        self.invalid += 1;
        self.broke(failed, timestamp_ms);
        self.broke(warnings, timestamp_ms);
    }

    fn broke(&mut self, ids: &[&str], timestamp_ms: i64) {
        self.first_ms.get_or_insert(timestamp_ms);
        self.last_ms = Some(timestamp_ms);
        for (id, _, count) in &mut self.by_rule {
            *count += u64::from(ids.contains(&id.as_str()));
        }
    }

    pub(super) fn not_broken(&mut self, id: &str) {
        if !self.not_broken.iter().any(|known| known == id) {
            self.not_broken.push(id.to_owned());
        }
    }

    /// Records.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.valid + self.invalid
    }

    /// Records that break no rule of severity `fail`.
    #[must_use]
    pub fn valid_count(&self) -> u64 {
        self.valid
    }

    /// Records that break one.
    #[must_use]
    pub fn invalid_count(&self) -> u64 {
        self.invalid
    }

    /// Rules that no record was found for.
    #[must_use]
    pub fn rules_not_broken(&self) -> &[String] {
        &self.not_broken
    }

    /// Rules of this severity and how many records broke each, in the order of the rules.
    pub fn by_rule(&self, severity: Severity) -> impl Iterator<Item = (&str, u64)> {
        self.by_rule
            .iter()
            .filter(move |(_, own, _)| *own == severity)
            .map(|(id, _, count)| (id.as_str(), *count))
    }

    /// The summary as JSON; `by_rule` as in `dq_metrics_invalid`.
    #[must_use]
    pub fn json(&self) -> Value {
        let of = |severity| -> Map<String, Value> {
            self.by_rule(severity).map(|(id, count)| (id.to_owned(), count.into())).collect()
        };
        json!({
            "valid_count": self.valid,
            "warned_count": self.warned,
            "invalid_count": self.invalid,
            "total_count": self.total(),
            "by_rule": of(Severity::Fail),
            "warned_by_rule": of(Severity::Warn),
            "not_broken": self.not_broken,
            "first_ts_ms": self.first_ms,
            "last_ts_ms": self.last_ms,
            "rules_version": self.rules_version,
        })
    }
}
