//! What the profiles need to write one record, gathered once an event.

use super::config::EncoderConfig;
use super::plan::{ColumnPlan, TablePlan};
use super::row_hash::RowHash;
use crate::change::filter::ColumnRule;
use crate::change::{ChangeEvent, Shape};
use crate::commitlog::mutation::{Cell, ColumnCells};
use crate::commitlog::{Position, SegmentId};

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
    /// Positions of the event's columns, by name.
    pub(super) order: &'p [usize],
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
    /// The columns of the event by name, dropped ones left out.
    #[inline]
    pub(super) fn columns(&self) -> impl Iterator<Item = EventColumn<'p, 'm, 'a>> {
        let (event, plan) = (self.event, self.plan);
        let is_static = self.is_static();
        let columns = event.columns();
        self.order.iter().filter_map(move |position| {
            let column = columns.get(*position)?;
            let plan = plan.column(is_static, column.index)?;
            let shown = plan.rule != Some(ColumnRule::Drop);
            shown.then(|| EventColumn { column, cells: event.cells(column), plan })
        })
    }

    pub(super) fn is_static(&self) -> bool {
        matches!(self.event.shape, Shape::StaticRow)
    }
}
