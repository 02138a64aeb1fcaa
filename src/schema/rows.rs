//! The rows of `system_schema` as data: the one form into which every source of a schema is brought.
//!
//! [`super::build`] makes a [`super::Schema`] of it. Names are as stored (unquoted); only columns that matter for
//! decoding are kept.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{ColumnKind, TableId};

/// Rows of `system_schema`, in no order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemSchemaRows {
    /// `system_schema.keyspaces`.
    pub keyspaces: Vec<KeyspaceRow>,
    /// `system_schema.tables`.
    pub tables: Vec<TableRow>,
    /// `system_schema.columns`, of tables and views.
    pub columns: Vec<ColumnRow>,
    /// `system_schema.dropped_columns`.
    pub dropped_columns: Vec<DroppedColumnRow>,
    /// `system_schema.types`.
    pub types: Vec<TypeRow>,
    /// `system_schema.views`.
    pub views: Vec<ViewRow>,
}

/// A row of `system_schema.keyspaces`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyspaceRow {
    /// Keyspace.
    pub keyspace_name: String,
    /// `false`: ordinary writes do not reach the commit log.
    pub durable_writes: bool,
    /// Replication options, `class` among them.
    pub replication: BTreeMap<String, String>,
}

/// A row of `system_schema.tables`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// Keyspace.
    pub keyspace_name: String,
    /// Table.
    pub table_name: String,
    /// Id in the commit log.
    pub id: TableId,
    /// Storage flags: `compound`, `dense`, `counter`, `super`.
    pub flags: BTreeSet<String>,
    /// Table option `cdc`; a node without CDC does not write it.
    pub cdc: bool,
}

/// A row of `system_schema.columns`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRow {
    /// Keyspace.
    pub keyspace_name: String,
    /// Table or view.
    pub table_name: String,
    /// Column.
    pub column_name: String,
    /// The bytes by which the commit log names the column.
    pub column_name_bytes: Vec<u8>,
    /// Role.
    pub kind: ColumnKind,
    /// Index among the columns of a key; -1 outside keys.
    pub position: i32,
    /// Clustering order DESC.
    pub descending: bool,
    /// CQL type text.
    pub type_text: String,
}

/// A row of `system_schema.dropped_columns`. It stays when the column is added again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedColumnRow {
    /// Keyspace.
    pub keyspace_name: String,
    /// Table.
    pub table_name: String,
    /// Column.
    pub column_name: String,
    /// Drop time in microseconds (`system_schema` has milliseconds): older cells are no longer part of the table.
    pub dropped_at_us: i64,
    /// The column was static.
    pub is_static: bool,
    /// CQL type text, user-defined types expanded to tuples.
    pub type_text: String,
}

/// A row of `system_schema.types`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRow {
    /// Keyspace.
    pub keyspace_name: String,
    /// Name of the type.
    pub type_name: String,
    /// Field names in order.
    pub field_names: Vec<String>,
    /// Field types in order, CQL type texts.
    pub field_types: Vec<String>,
}

/// A row of `system_schema.views`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Keyspace.
    pub keyspace_name: String,
    /// View.
    pub view_name: String,
    /// Table of which it is a view.
    pub base_table_name: String,
    /// Id in the commit log.
    pub id: TableId,
}

impl ColumnKind {
    /// The kind that `system_schema` spells like this.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "partition_key" => Self::PartitionKey,
            "clustering" => Self::Clustering,
            "static" => Self::Static,
            "regular" => Self::Regular,
            _ => return None,
        })
    }

    /// The spelling of `system_schema`.
    #[must_use]
    pub fn as_text(self) -> &'static str {
        match self {
            Self::PartitionKey => "partition_key",
            Self::Clustering => "clustering",
            Self::Static => "static",
            Self::Regular => "regular",
        }
    }
}
