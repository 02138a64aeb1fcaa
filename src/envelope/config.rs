//! What an encoder is told: names, profile, options.

use super::options::{CellTimes, Profile, RowHashOptions, Unrepresentable, ValueFormat};
use crate::change::filter::ColumnRules;

/// Names that every record carries in `source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNames {
    /// First part of topic names, and `source.name`.
    pub prefix: String,
    /// Cluster name, when configured.
    pub cluster: Option<String>,
    /// Data centre, when configured.
    pub dc: Option<String>,
    /// Host id of the node whose log it is, when configured.
    pub host_id: Option<String>,
    /// Whether the records come from `replay`.
    pub replay: bool,
}

/// Configuration of an encoder.
#[derive(Debug, Clone)]
pub struct EncoderConfig {
    /// Names in `source`.
    pub source: SourceNames,
    /// Shape of the records.
    pub profile: Profile,
    /// What profile `debezium` does with what it cannot say.
    pub unrepresentable: Unrepresentable,
    /// How values are written.
    pub format: ValueFormat,
    /// Which times of cells are carried.
    pub cells: CellTimes,
    /// Whether every `d` is followed by a tombstone.
    pub tombstones_on_delete: bool,
    /// `row_hash`, when switched on.
    pub row_hash: Option<RowHashOptions>,
    /// Columns whose values do not show.
    pub rules: ColumnRules,
    /// Key of hashed columns.
    pub hash_key: HashKey,
}

/// The key of hashed columns. Never printed.
#[derive(Clone, Default)]
pub struct HashKey(pub Vec<u8>);

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(***)")
    }
}
