//! A change event: what happened to one row, range or partition.

use super::event_columns::EventColumns;
use crate::commitlog::mutation::{
    CellValue, ColumnCells, Deletion, Liveness, Mutation, PartitionUpdate, Row,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// The row's liveness was written: an INSERT.
    Create,
    /// Only cells were written: an UPDATE, or any write to the static row.
    Update,
    /// A row was deleted, or a partition of a table without clustering columns.
    Delete,
    /// A range of rows was deleted, or a partition of a table with clustering columns.
    RangeDelete,
    /// Nothing happened: the row, or the static row, was read by a snapshot.
    Read,
}

impl Operation {
    /// The value of `op` in records.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Create => "c",
            Self::Update => "u",
            Self::Delete => "d",
            Self::RangeDelete => "rt",
            Self::Read => "r",
        }
    }
}

/// What the event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'m, 'a> {
    /// A row.
    Row {
        /// Its clustering values.
        clustering: &'m [Option<&'a [u8]>],
    },
    /// The static row.
    StaticRow,
    /// All rows between two bounds in clustering order; both open: the whole partition, its static row too.
    Range {
        /// Where it starts; `None` is open.
        start: Option<Bound<'m, 'a>>,
        /// Where it ends; `None` is open.
        end: Option<Bound<'m, 'a>>,
    },
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound<'m, 'a> {
    /// Leading clustering values.
    pub values: &'m [Option<&'a [u8]>],
    /// Whether rows with exactly these values belong to the range.
    pub inclusive: bool,
}

impl Bound<'_, '_> {
    /// The bound that every row lies within.
    pub const ALL: Self = Self { values: &[], inclusive: true };
}

/// One change, borrowed from its mutation.
#[derive(Debug, Clone, Copy)]
pub struct ChangeEvent<'m, 'a> {
    /// What happened.
    pub operation: Operation,
    /// What it happened to.
    pub shape: Shape<'m, 'a>,
    /// Index among the events of the mutation, from 0.
    pub index: u32,
    /// The update it comes from: table and partition key.
    pub update: &'m PartitionUpdate<'a>,
    /// The deletion, of `d` and `rt`.
    pub deletion: Option<Deletion>,
    /// The row whose content a `c`, `u` or `r` carries.
    pub(super) content: Option<&'m Row>,
    pub(super) mutation: &'m Mutation<'a>,
}

impl<'m, 'a> ChangeEvent<'m, 'a> {
    /// A row that a snapshot read: the row of `mutation` that [`Mutation::set_row`] made, in the partition of `update`.
    /// Times that are not known are [`NO_TIMESTAMP`](crate::commitlog::mutation::NO_TIMESTAMP).
    #[must_use]
    pub fn read(update: &'m PartitionUpdate<'a>, mutation: &'m Mutation<'a>, row: &'m Row) -> Self {
        let shape = match row.is_static {
            true => Shape::StaticRow,
            false => Shape::Row { clustering: mutation.clustering(row) },
        };
        let operation = Operation::Read;
        Self { operation, shape, index: 0, update, deletion: None, content: Some(row), mutation }
    }

    /// Liveness of the row, of `c`.
    #[must_use]
    pub fn liveness(&self) -> Option<Liveness> {
        self.content.and_then(|row| row.liveness)
    }

    /// The columns that `c`, `u` and `r` carry, as logged: simple ones by name, then complex ones by name.
    #[must_use]
    #[inline]
    pub fn columns(&self) -> &'m [ColumnCells<'a>] {
        self.content.map(|row| self.mutation.columns(row)).unwrap_or_default()
    }

    /// The cells of one of [`Self::columns`].
    #[must_use]
    #[inline]
    pub fn cells(&self, column: &ColumnCells<'a>) -> &'m [crate::commitlog::mutation::Cell<'a>] {
        self.mutation.cells(column)
    }

    /// The newest timestamp that the event itself carries, in microseconds.
    #[must_use]
    pub fn newest_timestamp(&self) -> i64 {
        EventColumns::of(self).newest_us()
    }
}

/// Whether a cell is a tombstone.
#[must_use]
pub fn is_tombstone(value: &CellValue<'_>) -> bool {
    matches!(value, CellValue::Tombstone { .. })
}
