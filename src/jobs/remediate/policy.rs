//! A policy file: what may be applied without a person's word.
//!
//! ```yaml
//! name: nightly
//! max_per_run: 100
//! kinds: [MISSING_CLOUD]
//! tables: [sales.events]
//! older_than: 1h
//! ```

use std::cell::RefCell;

use sha2::{Digest, Sha256};

use super::book::Entry;
use super::step::StepKind;
use crate::jobs::drift::Status;
use crate::jobs::fields::Fields;
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::yaml;

const KEYS: [&str; 5] = ["name", "max_per_run", "kinds", "tables", "older_than"];
const KINDS: [Status; 3] = [Status::Drift, Status::MissingOnprem, Status::MissingCloud];

/// What may be approved. Nothing has a default: a policy says it all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: String,
    digest: String,
    max_per_run: usize,
    kinds: Vec<Status>,
    tables: Vec<String>,
    older_than_ms: i64,
}

impl Policy {
    /// Reads a file's text; `file` is its name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Finding>> {
        let findings = RefCell::new(Findings::new(file));
        let policy = match yaml::parse(text) {
            Ok(root) => Self::of(&root, text, &findings),
            Err(error) => {
                findings.borrow_mut().add(error.place, Code::Syntax, error.message);
                None
            }
        };
        let found = findings.into_inner().into_sorted();
        match policy.filter(|_| found.is_empty()) {
            Some(policy) => Ok(policy),
            None => Err(found),
        }
    }

    fn of(root: &yaml::Node, text: &str, findings: &RefCell<Findings>) -> Option<Self> {
        let fields = Fields::of(root, "policy", &KEYS, findings)?;
        for key in KEYS {
            fields.required(key);
        }
        let kind = |name: &str| KINDS.into_iter().find(|kind| kind.name() == name);
        let mut kinds = Vec::new();
        for word in fields.texts("kinds").unwrap_or_default() {
            match kind(&word.value) {
                Some(kind) => kinds.push(kind),
                None => {
                    let message =
                        format!("kinds: {} is none of DRIFT, MISSING_ONPREM, MISSING_CLOUD", word.value);
                    fields.wrong(word.place, Code::Value, message);
                }
            }
        }
        let digest = hex::encode(Sha256::digest(text));
        let name = fields.text("name")?;
        if name.value.chars().any(char::is_control) {
            fields.wrong(
                name.place,
                Code::Value,
                "name: one line, without control characters: steps carry it",
            );
        }
        Some(Self {
            name: name.value,
            digest: digest.chars().take(8).collect(),
            max_per_run: usize::try_from(fields.integer("max_per_run", 1, 100_000)?).ok()?,
            kinds,
            tables: fields.texts("tables")?.into_iter().map(|table| table.value).collect(),
            older_than_ms: i64::try_from(fields.seconds("older_than")?).ok()?.saturating_mul(1000),
        })
    }

    /// Who approves: its name, and the first digits of the file's SHA-256.
    #[must_use]
    pub fn by(&self) -> String {
        format!("policy {} {}", self.name, self.digest)
    }

    /// The proposals that it approves now, the oldest first.
    pub fn choose<'e>(&self, entries: &[&'e Entry], now_ms: i64) -> Vec<&'e Entry> {
        let before_us = now_ms.saturating_sub(self.older_than_ms).saturating_mul(1000);
        let fits = |entry: &&&Entry| {
            entry.state() == StepKind::Proposed
                && self.kinds.contains(&entry.proposal.status)
                && self.tables.contains(&entry.table)
                && entry.proposal.decided_us <= before_us
        };
        entries.iter().filter(fits).take(self.max_per_run).copied().collect()
    }
}
