//! Verdicts that stand: the last record of each key in `dq_reconciliation_current`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::jobs::drift::{Both, Side, Status};

/// Where a side's record of a version stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Evidence {
    /// `c`, `u`, `d`, `rt`, `r`
    pub op: String,
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: i64,
}

/// A verdict, as its record has it: docs/jobs.md.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Standing {
    /// `keyspace.table`
    pub table: String,
    /// Primary key; null of a verdict about the job as a whole.
    pub key: Value,
    /// Version, microseconds.
    pub version_us: Option<i64>,
    /// What is said.
    pub status: Status,
    /// Row hash of `onprem`.
    pub onprem_hash: Option<String>,
    /// Row hash of `cloud`.
    pub cloud_hash: Option<String>,
    /// Event of `onprem`.
    pub onprem_event_id: Option<String>,
    /// Event of `cloud`.
    pub cloud_event_id: Option<String>,
    /// When it may have been logged first, microseconds.
    pub first_seen_us: Option<i64>,
    /// The watermark that decided, microseconds.
    pub decided_us: Option<i64>,
    #[serde(default)]
    evidence: RawEvidence,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
struct RawEvidence {
    #[serde(default)]
    onprem: Option<Evidence>,
    #[serde(default)]
    cloud: Option<Evidence>,
    #[serde(default)]
    columns: Vec<String>,
}

impl Standing {
    /// Where a side's record of it stands; None where that side told nothing of it.
    #[must_use]
    pub fn evidence(&self, side: Side) -> Option<&Evidence> {
        match side {
            Side::Onprem => self.evidence.onprem.as_ref(),
            Side::Cloud => self.evidence.cloud.as_ref(),
        }
    }

    /// The event that a side told last of it.
    #[must_use]
    pub fn event_id(&self, side: Side) -> Option<&str> {
        match side {
            Side::Onprem => self.onprem_event_id.as_deref(),
            Side::Cloud => self.cloud_event_id.as_deref(),
        }
    }

    /// Which columns differ.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.evidence.columns
    }

    /// The row hashes.
    #[must_use]
    pub fn hashes(&self) -> Both<Option<&str>> {
        Both { onprem: self.onprem_hash.as_deref(), cloud: self.cloud_hash.as_deref() }
    }
}

/// The verdicts that stand about a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standings {
    /// By key, compact JSON.
    rows: BTreeMap<String, Standing>,
    /// Nodes are silent: the verdicts may be behind.
    pub is_unknown: bool,
}

impl Standings {
    /// Takes a record, key and value, of the topic; those of other tables are passed over.
    ///
    /// # Errors
    /// It is no record of that topic.
    pub fn take(&mut self, table: &str, key: &[u8], value: Option<&[u8]>) -> Result<(), serde_json::Error> {
        let key: Value = serde_json::from_slice(key)?;
        if key.get("table").and_then(Value::as_str) != Some(table) {
            return Ok(());
        }
        let key = key.get("key").unwrap_or(&Value::Null);
        let standing: Option<Standing> = value.map(serde_json::from_slice).transpose()?;
        if key.is_null() {
            self.is_unknown = standing.is_some_and(|standing| standing.status == Status::Unknown);
            return Ok(());
        }
        match standing {
            Some(standing) => drop(self.rows.insert(key.to_string(), standing)),
            None => drop(self.rows.remove(&key.to_string())),
        }
        Ok(())
    }

    /// The verdict about a key.
    #[must_use]
    pub fn of(&self, key: &Value) -> Option<&Standing> {
        self.rows.get(&key.to_string())
    }

    /// All, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Standing> {
        self.rows.values()
    }
}
