//! Cells, and which of two is newer: Cassandra's rules of reconciliation.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A cell with its own time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Write time, microseconds.
    pub ts_us: i64,
    /// The value as compact JSON; None of a tombstone.
    pub value: Option<String>,
    /// When it expires, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// Separates a column's name from the path of an element.
const SEPARATOR: char = '\0';

/// Path of the row's own liveness.
pub(super) const LIVENESS: &str = "";

/// Path of one element of a column.
pub(super) fn element(column: &str, path: &str) -> String {
    format!("{column}{SEPARATOR}{path}")
}

/// Path of the deletion of all elements of a column.
pub(super) fn all_elements(column: &str) -> String {
    element(column, "")
}

/// The column of a path, and the path of the deletion that takes this cell away.
pub(super) fn column(path: &str) -> (&str, Option<String>) {
    match path.split_once(SEPARATOR) {
        Some((column, "")) => (column, None),
        Some((column, _)) => (column, Some(all_elements(column))),
        None => (path, None),
    }
}

impl Cell {
    /// Whether it shows no value at this time: a tombstone, or expired.
    pub(super) fn is_dead(&self, now_us: i64) -> bool {
        self.value.is_none() || self.is_expired(now_us)
    }

    /// Whether its time to live is over.
    pub(super) fn is_expired(&self, now_us: i64) -> bool {
        self.expires_us().is_some_and(|expires| expires <= now_us)
    }

    /// When it expires, microseconds.
    pub(super) fn expires_us(&self) -> Option<i64> {
        self.expires_at.map(|seconds| seconds.saturating_mul(1_000_000))
    }

    /// Which of two cells of one path Cassandra keeps. Of the same time a tombstone wins, then what expires, the later
    /// the better, then the larger value.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.ts_us
            .cmp(&other.ts_us)
            .then_with(|| self.value.is_none().cmp(&other.value.is_none()))
            .then_with(|| self.expires_at.cmp(&other.expires_at))
            .then_with(|| compare_values(self.value.as_deref(), other.value.as_deref()))
    }

    /// Whether two cells are the same write, as far as anybody can see at this time. Of one that has expired repair
    /// leaves a tombstone; coordinators of two clusters count a time to live by their own clocks.
    pub(super) fn is_same(&self, other: &Self, now_us: i64, tolerance_us: i64) -> bool {
        if self.ts_us != other.ts_us {
            return false;
        }
        if self == other || (self.is_dead(now_us) && other.is_dead(now_us)) {
            return true;
        }
        let are_close = match (self.expires_us(), other.expires_us()) {
            (Some(one), Some(two)) => one.abs_diff(two) <= tolerance_us.unsigned_abs(),
            (None, None) => true,
            _ => false,
        };
        are_close && self.value == other.value
    }
}

/// The order of two values' bytes in Cassandra, as far as JSON tells: integers and doubles by their unsigned bits, texts
/// by their bytes.
fn compare_values(one: Option<&str>, two: Option<&str>) -> Ordering {
    let parsed = |text: Option<&str>| {
        text.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok()).unwrap_or_default()
    };
    if one == two {
        return Ordering::Equal;
    }
    let (first, second) = (parsed(one), parsed(two));
    if let (Some(first), Some(second)) = (first.as_i64(), second.as_i64()) {
        return first.cast_unsigned().cmp(&second.cast_unsigned());
    }
    if let (Some(first), Some(second)) = (first.as_f64(), second.as_f64()) {
        return first.to_bits().cmp(&second.to_bits());
    }
    match (first.as_str(), second.as_str()) {
        (Some(first), Some(second)) => first.as_bytes().cmp(second.as_bytes()),
        _ => one.cmp(&two),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(ts_us: i64, value: &str) -> Cell {
        Cell { ts_us, value: Some(value.to_owned()), expires_at: None }
    }

    /// `org.apache.cassandra.db.rows.Cells.reconcile`, from the weakest to the strongest.
    #[test]
    fn reconciliation() {
        let dead = |ts_us| Cell { ts_us, value: None, expires_at: None };
        let expiring = |ts_us, expires_at| Cell { expires_at: Some(expires_at), ..live(ts_us, "1") };
        let order = [
            dead(4),
            live(5, "1"),
            live(5, "2"),
            live(5, "10"),
            live(5, "-1"),
            expiring(5, 100),
            expiring(5, 101),
            dead(5),
            live(6, "1"),
        ];
        for (number, cell) in order.iter().enumerate() {
            for (other, stronger) in order.iter().enumerate() {
                assert_eq!(cell.compare(stronger), number.cmp(&other), "{cell:?} {stronger:?}");
            }
        }
        assert_eq!(live(1, "\"b\"").compare(&live(1, "\"a\"")), Ordering::Greater);
        assert_eq!(live(1, "-1.5").compare(&live(1, "1.5")), Ordering::Greater);
    }

    #[test]
    fn expired_is_what_repair_leaves_of_it() {
        let cell = Cell { expires_at: Some(10), ..live(5, "1") };
        let tombstone = Cell { ts_us: 5, value: None, expires_at: None };
        assert!(!cell.is_same(&tombstone, 9_999_999, 0));
        assert!(cell.is_same(&tombstone, 10_000_000, 0));
        let other = Cell { expires_at: Some(12), ..cell.clone() };
        assert!(cell.is_same(&other, 0, 2_000_000) && !cell.is_same(&other, 0, 1_999_999));
        assert!(!cell.is_same(&live(5, "1"), 0, 2_000_000));
    }

    #[test]
    fn paths() {
        assert_eq!(column(&element("tags", "\"a\"")), ("tags", Some(all_elements("tags"))));
        assert_eq!(column(&all_elements("tags")), ("tags", None));
        assert_eq!(column("note"), ("note", None));
    }
}
