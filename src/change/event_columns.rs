//! The columns of an event in the order of their names, each looked up once.

use smallvec::SmallVec;

use super::event::{ChangeEvent, Operation};
use crate::commitlog::mutation::{Cell, CellValue, ColumnCells, NO_TIMESTAMP};
use crate::cql::CqlType;
use crate::cql::value::is_no_value;

/// A column of an event and its cells.
#[derive(Debug, Clone, Copy)]
pub struct EventCells<'m, 'a> {
    /// The column.
    pub column: &'m ColumnCells<'a>,
    /// Its cells: one of a simple column.
    pub cells: &'m [Cell<'a>],
}

impl EventCells<'_, '_> {
    /// The newest timestamp of the cells and of the column's deletion, in microseconds.
    #[must_use]
    pub fn newest_us(&self) -> Option<i64> {
        newest_us(self.column, self.cells)
    }
}

/// The newest timestamp of a column's cells and deletion, in microseconds.
pub(super) fn newest_us(column: &ColumnCells<'_>, cells: &[Cell<'_>]) -> Option<i64> {
    let times = cells.iter().map(|cell| cell.ts_us);
    times.chain(column.deletion.map(|deletion| deletion.ts_us)).max()
}

/// The columns of an event by name, and what they say together.
#[derive(Debug)]
pub struct EventColumns<'m, 'a> {
    columns: SmallVec<[EventCells<'m, 'a>; 16]>,
    newest_us: i64,
    plain: bool,
}

impl<'m, 'a> EventColumns<'m, 'a> {
    /// The columns of `event`.
    ///
    /// A column's index in its table counts in the order of names.
    #[must_use]
    #[inline]
    pub fn of(event: &ChangeEvent<'m, 'a>) -> Self {
        let mut times = Times::default();
        for ts_us in [event.deletion.map(|it| it.ts_us), event.liveness().map(|it| it.ts_us)] {
            ts_us.into_iter().for_each(|ts_us| times.add(ts_us));
        }
        let mut columns = SmallVec::new();
        let (mut plain, mut sorted, mut last) = (true, true, 0);
        for column in event.columns() {
            let cells = event.cells(column);
            column.deletion.into_iter().for_each(|deletion| times.add(deletion.ts_us));
            cells.iter().for_each(|cell| times.add(cell.ts_us));
            plain &= is_plain(column, cells);
            sorted &= last <= column.index;
            last = column.index;
            columns.push(EventCells { column, cells });
        }
        if !sorted {
            columns.sort_by_key(|cells: &EventCells<'_, '_>| cells.column.index);
        }
        let (newest_us, is_known) = match (event.operation, times.newest()) {
            (Operation::Read, newest) => {
                let newest = newest.unwrap_or(NO_TIMESTAMP);
                (newest, newest != NO_TIMESTAMP)
            }
            (_, newest) => (newest.unwrap_or_default(), true),
        };
        Self { columns, newest_us, plain: plain && is_known && times.are_one() }
    }

    /// The newest timestamp that the event itself carries, in microseconds: of its deletion, its liveness, its
    /// cells and their columns' deletions. [`NO_TIMESTAMP`] when a snapshot found none.
    #[must_use]
    pub fn newest_us(&self) -> i64 {
        self.newest_us
    }

    /// Whether every column is simple and holds a live value of its type with bytes, nothing of the columns expires, and all
    /// times of the event are the same. Counters are not plain.
    #[must_use]
    pub fn are_plain(&self) -> bool {
        self.plain
    }

    /// The columns.
    #[must_use]
    pub fn as_slice(&self) -> &[EventCells<'m, 'a>] {
        &self.columns
    }

    /// The column of that index in its table.
    #[must_use]
    pub fn find(&self, index: usize) -> Option<&EventCells<'m, 'a>> {
        let found = self.columns.binary_search_by_key(&index, |cells| cells.column.index).ok()?;
        self.columns.get(found)
    }
}

#[inline]
fn is_plain(column: &ColumnCells<'_>, cells: &[Cell<'_>]) -> bool {
    let cql_type = &column.column.cql_type;
    let is_value = |cell: &Cell<'_>| matches!(cell.value, CellValue::Live { value, expiry: None } if !value.is_empty() && !is_no_value(cql_type, value));
    !column.column.multi_cell && *cql_type != CqlType::Counter && matches!(cells, [cell] if is_value(cell))
}

/// The newest and the oldest of some timestamps.
struct Times {
    newest: i64,
    oldest: i64,
}

impl Default for Times {
    fn default() -> Self {
        Self { newest: i64::MIN, oldest: i64::MAX }
    }
}

impl Times {
    #[inline]
    fn add(&mut self, ts_us: i64) {
        self.newest = self.newest.max(ts_us);
        self.oldest = self.oldest.min(ts_us);
    }

    fn newest(&self) -> Option<i64> {
        (self.oldest <= self.newest).then_some(self.newest)
    }

    fn are_one(&self) -> bool {
        self.oldest == self.newest
    }
}
