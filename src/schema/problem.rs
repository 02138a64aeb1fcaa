//! What can be wrong with the rows of a schema.

use std::fmt;

use super::model::ColumnKind;
use crate::cql::TypeError;

/// Something in the rows that has no meaning, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Keyspace.
    pub keyspace: String,
    /// Table; `None` when the problem is not of one table.
    pub table: Option<String>,
    /// What it is.
    pub kind: ProblemKind,
}

/// Kinds of [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// A column's type has no meaning; the table is left out.
    #[error("column `{column}`: {error}; the table is left out")]
    ColumnType {
        /// The column.
        column: String,
        /// What is wrong with its type.
        error: TypeError,
    },
    /// A dropped column's type has no meaning; mutations older than the drop that name it cannot be decoded.
    #[error("dropped column `{column}`: {error}; mutations that still name it cannot be decoded")]
    DroppedColumnType {
        /// The column.
        column: String,
        /// What is wrong with its type.
        error: TypeError,
    },
    /// A user-defined type has no meaning.
    #[error("{0}")]
    UserType(TypeError),
    /// No column is a partition key.
    #[error("no partition key column; are the rows of system_schema.columns there? the table is left out")]
    NoPartitionKey,
    /// The positions of key columns are not 0, 1, 2 ….
    #[error("the positions of the {} columns are not 0, 1, 2 …; the table is left out", .0.as_text())]
    KeyPositions(ColumnKind),
    /// Two columns of one name.
    #[error("column `{0}` stands there twice; the table is left out")]
    DuplicateColumn(String),
    /// Another table has the id.
    #[error("the id is also that of {0}; the table is left out")]
    DuplicateId(String),
    /// Columns of a table that neither `tables` nor `views` has.
    #[error("columns of a table that system_schema.tables and .views do not have; add its row")]
    ColumnsWithoutTable,
    /// DDL text without the id of the table.
    #[error("no table id in the DDL text; take it with DESCRIBE … WITH INTERNALS; the table is left out")]
    NoId,
    /// A view whose base table the DDL text does not have.
    #[error("a view of table `{0}`, which the DDL text does not have; the view is left out")]
    NoBaseTable(String),
    /// A view with a column that its base table does not have.
    #[error("a view with the column `{0}`, which its base table does not have; the view is left out")]
    NoBaseColumn(String),
}

impl ProblemKind {
    /// Whether the table is missing from the schema because of this.
    #[must_use]
    pub fn leaves_table_out(&self) -> bool {
        !matches!(self, Self::DroppedColumnType { .. } | Self::UserType(_))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keyspace)?;
        if let Some(table) = &self.table {
            write!(f, ".{table}")?;
        }
        write!(f, ": {}", self.kind)
    }
}
