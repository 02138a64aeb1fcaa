//! Deletions of ranges, and which rows and ranges they cover.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::order::KeyOrder;

/// Values of clustering columns in their order.
pub type Clustering = Vec<Value>;

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Values of the first clustering columns.
    pub values: Clustering,
    /// Whether rows with these values are inside.
    pub inclusive: bool,
}

/// The deletion of the rows between two bounds; None is open. Both open: the whole partition with its static row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeDeletion {
    /// Where it begins, in clustering order.
    pub start: Option<Bound>,
    /// Where it ends.
    pub end: Option<Bound>,
    /// Its time, microseconds: it deletes what is as old or older.
    pub ts_us: i64,
}

/// A place between rows: values, and whether it is before (-1) or behind (1) all rows that begin with them. None: before
/// or behind everything.
type Edge<'r> = (Option<&'r [Value]>, i8);

impl RangeDeletion {
    /// Whether it takes the whole partition.
    pub(super) fn is_partition(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }

    /// Whether a row is inside; of a static row only the deletion of the partition is.
    pub(super) fn covers_row(&self, row: Option<&Clustering>, orders: &[KeyOrder]) -> bool {
        match row {
            _ if self.is_partition() => true,
            None => false,
            Some(row) => {
                let place = (Some(row.as_slice()), 0);
                compare(self.start_edge(), place, orders) == Ordering::Less
                    && compare(place, self.end_edge(), orders) == Ordering::Less
            }
        }
    }

    fn start_edge(&self) -> Edge<'_> {
        match &self.start {
            None => (None, -1),
            Some(bound) => (Some(&bound.values), if bound.inclusive { -1 } else { 1 }),
        }
    }

    fn end_edge(&self) -> Edge<'_> {
        match &self.end {
            None => (None, 1),
            Some(bound) => (Some(&bound.values), if bound.inclusive { 1 } else { -1 }),
        }
    }
}

/// Whether `ranges` together delete all that `wanted` deletes, as new or newer.
pub(super) fn are_covering(ranges: &[RangeDeletion], wanted: &RangeDeletion, orders: &[KeyOrder]) -> bool {
    let newer = || ranges.iter().filter(|range| range.ts_us >= wanted.ts_us);
    if newer().any(RangeDeletion::is_partition) {
        return true;
    }
    if wanted.is_partition() {
        return false;
    }
    // From the start on, each step goes as far as a range leads that covers the place.
    let mut reached = wanted.start_edge();
    loop {
        if compare(reached, wanted.end_edge(), orders) != Ordering::Less {
            return true;
        }
        let covers = |range: &&RangeDeletion| {
            compare(range.start_edge(), reached, orders) != Ordering::Greater
                && compare(range.end_edge(), reached, orders) == Ordering::Greater
        };
        let ends = newer().filter(covers).map(RangeDeletion::end_edge);
        match ends.max_by(|one, two| compare(*one, *two, orders)) {
            Some(end) => reached = end,
            None => return false,
        }
    }
}

fn compare(one: Edge<'_>, two: Edge<'_>, orders: &[KeyOrder]) -> Ordering {
    let (first, second) = match (one.0, two.0) {
        (None, None) => return one.1.cmp(&two.1),
        (None, _) => return one.1.cmp(&0),
        (_, None) => return 0.cmp(&two.1),
        (Some(first), Some(second)) => (first, second),
    };
    for ((value, other), order) in first.iter().zip(second).zip(orders) {
        let by_value = order.compare(value, other);
        if by_value != Ordering::Equal {
            return by_value;
        }
    }
    match first.len().cmp(&second.len()) {
        Ordering::Equal => one.1.cmp(&two.1),
        // The one with fewer values stands at an edge of all rows that begin with them.
        Ordering::Less => one.1.cmp(&0),
        Ordering::Greater => 0.cmp(&two.1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jobs::drift::order::KeyType;

    fn orders() -> Vec<KeyOrder> {
        [false, true].map(|descending| KeyOrder { kind: KeyType::Number, descending }).to_vec()
    }

    fn range(start: Option<(Value, bool)>, end: Option<(Value, bool)>, ts_us: i64) -> RangeDeletion {
        let bound = |(values, inclusive): (Value, bool)| Bound {
            values: values.as_array().unwrap().clone(),
            inclusive,
        };
        RangeDeletion { start: start.map(bound), end: end.map(bound), ts_us }
    }

    #[test]
    fn rows_inside() {
        let row = |a: i64, b: i64| Some(vec![json!(a), json!(b)]);
        // (a, b) with b descending: a = 3 and b < 9, then a = 4, up to a < 6.
        let wide = range(Some((json!([3, 9]), false)), Some((json!([6]), false)), 1);
        for (a, b, inside) in [(3, 9, false), (3, 10, false), (3, 8, true), (4, 0, true), (6, 1, false)] {
            assert_eq!(wide.covers_row(row(a, b).as_ref(), &orders()), inside, "{a} {b}");
        }
        let prefix = range(Some((json!([3]), true)), Some((json!([3]), true)), 1);
        assert!(prefix.covers_row(row(3, 7).as_ref(), &orders()));
        assert!(!prefix.covers_row(row(2, 7).as_ref(), &orders()));
        assert!(!prefix.covers_row(None, &orders()), "the static row");
        let rows = range(Some((json!([]), true)), Some((json!([]), true)), 1);
        assert!(rows.covers_row(row(0, 0).as_ref(), &orders()) && !rows.covers_row(None, &orders()));
        assert!(range(None, None, 1).covers_row(None, &orders()));
    }

    #[test]
    fn ranges_that_together_cover_another() {
        let wanted = range(Some((json!([1]), true)), Some((json!([9]), true)), 5);
        let first = range(None, Some((json!([4]), false)), 5);
        let second = range(Some((json!([4]), true)), None, 7);
        assert!(are_covering(&[second.clone(), first.clone()], &wanted, &orders()));
        let behind = range(Some((json!([4]), false)), None, 7);
        assert!(!are_covering(&[behind, first.clone()], &wanted, &orders()), "a = 4 is left");
        let older = RangeDeletion { ts_us: 4, ..second };
        assert!(!are_covering(&[older, first], &wanted, &orders()));
        assert!(are_covering(&[range(None, None, 5)], &wanted, &orders()));
        let rows = range(Some((json!([]), true)), Some((json!([]), true)), 9);
        assert!(!are_covering(&[rows], &range(None, None, 5), &orders()), "the static row is left");
    }
}
