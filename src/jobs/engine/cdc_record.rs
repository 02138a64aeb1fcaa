//! What jobs need of an agent's record (profile `flat`, docs/envelope.md).

use serde::Deserialize;
use serde_json::value::RawValue;

/// The parts of a record; what it lacks is null.
#[derive(Debug, Deserialize)]
pub struct CdcRecord<'r> {
    /// `c`, `u`, `r`, `d`, `rt`, `m`.
    pub op: String,
    /// The key columns of a deletion.
    #[serde(borrow, default)]
    pub before: Option<&'r RawValue>,
    /// The columns of a row that the change carries.
    #[serde(borrow, default)]
    pub after: Option<&'r RawValue>,
    /// Hash of the whole row.
    #[serde(default)]
    pub row_hash: Option<String>,
    /// `full`, `partial`, `tombstone`.
    #[serde(default)]
    pub hash_kind: Option<String>,
    /// Which columns of which types are hashed.
    #[serde(default)]
    pub hash_def: Option<String>,
    /// Content identity.
    #[serde(default)]
    pub event_id: Option<String>,
    /// Low watermark of a heartbeat.
    #[serde(default)]
    pub wm_us: Option<i64>,
    /// Where the change was made.
    pub source: SourceBlock,
}

/// `source` of a record.
#[derive(Debug, Deserialize)]
pub struct SourceBlock {
    /// Write time, microseconds since the epoch.
    #[serde(default)]
    pub ts_us: Option<i64>,
    /// Data centre.
    #[serde(default)]
    pub dc: Option<String>,
    /// Host id of the node.
    #[serde(default)]
    pub host_id: Option<String>,
}

impl<'r> CdcRecord<'r> {
    /// The record in a value; None when it holds none.
    #[must_use]
    pub fn parse(value: &'r [u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }
}
