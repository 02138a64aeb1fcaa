//! The section `remediate` of a rules file.

use std::cell::RefCell;

use crate::jobs::drift::Side;
use crate::jobs::fields::{Fields, one_of};
use crate::jobs::finding::{Code, Findings};
use crate::jobs::yaml::Node;

const KEYS: [&str; 9] = [
    "winner",
    "older_than",
    "expire",
    "max_age",
    "per_minute",
    "per_incident",
    "incident",
    "loop_window",
    "withheld",
];

const DAY_S: u64 = 24 * 60 * 60;

/// Whose content a repair takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    /// Of each difference the side that wrote the newer version; of one version what Cassandra itself would keep.
    Newest,
    /// Always this side: what it lacks is no repair but a question.
    Side(Side),
}

/// How drift of a table is repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemediateRules {
    /// Whose content a repair takes.
    pub winner: Winner,
    /// Seconds that a verdict must have stood before a repair is proposed; None: the grace of drift.
    pub older_than_s: Option<u64>,
    /// Seconds after which a proposal that is not applied expires.
    pub expire_s: u64,
    /// Seconds after which a verdict is too old to be repaired: less than any table's `gc_grace_seconds`.
    pub max_age_s: u64,
    /// Repairs a minute.
    pub per_minute: u64,
    /// Repairs an incident.
    pub per_incident: u64,
    /// How many seconds of repairs are one incident.
    pub incident_s: u64,
    /// Seconds within which a key that was repaired and drifts again is escalated.
    pub loop_window_s: u64,
    /// Columns whose values the agents mask or hash: what stands in records is not what the table holds.
    pub withheld: Vec<String>,
}

impl Default for RemediateRules {
    fn default() -> Self {
        Self {
            winner: Winner::Newest,
            older_than_s: None,
            expire_s: DAY_S,
            max_age_s: 7 * DAY_S,
            per_minute: 60,
            per_incident: 1000,
            incident_s: DAY_S,
            loop_window_s: DAY_S,
            withheld: Vec::new(),
        }
    }
}

/// Reads the section of a table that has these columns beside its key.
pub(in crate::jobs) fn read(
    node: &Node,
    columns: &[&str],
    findings: &RefCell<Findings>,
) -> Option<RemediateRules> {
    let fields = Fields::of(node, "remediate", &KEYS, findings)?;
    let usual = RemediateRules::default();
    let winner = match fields.word("winner", &["newest", "onprem", "cloud"]).map(|word| word.value) {
        Some(word) if word == "onprem" => Winner::Side(Side::Onprem),
        Some(word) if word == "cloud" => Winner::Side(Side::Cloud),
        _ => Winner::Newest,
    };
    let withheld = fields.texts("withheld").unwrap_or_default();
    for name in withheld.iter().filter(|name| !columns.contains(&name.value.as_str())) {
        fields.wrong(name.place, Code::Value, format!("withheld: {}", one_of(&name.value, columns)));
    }
    Some(RemediateRules {
        winner,
        older_than_s: fields.seconds("older_than"),
        expire_s: fields.seconds("expire").unwrap_or(usual.expire_s),
        max_age_s: fields.seconds("max_age").unwrap_or(usual.max_age_s),
        per_minute: fields.integer("per_minute", 1, 100_000).unwrap_or(usual.per_minute),
        per_incident: fields.integer("per_incident", 1, 1_000_000).unwrap_or(usual.per_incident),
        incident_s: fields.seconds("incident").unwrap_or(usual.incident_s),
        loop_window_s: fields.seconds("loop_window").unwrap_or(usual.loop_window_s),
        withheld: withheld.into_iter().map(|name| name.value).collect(),
    })
}
