//! Rows that were read elsewhere than in a log, in the form of a mutation: a snapshot makes the same events of them.

use super::mutation::{Cell, ColumnCells, Mutation, PartitionUpdate, Row};
use crate::schema::{Column, TableSchema};

impl<'a> PartitionUpdate<'a> {
    /// A partition of `table`, without rows. `partition_key` is in the form of the log.
    #[must_use]
    pub fn of_partition(table: &'a TableSchema, partition_key: &'a [u8]) -> Self {
        Self { table, partition_key, deletion: None, static_row: None, unfiltereds: 0..0 }
    }
}

impl<'a> Mutation<'a> {
    /// Forgets what it holds, and holds the content of one row: each column with its only cell, and its index in
    /// [`TableSchema::statics`] or [`TableSchema::regulars`].
    pub fn set_row(
        &mut self,
        is_static: bool,
        clustering: impl IntoIterator<Item = Option<&'a [u8]>>,
        columns: impl IntoIterator<Item = (usize, &'a Column, Cell<'a>)>,
    ) -> Row {
        self.clear();
        self.clusterings.extend(clustering);
        for (index, column, cell) in columns {
            let first = self.cells.len();
            self.cells.push(cell);
            self.columns.push(ColumnCells { column, index, deletion: None, cells: first..first + 1 });
        }
        Row {
            is_static,
            liveness: None,
            deletion: None,
            clustering: 0..self.clusterings.len(),
            columns: 0..self.columns.len(),
        }
    }
}
