//! Steps of remediation, as `dq_remediation_audit` has them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::standing::Standing;
use crate::jobs::drift::{Side, Status};

/// Every step, in the order in which it was taken; never compacted.
pub const REMEDIATION_TOPIC: &str = "dq_remediation_audit";

/// How the reason of an escalation begins that the loop guard made; with `loop_window` it is over.
pub(super) const LOOPS: &str = "the key was repaired already";

/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 12;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepKind {
    /// A repair is proposed.
    Proposed,
    /// It may be applied.
    Approved,
    /// It will not be applied.
    Rejected,
    /// It is written and acknowledged.
    Applied,
    /// Cassandra did not take it.
    Failed,
    /// It is too old, or what it repairs does not stand any more.
    Expired,
    /// No repair: somebody must look at it.
    Escalated,
}

impl StepKind {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Applied => "APPLIED",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
            Self::Escalated => "ESCALATED",
        }
    }
}

/// What is to be repaired, and by what. It holds no value of a column but the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The verdict.
    pub status: Status,
    /// Version of the row, microseconds.
    pub version_us: i64,
    /// The side whose change is written to the other one.
    pub source: Side,
    /// The record of that change: its topic,
    pub topic: String,
    /// its partition,
    pub partition: u32,
    /// its offset,
    pub offset: i64,
    /// its event,
    pub event_id: String,
    /// and its operation.
    pub op: String,
    /// Row hash of `onprem`.
    pub onprem_hash: Option<String>,
    /// Row hash of `cloud`.
    pub cloud_hash: Option<String>,
    /// Event of `onprem`.
    pub onprem_event_id: Option<String>,
    /// Event of `cloud`.
    pub cloud_event_id: Option<String>,
    /// Columns that differ.
    pub columns: Vec<String>,
    /// When the change may have been logged first, microseconds.
    pub first_seen_us: Option<i64>,
    /// The watermark that decided about it, microseconds.
    pub decided_us: i64,
}

impl Proposal {
    /// The change of `source` for what stands; None when that side told nothing of it.
    #[must_use]
    pub fn of(standing: &Standing, source: Side) -> Option<Self> {
        let evidence = standing.evidence(source)?;
        Some(Self {
            status: standing.status,
            version_us: standing.version_us?,
            source,
            topic: evidence.topic.clone(),
            partition: evidence.partition,
            offset: evidence.offset,
            event_id: standing.event_id(source)?.to_owned(),
            op: evidence.op.clone(),
            onprem_hash: standing.onprem_hash.clone(),
            cloud_hash: standing.cloud_hash.clone(),
            onprem_event_id: standing.onprem_event_id.clone(),
            cloud_event_id: standing.cloud_event_id.clone(),
            columns: standing.columns().to_vec(),
            first_seen_us: standing.first_seen_us,
            decided_us: standing.decided_us?,
        })
    }

    /// Whether it is about what stands: the same verdict about the same version, by the same change.
    #[must_use]
    pub fn is_about(&self, standing: &Standing) -> bool {
        self.status == standing.status
            && Some(self.version_us) == standing.version_us
            && Some(self.event_id.as_str()) == standing.event_id(self.source)
    }

    /// Its id: the same whenever the same is proposed, so that nothing is proposed twice.
    #[must_use]
    pub fn id(&self, table: &str, key: &Value) -> String {
        let text = serde_json::json!([
            table,
            key,
            self.version_us,
            self.status.name(),
            self.source.name(),
            self.event_id
        ]);
        let mut digits = hex::encode(Sha256::digest(text.to_string()));
        digits.truncate(ID_DIGITS);
        digits
    }
}

/// A step. Its record's key is `{"table","key"}`, as that of verdicts: the steps of a row stand in one partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Of which proposal.
    pub id: String,
    /// What was done.
    pub step: StepKind,
    /// `keyspace.table`
    pub table: String,
    /// Primary key.
    pub key: Value,
    /// The side that is written to.
    pub target: Side,
    /// When, by the clock of who did it, milliseconds.
    pub at_ms: i64,
    /// Who did it: a person, a policy, or `cdc-jobs` itself.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// With `PROPOSED` and `ESCALATED`.
    pub proposal: Option<Proposal>,
}

impl Step {
    /// Whether the loop guard escalated it.
    pub(super) fn is_of_a_loop(&self) -> bool {
        self.step == StepKind::Escalated && self.reason.as_ref().is_some_and(|why| why.starts_with(LOOPS))
    }

    /// Key of the record, compact JSON.
    #[must_use]
    pub fn record_key(&self) -> String {
        serde_json::json!({ "table": self.table, "key": self.key }).to_string()
    }
}
