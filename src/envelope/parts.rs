//! What the profiles need to write one record, gathered once an event.

use super::config::EncoderConfig;
use super::plan::{ColumnPlan, TablePlan};
use super::row_hash::RowHash;
use crate::change::filter::ColumnRule;
use crate::change::{ChangeEvent, EventCells, EventColumns, Operation, Shape};
use crate::commitlog::mutation::{Cell, ColumnCells, NO_TIMESTAMP};
use crate::commitlog::{Position, SegmentId};

/// Under which promise a mutation is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It is in the file. A power failure, or an end of the Cassandra process inside the write, can take it back.
    Written,
    /// It is whole, and a marker follows it. A power failure can take it back.
    Marked,
    /// It is on disk.
    Synced,
}

impl Visibility {
    /// The value of `source.visibility`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Marked => "marked",
            Self::Synced => "synced",
        }
    }
}

/// Where a mutation stands, as records tell it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// Segment id.
    pub segment: SegmentId,
    /// Name of the segment file.
    pub file: &'p str,
    /// File offset of the marker of the section.
    pub marker: u64,
    /// Index of the mutation in its section.
    pub entry: u32,
    /// Logical position of the mutation's end, as Cassandra's own positions count.
    pub end: u64,
    /// Under which promise it is read.
    pub visibility: Visibility,
    /// Whether the mutation was parked and comes after others that stand behind it in the log.
    pub late: bool,
}

impl Place<'_> {
    /// The position of the event `row` of the mutation.
    #[must_use]
    pub fn position(&self, row: u32) -> Position {
        Position { segment: self.segment, marker: self.marker, entry: self.entry, row }
    }
}

/// One event and all that its record is made of.
pub(super) struct Parts<'p, 'm, 'a> {
    pub(super) event: &'p ChangeEvent<'m, 'a>,
    pub(super) config: &'p EncoderConfig,
    pub(super) plan: &'p TablePlan,
    pub(super) place: Place<'p>,
    /// Key JSON: an object.
    pub(super) key: &'p [u8],
    pub(super) event_columns: &'p EventColumns<'m, 'a>,
    /// Whether the columns are plain and none is withheld: then `after` tells all there is to tell of them.
    pub(super) plain: bool,
    /// Whether a key column holds no bytes where that is no proper value.
    pub(super) has_empty_key: bool,
    pub(super) ts_us: i64,
    pub(super) now_ms: i64,
    pub(super) event_id: &'p str,
    pub(super) row_hash: Option<RowHash>,
}

/// One column of an event.
#[derive(Clone, Copy)]
pub(super) struct EventColumn<'p, 'm, 'a> {
    pub(super) column: &'m ColumnCells<'a>,
    pub(super) cells: &'m [Cell<'a>],
    pub(super) plan: &'p ColumnPlan,
}

impl<'p, 'm, 'a> Parts<'p, 'm, 'a> {
    /// The columns of the event by name, those left out that the configuration drops.
    #[inline]
    pub(super) fn columns(&self) -> impl Iterator<Item = EventColumn<'p, 'm, 'a>> {
        let plan = self.plan;
        let is_static = self.is_static();
        self.event_columns.as_slice().iter().filter_map(move |EventCells { column, cells }| {
            let plan = plan.column(is_static, column.index)?;
            let shown = plan.rule != Some(ColumnRule::Drop);
            shown.then_some(EventColumn { column, cells, plan })
        })
    }

    /// Whether a snapshot read it.
    pub(super) fn is_read(&self) -> bool {
        self.event.operation == Operation::Read
    }

    /// Whether this time of the event is not known.
    pub(super) fn is_unknown(&self, ts_us: i64) -> bool {
        ts_us == NO_TIMESTAMP && self.is_read()
    }

    pub(super) fn is_static(&self) -> bool {
        matches!(self.event.shape, Shape::StaticRow)
    }
}
