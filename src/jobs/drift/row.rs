//! What one side holds of a row, and what it lacks of a write.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::cell::{self, Cell, LIVENESS};
use super::event::Content;
use super::order::KeyOrder;
use super::range::{self, Clustering, RangeDeletion};

/// The newest of every cell that one side told of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct SideRow {
    /// The newest deletion of the row, microseconds.
    deleted_us: Option<i64>,
    /// Every column was written then: what is older of them shows no more. It says nothing of the row's liveness, which
    /// an UPDATE does not write.
    full_us: Option<i64>,
    cells: BTreeMap<String, Cell>,
}

/// What the other side holds beside the row itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    /// Deletions of ranges of its partition.
    pub(super) ranges: &'a [RangeDeletion],
    /// Where the row is in its partition.
    pub(super) clustering: Option<&'a Clustering>,
    /// Order of the clustering columns.
    pub(super) orders: &'a [KeyOrder],
    /// The time that decides what has expired, microseconds.
    pub(super) now_us: i64,
    /// How far clocks may differ, microseconds.
    pub(super) tolerance_us: i64,
}

impl Around<'_> {
    /// The newest deletion of a range that covers the row.
    fn deleted_us(&self) -> Option<i64> {
        let covering = self.ranges.iter().filter(|range| range.covers_row(self.clustering, self.orders));
        covering.map(|range| range.ts_us).max()
    }
}

impl SideRow {
    /// Merges a write, in any order.
    pub(super) fn apply(&mut self, content: &Content) {
        self.deleted_us = self.deleted_us.max(content.row_deletion_us);
        if content.is_full {
            self.full_us = self.full_us.max(oldest(content));
        }
        for (path, cell) in &content.cells {
            match self.cells.get_mut(path) {
                Some(held) if cell.compare(held) != Ordering::Greater => {}
                Some(held) => *held = cell.clone(),
                None => drop(self.cells.insert(path.clone(), cell.clone())),
            }
        }
        let is_covered = |path: &str, cell: &Cell| self.covered_us(path, None) >= Some(cell.ts_us);
        let covered: Vec<String> = self
            .cells
            .iter()
            .filter(|(path, cell)| is_covered(path, cell))
            .map(|(path, _)| path.clone())
            .collect();
        for path in covered {
            self.cells.remove(&path);
        }
    }

    /// The columns that this side lacks of a write of the other side: what it neither holds nor has anything newer for.
    pub(super) fn lacks(&self, content: &Content, around: &Around<'_>) -> BTreeSet<String> {
        let mut lacking = BTreeSet::new();
        let above = self.deleted_us.max(around.deleted_us());
        if let Some(deletion) = content.row_deletion_us
            && above < Some(deletion)
            && !self.is_written_over(deletion)
        {
            lacking.insert("(row)".to_owned());
        }
        if let Some(range) = &content.range
            && !range::are_covering(around.ranges, range, around.orders)
        {
            lacking.insert("(range)".to_owned());
        }
        for (path, cell) in &content.cells {
            if self.lacks_cell(path, cell, above, around) {
                let (column, _) = cell::column(path);
                lacking.insert(if column.is_empty() { "(row)".to_owned() } else { column.to_owned() });
            }
        }
        lacking
    }

    fn lacks_cell(&self, path: &str, cell: &Cell, above: Option<i64>, around: &Around<'_>) -> bool {
        let covered = self.covered_us(path, above);
        let is_written_over = path != LIVENESS && self.full_us > Some(cell.ts_us);
        if covered >= Some(cell.ts_us) || is_written_over {
            return false;
        }
        let held = self.cells.get(path).filter(|held| covered < Some(held.ts_us));
        if let Some(held) = held
            && (cell.compare(held) != Ordering::Greater
                || cell.is_same(held, around.now_us, around.tolerance_us))
        {
            return false;
        }
        // What has expired is missed only where it hid something that shows without it.
        !cell.is_expired(around.now_us) || held.is_some_and(|held| !held.is_dead(around.now_us))
    }

    /// Whether all that a deletion of the row takes away was written anew since: every column, and the row's liveness.
    fn is_written_over(&self, deletion_us: i64) -> bool {
        let is_row_newer = self.cells.get(LIVENESS).is_some_and(|held| held.ts_us > deletion_us);
        is_row_newer && self.full_us > Some(deletion_us)
    }

    /// Time of the newest deletion over a path; `above` is that of the row, ranges included.
    fn covered_us(&self, path: &str, above: Option<i64>) -> Option<i64> {
        let (_, deletion) = cell::column(path);
        let complex = deletion.and_then(|deletion| self.cells.get(&deletion)).map(|cell| cell.ts_us);
        self.deleted_us.max(above).max(complex)
    }

    /// Whether all columns were written, or the row deleted, at some time.
    pub(super) fn is_whole(&self) -> bool {
        self.full_us.is_some()
    }

    /// Whether all columns that are older than this time are out of sight on this side.
    pub(super) fn hides(&self, ts_us: i64, around: &Around<'_>) -> bool {
        self.full_us > Some(ts_us) || self.deleted_us.max(around.deleted_us()) >= Some(ts_us)
    }
}

/// The columns that a side lacks of a write when all that is known of it is another write of the same row: what merging the
/// one into the other would change. `now_us` decides what has expired.
#[must_use]
pub fn lacking(held: &Content, written: &Content, orders: &[KeyOrder], now_us: i64) -> BTreeSet<String> {
    let mut row = SideRow::default();
    row.apply(held);
    let around = Around { ranges: held.range.as_slice(), clustering: None, orders, now_us, tolerance_us: 0 };
    row.lacks(written, &around)
}

/// Time of the oldest part of a write.
fn oldest(content: &Content) -> Option<i64> {
    content.cells.iter().map(|(_, cell)| cell.ts_us).chain(content.row_deletion_us).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::drift::cell::{all_elements, element};

    fn write(cells: &[(&str, i64, Option<&str>)]) -> Content {
        let cell = |(path, ts_us, value): &(&str, i64, Option<&str>)| {
            ((*path).to_owned(), Cell { ts_us: *ts_us, value: value.map(str::to_owned), expires_at: None })
        };
        Content { cells: cells.iter().map(cell).collect(), ..Content::default() }
    }

    fn around(ranges: &[RangeDeletion]) -> Around<'_> {
        Around { ranges, clustering: None, orders: &[], now_us: 0, tolerance_us: 0 }
    }

    fn holding(writes: &[Content]) -> SideRow {
        let mut row = SideRow::default();
        for content in writes {
            row.apply(content);
        }
        row
    }

    fn lacks(row: &SideRow, content: &Content) -> Vec<String> {
        row.lacks(content, &around(&[])).into_iter().collect()
    }

    #[test]
    fn newer_cells_cells_of_the_same_time_and_deletions() {
        let row = holding(&[write(&[(LIVENESS, 5, Some("")), ("a", 5, Some("1")), ("b", 5, Some("1"))])]);
        assert_eq!(lacks(&row, &write(&[("a", 5, Some("1")), ("b", 4, Some("2"))])), [""; 0]);
        assert_eq!(lacks(&row, &write(&[("a", 5, Some("0")), ("b", 5, Some("2"))])), ["b"]);
        assert_eq!(lacks(&row, &write(&[("a", 6, Some("1")), ("c", 1, None)])), ["a", "c"]);
        let deleted = Content { row_deletion_us: Some(5), ..Content::default() };
        assert_eq!(lacks(&row, &deleted), ["(row)"]);
        let mut row = row;
        row.apply(&deleted);
        assert_eq!(row.cells, BTreeMap::new());
        assert_eq!(lacks(&row, &write(&[("a", 5, Some("9")), ("c", 1, None)])), [""; 0]);
        let partition = [RangeDeletion { start: None, end: None, ts_us: 7 }];
        assert!(holding(&[]).lacks(&write(&[("a", 7, Some("1"))]), &around(&partition)).is_empty());
    }

    #[test]
    fn a_whole_collection_hides_older_elements() {
        let tag = element("tags", "\"a\"");
        let row = holding(&[
            write(&[(&tag, 3, Some(""))]),
            write(&[(&all_elements("tags"), 4, None), (&element("tags", "\"b\""), 5, Some(""))]),
        ]);
        assert_eq!(row.cells.len(), 2);
        assert_eq!(lacks(&row, &write(&[(&tag, 4, Some(""))])), [""; 0]);
        assert_eq!(lacks(&row, &write(&[(&tag, 5, Some(""))])), ["tags"]);
        assert_eq!(lacks(&row, &write(&[(&all_elements("tags"), 5, None)])), ["tags"]);
    }

    #[test]
    fn a_row_written_whole_hides_what_is_older() {
        let full = Content { is_full: true, ..write(&[("a", 8, Some("1")), ("b", 9, None)]) };
        let row = holding(&[full]);
        assert_eq!(lacks(&row, &write(&[("c", 7, Some("1"))])), [""; 0]);
        assert_eq!(lacks(&row, &write(&[("c", 8, Some("1"))])), ["c"]);
        // Columns alone, as an UPDATE writes them: liveness of the row that is older lives on, and a deletion takes it away.
        let deletion = |ts_us| Content { row_deletion_us: Some(ts_us), ..Content::default() };
        assert_eq!(lacks(&row, &write(&[(LIVENESS, 7, Some(""))])), ["(row)"]);
        assert_eq!(lacks(&row, &deletion(7)), ["(row)"]);
        let mut row = row;
        row.apply(&write(&[(LIVENESS, 8, Some(""))]));
        assert_eq!(lacks(&row, &write(&[(LIVENESS, 7, Some(""))])), [""; 0]);
        assert_eq!(lacks(&row, &deletion(7)), [""; 0]);
        assert_eq!(lacks(&row, &deletion(8)), ["(row)"]);
    }

    #[test]
    fn what_has_expired_is_missed_only_over_something_older() {
        let mut content = write(&[("a", 5, Some("1"))]);
        content.cells[0].1.expires_at = Some(1);
        let at = |now_us| Around { now_us, ..around(&[]) };
        assert!(!holding(&[]).lacks(&content, &at(999_999)).is_empty());
        assert!(holding(&[]).lacks(&content, &at(1_000_000)).is_empty());
        let older = holding(&[write(&[("a", 4, Some("0"))])]);
        assert!(!older.lacks(&content, &at(1_000_000)).is_empty());
    }
}
