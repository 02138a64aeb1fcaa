//! Verdicts, as `dq_reconciliation_audit` has them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::event::{Both, GapKind, Place, Side};
use super::unknown::Gap;

/// What is said about a version of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Both sides hold it, or something newer in its place.
    Match,
    /// Both sides wrote this version, and hold different things.
    Drift,
    /// `onprem` has nothing of it.
    MissingOnprem,
    /// `cloud` has nothing of it.
    MissingCloud,
    /// The sides differed, and do so no more.
    Resolved,
    /// They differ, and it cannot be known whether they should.
    Incomparable,
    /// A node has been silent: nothing is decided.
    Unknown,
}

impl Status {
    /// All, in the order of metrics.
    pub const ALL: [Self; 7] = [
        Self::Match,
        Self::Drift,
        Self::MissingOnprem,
        Self::MissingCloud,
        Self::Resolved,
        Self::Incomparable,
        Self::Unknown,
    ];

    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::Drift => "DRIFT",
            Self::MissingOnprem => "MISSING_ONPREM",
            Self::MissingCloud => "MISSING_CLOUD",
            Self::Resolved => "RESOLVED",
            Self::Incomparable => "INCOMPARABLE",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// That of a side which lacks a version.
    pub(super) fn missing(side: Side) -> Self {
        match side {
            Side::Onprem => Self::MissingOnprem,
            Side::Cloud => Self::MissingCloud,
        }
    }
}

/// What was compared, of one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The event.
    pub event_id: String,
    /// Its operation.
    pub op: String,
    /// Its row hash.
    pub row_hash: Option<String>,
    /// The definition of the hash.
    pub hash_def: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// Why a verdict is not a plain one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The row hashes have two definitions.
    HashDefinition,
    /// A gap in the stream of a side.
    Gap(Side, Gap),
    /// It may be a late copy of what is not remembered any more.
    Forgotten,
    /// A write of a part of a row without its cells cannot be compared.
    Partial,
    /// More was waiting for the other side than is remembered.
    Full,
    /// Nodes that are behind: the side, the node (empty: none at all), its watermark.
    Silent(Vec<(Side, String, Option<i64>)>),
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Key of the row, compact JSON; None when it is about the job as a whole.
    pub key: Option<String>,
    /// Version, microseconds.
    pub version_us: Option<i64>,
    /// What is said.
    pub status: Status,
    /// What each side told of this version, the last event of it.
    pub told: Both<Option<Told>>,
    /// When it may have been logged first, microseconds.
    pub first_seen_us: Option<i64>,
    /// The watermark that decided.
    pub decided_us: Option<i64>,
    /// Columns that differ; `(row)` is its existence, `(range)` the deletion of a range.
    pub columns: Vec<String>,
    /// Why, where the status does not say it all.
    pub reason: Option<Reason>,
}

impl Verdict {
    /// The record, with its fields in their order.
    #[must_use]
    pub fn to_json(&self, table: &str) -> Value {
        let of = |side: Side, field: fn(&Told) -> Option<&str>| {
            Value::from(self.told.of(side).as_ref().and_then(field).map(str::to_owned))
        };
        let hash_def = Side::BOTH.iter().find_map(|side| self.told.of(*side).as_ref()?.hash_def.clone());
        json!({
            "table": table,
            "key": self.key_json(),
            "version_us": self.version_us,
            "status": self.status.name(),
            "onprem_hash": of(Side::Onprem, |told| told.row_hash.as_deref()),
            "cloud_hash": of(Side::Cloud, |told| told.row_hash.as_deref()),
            "onprem_event_id": of(Side::Onprem, |told| Some(&told.event_id)),
            "cloud_event_id": of(Side::Cloud, |told| Some(&told.event_id)),
            "hash_def": hash_def,
            "first_seen_us": self.first_seen_us,
            "decided_us": self.decided_us,
            "evidence": self.evidence(),
        })
    }

    /// The key of the record.
    #[must_use]
    pub fn record_key(&self, table: &str) -> Value {
        json!({ "table": table, "key": self.key_json() })
    }

    fn key_json(&self) -> Value {
        self.key.as_ref().and_then(|key| serde_json::from_str(key).ok()).unwrap_or_default()
    }

    fn evidence(&self) -> Value {
        let mut evidence = Map::new();
        for side in Side::BOTH {
            if let Some(told) = self.told.of(side) {
                evidence.insert(side.name().to_owned(), place(told));
            }
        }
        if !self.columns.is_empty() {
            evidence.insert("columns".to_owned(), json!(self.columns));
        }
        if let Some(reason) = &self.reason {
            reason.add_to(&self.told, &mut evidence);
        }
        Value::Object(evidence)
    }
}

fn place(told: &Told) -> Value {
    let Place { topic, partition, offset, file, pos } = &told.place;
    json!({ "op": told.op, "topic": topic, "partition": partition, "offset": offset, "file": file, "pos": pos })
}

impl Reason {
    fn add_to(&self, told: &Both<Option<Told>>, evidence: &mut Map<String, Value>) {
        let mut add = |name: &str, value: Value| drop(evidence.insert(name.to_owned(), value));
        match self {
            Self::HashDefinition => {
                let of = |side| told.of(side).as_ref().and_then(|told| told.hash_def.clone());
                add("reason", json!("hash_def"));
                add("hash_defs", json!([of(Side::Onprem), of(Side::Cloud)]));
            }
            Self::Gap(side, gap) => {
                let is_truncation = gap.kind == GapKind::Truncated;
                add("reason", json!(if is_truncation { "truncated" } else { "gap" }));
                let host_id = (!gap.host_id.is_empty()).then_some(&gap.host_id);
                let from_us = (gap.from_us > i64::MIN).then_some(gap.from_us);
                let to_us = (gap.to_us < i64::MAX).then_some(gap.to_us);
                add("gap", json!({ "side": side, "host_id": host_id, "from_us": from_us, "to_us": to_us }));
            }
            Self::Forgotten => add("reason", json!("forgotten")),
            Self::Partial => add("reason", json!("partial")),
            Self::Full => add("reason", json!("full")),
            Self::Silent(nodes) => {
                let node = |(side, host_id, wm_us): &(Side, String, Option<i64>)| {
                    let host_id = (!host_id.is_empty()).then_some(host_id);
                    json!({ "side": side, "host_id": host_id, "wm_us": wm_us })
                };
                add("reason", json!("silent"));
                add("silent", nodes.iter().map(node).collect());
            }
        }
    }
}
