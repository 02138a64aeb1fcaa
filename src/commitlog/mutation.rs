//! Frame payload → mutation: partition updates with their rows, markers and cells.
//!
//! A mutation is decoded whole (or in parts, when it is large) into flat buffers that are reused from one
//! mutation to the next; rows and cells are ranges of them. Source of the layout: `PartitionUpdate` and
//! `UnfilteredSerializer` of Cassandra 3.0 to 5.0.

use std::fmt;
use std::ops::Range;

use crate::primitives::Malformed;
use crate::schema::{Column, TableId, TableSchema};

/// Cassandra's number for a timestamp that there is not (`LivenessInfo.NO_TIMESTAMP`). Here: one that is not known,
/// which only rows have that were read over CQL.
pub const NO_TIMESTAMP: i64 = i64::MIN;

/// A deletion: everything older than `ts_us` is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Timestamp in microseconds, as the client or coordinator gave it.
    pub ts_us: i64,
    /// Local deletion time in seconds since the epoch.
    pub local_time: u32,
}

/// Primary-key liveness: the row exists by itself, apart from its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Timestamp in microseconds.
    pub ts_us: i64,
    /// Time to live, when one was set.
    pub expiry: Option<Expiry>,
}

/// A time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Seconds from the write.
    pub ttl: u32,
    /// When it ends, in seconds since the epoch.
    pub local_time: u32,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellValue<'a> {
    /// A value, possibly empty.
    Live {
        /// Serialised value.
        value: &'a [u8],
        /// Time to live, when one was set.
        expiry: Option<Expiry>,
    },
    /// Deleted, with its local deletion time in seconds since the epoch.
    Tombstone {
        /// Seconds since the epoch.
        local_time: u32,
    },
}

/// A cell of a simple column, or one element of a complex one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Timestamp in microseconds.
    pub ts_us: i64,
    /// Element of a complex column: list timeuuid, set element, map key or field index.
    pub path: Option<&'a [u8]>,
    /// Content.
    pub value: CellValue<'a>,
}

/// The cells of one column of a row.
#[derive(Debug, Clone)]
pub struct ColumnCells<'a> {
    /// The column.
    pub column: &'a Column,
    /// Its index in [`TableSchema::statics`] or [`TableSchema::regulars`].
    pub index: usize,
    /// Deletion of a whole complex column.
    pub deletion: Option<Deletion>,
    pub(super) cells: Range<usize>,
}

/// A row: static or regular.
#[derive(Debug, Clone)]
pub struct Row {
    /// Whether it is the static row of its partition.
    pub is_static: bool,
    /// Liveness of the primary key.
    pub liveness: Option<Liveness>,
    /// Deletion of the row.
    pub deletion: Option<Deletion>,
    pub(super) clustering: Range<usize>,
    pub(super) columns: Range<usize>,
}

/// One end of a range of rows, in clustering order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BoundKind {
    /// `EXCL_END_BOUND`
    ExclusiveEnd,
    /// `INCL_START_BOUND`
    InclusiveStart,
    /// `EXCL_END_INCL_START_BOUNDARY`
    ExclusiveEndInclusiveStart,
    /// `INCL_END_EXCL_START_BOUNDARY`
    InclusiveEndExclusiveStart,
    /// `INCL_END_BOUND`
    InclusiveEnd,
    /// `EXCL_START_BOUND`
    ExclusiveStart,
}

impl BoundKind {
    pub(super) fn from_ordinal(ordinal: u8) -> Option<Self> {
        Some(match ordinal {
            0 => Self::ExclusiveEnd,
            1 => Self::InclusiveStart,
            2 => Self::ExclusiveEndInclusiveStart,
            5 => Self::InclusiveEndExclusiveStart,
            6 => Self::InclusiveEnd,
            7 => Self::ExclusiveStart,
            _ => return None,
        })
    }

    /// Cassandra's name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExclusiveEnd => "EXCL_END_BOUND",
            Self::InclusiveStart => "INCL_START_BOUND",
            Self::ExclusiveEndInclusiveStart => "EXCL_END_INCL_START_BOUNDARY",
            Self::InclusiveEndExclusiveStart => "INCL_END_EXCL_START_BOUNDARY",
            Self::InclusiveEnd => "INCL_END_BOUND",
            Self::ExclusiveStart => "EXCL_START_BOUND",
        }
    }

    /// For a kind that opens a range: whether the bound belongs to it.
    #[must_use]
    pub fn start_inclusive(self) -> Option<bool> {
        match self {
            Self::InclusiveStart | Self::ExclusiveEndInclusiveStart => Some(true),
            Self::ExclusiveStart | Self::InclusiveEndExclusiveStart => Some(false),
            Self::ExclusiveEnd | Self::InclusiveEnd => None,
        }
    }

    /// For a kind that closes a range: whether the bound belongs to it.
    #[must_use]
    pub fn end_inclusive(self) -> Option<bool> {
        match self {
            Self::InclusiveEnd | Self::InclusiveEndExclusiveStart => Some(true),
            Self::ExclusiveEnd | Self::ExclusiveEndInclusiveStart => Some(false),
            Self::InclusiveStart | Self::ExclusiveStart => None,
        }
    }
}

/// A range tombstone marker: a range of rows begins, ends, or both.
#[derive(Debug, Clone)]
pub struct Marker {
    /// Which ends stand here.
    pub kind: BoundKind,
    /// Deletion of the range that ends here.
    pub end: Option<Deletion>,
    /// Deletion of the range that starts here.
    pub start: Option<Deletion>,
    pub(super) clustering: Range<usize>,
}

/// A row or a range tombstone marker, in clustering order.
#[derive(Debug, Clone)]
pub enum Unfiltered {
    /// A row.
    Row(Row),
    /// A range tombstone marker.
    Marker(Marker),
}

/// All changes of one mutation to one partition of one table.
#[derive(Debug, Clone)]
pub struct PartitionUpdate<'a> {
    /// The table.
    pub table: &'a TableSchema,
    /// Partition key as logged: the raw value, or the components of a composite.
    pub partition_key: &'a [u8],
    /// Deletion of the whole partition.
    pub deletion: Option<Deletion>,
    /// The static row.
    pub static_row: Option<Row>,
    pub(super) unfiltereds: Range<usize>,
}

/// A decoded mutation. Buffers are reused by the next one.
#[derive(Debug, Default)]
pub struct Mutation<'a> {
    pub(super) updates: Vec<PartitionUpdate<'a>>,
    pub(super) unfiltereds: Vec<Unfiltered>,
    pub(super) columns: Vec<ColumnCells<'a>>,
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) clusterings: Vec<Option<&'a [u8]>>,
}

impl<'a> Mutation<'a> {
    /// The partition updates, as logged.
    #[must_use]
    pub fn updates(&self) -> &[PartitionUpdate<'a>] {
        &self.updates
    }

    /// The rows and markers of an update, as logged; the static row is not among them.
    #[must_use]
    pub fn unfiltereds(&self, update: &PartitionUpdate<'a>) -> &[Unfiltered] {
        self.unfiltereds.get(update.unfiltereds.clone()).unwrap_or_default()
    }

    /// The columns a row carries: simple ones by name, then complex ones by name.
    #[must_use]
    #[inline]
    pub fn columns(&self, row: &Row) -> &[ColumnCells<'a>] {
        self.columns.get(row.columns.clone()).unwrap_or_default()
    }

    /// The cells of a column: exactly one of a simple column.
    #[must_use]
    #[inline]
    pub fn cells(&self, column: &ColumnCells<'a>) -> &[Cell<'a>] {
        self.cells.get(column.cells.clone()).unwrap_or_default()
    }

    /// The clustering values of a row, serialised; empty ones are `Some(&[])`, `None` stands in compact tables.
    #[must_use]
    #[inline]
    pub fn clustering(&self, row: &Row) -> &[Option<&'a [u8]>] {
        self.clusterings.get(row.clustering.clone()).unwrap_or_default()
    }

    /// The leading clustering values at which a marker stands.
    #[must_use]
    pub fn bound(&self, marker: &Marker) -> &[Option<&'a [u8]>] {
        self.clusterings.get(marker.clustering.clone()).unwrap_or_default()
    }

    /// Whether all content of `row` is newer than `ts_us`.
    #[must_use]
    pub fn is_newer_than(&self, row: &Row, ts_us: i64) -> bool {
        let is_newer = |column: &ColumnCells<'_>| {
            column.deletion.is_none_or(|deletion| deletion.ts_us > ts_us)
                && self.cells(column).iter().all(|cell| cell.ts_us > ts_us)
        };
        row.liveness.is_none_or(|liveness| liveness.ts_us > ts_us) && self.columns(row).iter().all(is_newer)
    }

    /// `row` with only the content that is newer than `ts_us`, and the mutation that holds it. The deletion of a
    /// complex column is kept from `ts_us` on where newer cells follow: it tells that they are all there are.
    #[must_use]
    pub fn newer_than(&self, row: &Row, ts_us: i64) -> (Self, Row) {
        let mut newer = Self::default();
        for column in self.columns(row) {
            let first = newer.cells.len();
            newer.cells.extend(self.cells(column).iter().filter(|cell| cell.ts_us > ts_us));
            let cells = first..newer.cells.len();
            let oldest = if cells.is_empty() { ts_us.saturating_add(1) } else { ts_us };
            let deletion = column.deletion.filter(|deletion| deletion.ts_us >= oldest);
            if deletion.is_some() || !cells.is_empty() {
                newer.columns.push(ColumnCells { deletion, cells, ..column.clone() });
            }
        }
        let liveness = row.liveness.filter(|liveness| liveness.ts_us > ts_us);
        let row = Row { liveness, clustering: 0..0, columns: 0..newer.columns.len(), ..row.clone() };
        (newer, row)
    }

    /// How many things of any kind it holds; none needs more than about a hundred bytes.
    pub(super) fn items(&self) -> usize {
        self.updates.len()
            + self.unfiltereds.len()
            + self.columns.len()
            + self.cells.len()
            + self.clusterings.len()
    }

    pub(super) fn clear(&mut self) {
        self.updates.clear();
        self.unfiltereds.clear();
        self.columns.clear();
        self.cells.clear();
        self.clusterings.clear();
    }
}

/// A column that the schema does not have: its name in the log, if that looks like one. Bytes that were taken
/// for a name by mistake may be those of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnLabel {
    /// The name, escaped.
    Name(String),
    /// Length in bytes of a name that is too long to be shown, or is no printable text.
    Length(usize),
}

/// Names longer than this are not shown.
const LONGEST_SHOWN: usize = 64;

impl ColumnLabel {
    /// The label of a column with this name in the log.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let shown = std::str::from_utf8(name)
            .ok()
            .filter(|text| (1..=LONGEST_SHOWN).contains(&text.len()) && !text.contains(char::is_control));
        match shown {
            Some(text) => Self::Name(text.escape_debug().to_string()),
            None => Self::Length(name.len()),
        }
    }
}

impl fmt::Display for ColumnLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Length(length) => write!(f, "with a name of {length} bytes"),
        }
    }
}

/// Why a payload with right checksums could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MutationError {
    /// No table of that id in the schema. Updates have no length, so what follows cannot be reached.
    #[error("table {0} is not in the schema")]
    UnknownTable(TableId),
    /// The table has no such column, dropped ones included.
    #[error("table {table} has no {} column {column} in the schema", if *is_static { "static" } else { "regular" })]
    UnknownColumn {
        /// The table.
        table: TableId,
        /// The column, as far as its name can be shown.
        column: ColumnLabel,
        /// Whether it was listed as static.
        is_static: bool,
    },
    /// The bytes do not fit the schema.
    #[error("expected {expected} at byte {offset} of the mutation (table {})", table.map_or_else(|| "unknown".to_owned(), |id| id.to_string()))]
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// Offset in the payload.
        offset: usize,
        /// The table whose update was being read.
        table: Option<TableId>,
    },
}

impl MutationError {
    /// Whether another schema could help.
    #[must_use]
    pub fn is_unknown_schema(&self) -> bool {
        !matches!(self, Self::Malformed { .. })
    }

    pub(super) fn malformed(error: nom::Err<Malformed>, payload: usize, table: Option<TableId>) -> Self {
        match error {
            nom::Err::Error(Malformed { expected, left })
            | nom::Err::Failure(Malformed { expected, left }) => {
                Self::Malformed { expected, offset: payload.saturating_sub(left), table }
            }
            nom::Err::Incomplete(_) => Self::Malformed { expected: "more bytes", offset: payload, table },
        }
    }
}
