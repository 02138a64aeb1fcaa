//! Whether a row is there at all, in every history of a few writes: an INSERT leaves row liveness, an UPDATE does not.

use super::cell::{Cell, LIVENESS};
use super::event::Content;
use super::row::{Around, SideRow};

/// What is written to a row of two columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    /// `INSERT` of both columns, or of the first.
    Insert { is_whole: bool },
    /// `UPDATE` of both columns, or of the first: a value, or null.
    Update { is_whole: bool, is_null: bool },
    /// `DELETE` of the row.
    Delete,
}

const WRITES: [Write; 7] = [
    Write::Insert { is_whole: true },
    Write::Insert { is_whole: false },
    Write::Update { is_whole: true, is_null: false },
    Write::Update { is_whole: true, is_null: true },
    Write::Update { is_whole: false, is_null: false },
    Write::Update { is_whole: false, is_null: true },
    Write::Delete,
];

impl Write {
    /// What it writes to a column: None where it does not touch it, Some(None) of a null.
    fn column(self, is_second: bool, ts_us: i64) -> Option<Option<String>> {
        match self {
            Self::Insert { is_whole } if is_whole || !is_second => Some(Some(ts_us.to_string())),
            Self::Update { is_whole, is_null } if is_whole || !is_second => {
                Some((!is_null).then(|| ts_us.to_string()))
            }
            _ => None,
        }
    }

    fn content(self, ts_us: i64) -> Content {
        if self == Self::Delete {
            return Content { row_deletion_us: Some(ts_us), is_full: true, ..Content::default() };
        }
        let cell = |value| Cell { ts_us, value, expires_at: None };
        let of = |path: &str, is_second| Some((path.to_owned(), cell(self.column(is_second, ts_us)?)));
        let mut cells: Vec<_> = of("a", false).into_iter().chain(of("b", true)).collect();
        let is_full = cells.len() == 2;
        if matches!(self, Self::Insert { .. }) {
            cells.push((LIVENESS.to_owned(), cell(Some("true".to_owned()))));
        }
        Content { cells, is_full, ..Content::default() }
    }
}

/// Writes with their times, no two of one time.
type Side = Vec<(i64, Write)>;

/// The newest of what a side holds: of the row's liveness, of both columns; and the deletion that everything is newer than.
type Held = (Option<i64>, [Option<(i64, Option<String>)>; 2], Option<i64>);

fn held(side: &Side) -> Held {
    let deleted_us = side.iter().filter(|(_, write)| *write == Write::Delete).map(|(ts_us, _)| *ts_us).max();
    let alive = || side.iter().filter(move |(ts_us, _)| Some(*ts_us) > deleted_us);
    let column = |is_second| {
        let cells = alive().filter_map(|(ts_us, write)| Some((*ts_us, write.column(is_second, *ts_us)?)));
        cells.max_by_key(|(ts_us, _)| *ts_us)
    };
    let inserts = alive().filter(|(_, write)| matches!(write, Write::Insert { .. }));
    (inserts.map(|(ts_us, _)| *ts_us).max(), [column(false), column(true)], deleted_us)
}

/// What SELECT shows; None where there is no row.
fn shown(side: &Side) -> Option<[Option<String>; 2]> {
    let (live_us, columns, _) = held(side);
    let values = columns.map(|cell| cell.and_then(|(_, value)| value));
    (live_us.is_some() || values.iter().any(Option::is_some)).then_some(values)
}

/// Whether one of two sides lacks a write of the other.
fn differ(sides: &[Side; 2]) -> bool {
    let around = Around { ranges: &[], clustering: None, orders: &[], now_us: i64::MAX, tolerance_us: 0 };
    let row = |side: &Side| {
        let mut row = SideRow::default();
        side.iter().for_each(|(ts_us, write)| row.apply(&write.content(*ts_us)));
        row
    };
    let [one, two] = sides;
    let lacks = |row: &SideRow, other: &Side| {
        other.iter().any(|(ts_us, write)| !row.lacks(&write.content(*ts_us), &around).is_empty())
    };
    lacks(&row(one), two) || lacks(&row(two), one)
}

/// Every history of so many writes, each of which both sides have, or one.
fn histories(count: u32, mut look: impl FnMut(&[Side; 2])) {
    let kinds = WRITES.len() * 3;
    for number in 0..kinds.pow(count) {
        let mut sides = [Side::new(), Side::new()];
        let mut rest = number;
        for ts_us in 1..=i64::from(count) {
            let (of, write) = (rest % 3, WRITES[rest / 3 % WRITES.len()]);
            rest /= kinds;
            for (place, side) in sides.iter_mut().enumerate() {
                if of == place || of == 2 {
                    side.push((ts_us, write));
                }
            }
        }
        look(&sides);
    }
}

#[test]
fn what_select_shows_on_one_side_alone_is_never_a_match() {
    let mut count = 0;
    histories(3, |sides| {
        let [one, two] = sides;
        if shown(one) != shown(two) {
            count += 1;
            assert!(differ(sides), "{sides:?}");
        }
        if held(one) == held(two) {
            assert!(!differ(sides), "{sides:?}");
        }
    });
    assert!(count > 1000, "{count}");
}
