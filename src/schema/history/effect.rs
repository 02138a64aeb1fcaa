//! What logged schema changes mean.

use std::fmt;

use crate::schema::model::TableId;

/// What a logged schema change meant for the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A table that was not known is known from here on.
    Created(TableName),
    /// A table is read or published differently from here on.
    Altered(TableName),
    /// The table option `cdc` was switched: with `false`, what is written from here on is not published.
    CdcSwitched {
        /// The table.
        table: TableName,
        /// Whether it is on now.
        is_on: bool,
    },
    /// A table was dropped. Mutations of it can still be decoded.
    Dropped(TableName),
    /// The log has a change that it does not carry whole, and the schema does not know the rest.
    Doubtful {
        /// Keyspace.
        keyspace: String,
        /// Table, when it is one table's.
        table: Option<String>,
        /// What is missing.
        reason: String,
    },
}

/// A table by name and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// Keyspace.
    pub keyspace: String,
    /// Table.
    pub table: String,
    /// Id.
    pub id: TableId,
}

impl Effect {
    /// The keyspace of what changed.
    #[must_use]
    pub fn keyspace(&self) -> &str {
        match self {
            Self::Created(table)
            | Self::Altered(table)
            | Self::CdcSwitched { table, .. }
            | Self::Dropped(table) => &table.keyspace,
            Self::Doubtful { keyspace, .. } => keyspace,
        }
    }

    /// The table that is known to be another one from here on.
    #[must_use]
    pub fn table(&self) -> Option<TableId> {
        match self {
            Self::Created(table)
            | Self::Altered(table)
            | Self::CdcSwitched { table, .. }
            | Self::Dropped(table) => Some(table.id),
            Self::Doubtful { .. } => None,
        }
    }
}

impl TableName {
    pub(super) fn new(keyspace: &str, table: &str, id: TableId) -> Self {
        Self { keyspace: keyspace.to_owned(), table: table.to_owned(), id }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(t) => write!(f, "{}.{}: created with id {}", t.keyspace, t.table, t.id),
            Self::Altered(t) => write!(f, "{}.{}: altered", t.keyspace, t.table),
            Self::CdcSwitched { table: t, is_on: true } => {
                write!(f, "{}.{}: altered: CDC is on from here on", t.keyspace, t.table)
            }
            Self::CdcSwitched { table: t, is_on: false } => write!(
                f,
                "{}.{}: altered: CDC is off from here on, which is a gap until it is on again",
                t.keyspace, t.table
            ),
            Self::Dropped(t) => write!(f, "{}.{}: dropped", t.keyspace, t.table),
            Self::Doubtful { keyspace, table, reason } => {
                let table = table.as_ref().map_or(String::new(), |table| format!(".{table}"));
                write!(f, "{keyspace}{table}: doubtful: {reason}")
            }
        }
    }
}
