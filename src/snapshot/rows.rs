//! The rows of a page → change events.

use sha2::{Digest, Sha256};

use super::select::{Place, Select, Times};
use crate::change::ChangeEvent;
use crate::commitlog::mutation::{Cell, CellValue, Expiry, Mutation, NO_TIMESTAMP, PartitionUpdate};
use crate::primitives::{self, Malformed};
use crate::schema::Column;
use crate::schema::source::Page;

/// A page that is not as it was asked for. Never holds data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node's answer is not as it was asked for: {0}")]
pub struct PageError(&'static str);

/// Calls `visit` for every event of a page that `select` asked for: for the static row of a partition before its
/// first row, and for each row.
///
/// `partition` is a hash of the partition of the last row before the page, and then of its own last row: a static row
/// comes once. `read_s` is the second, since 1970, in which the node read the page: what is left of a TTL counts from
/// there.
///
/// # Errors
/// The page does not fit; events before that were visited already. What `visit` returns.
pub fn for_each_read<E: From<PageError>>(
    page: &Page,
    select: &Select,
    partition: &mut Option<u64>,
    read_s: u32,
    mut visit: impl FnMut(ChangeEvent<'_, '_>) -> Result<(), E>,
) -> Result<(), E> {
    let (key_places, clustering_places) = select.key_places();
    let table = select.table();
    let mut key = Vec::new();
    for row in 0..page.rows() {
        key.clear();
        partition_key(page, row, key_places.clone(), &mut key)?;
        let update = PartitionUpdate::of_partition(table, &key);
        let reading = Reading { page, row, read_s };
        let hash = Some(hash_of(&key));
        if std::mem::replace(partition, hash) != hash {
            let cells = reading.cells(&table.statics, select.places(true))?;
            if cells.iter().any(|(_, _, cell)| matches!(cell.value, CellValue::Live { .. })) {
                let mut mutation = Mutation::default();
                let static_row = mutation.set_row(true, [], cells);
                visit(ChangeEvent::read(&update, &mutation, &static_row))?;
            }
        }
        let clustering = clustering_places.clone().map(|place| page.value(row, place));
        if clustering.clone().any(|value| value.is_none()) {
            // A partition that has a static row and no other one.
            continue;
        }
        let cells = reading.cells(&table.regulars, select.places(false))?;
        let mut mutation = Mutation::default();
        let read = mutation.set_row(false, clustering, cells);
        visit(ChangeEvent::read(&update, &mutation, &read))?;
    }
    Ok(())
}

/// The token of the last row of a page.
#[must_use]
pub fn last_token(page: &Page, select: &Select) -> Option<i64> {
    let token = page.value(page.rows().checked_sub(1)?, select.token_place())?;
    token.try_into().ok().map(i64::from_be_bytes)
}

/// The partition key as the log has it: one column raw; several with length and end.
fn partition_key(
    page: &Page,
    row: usize,
    places: std::ops::Range<usize>,
    out: &mut Vec<u8>,
) -> Result<(), PageError> {
    let is_single = places.len() == 1;
    for place in places {
        let value = page.value(row, place).ok_or(PageError("a column of a partition key is null"))?;
        if is_single {
            out.extend_from_slice(value);
        } else {
            let length = u16::try_from(value.len()).map_err(|_| PageError("a partition key is too long"))?;
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(value);
            out.push(0);
        }
    }
    Ok(())
}

/// Equal for equal keys, and hardly for others.
fn hash_of(key: &[u8]) -> u64 {
    let digest = Sha256::digest(key);
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// One row of a page.
#[derive(Clone, Copy)]
struct Reading<'p> {
    page: &'p Page,
    row: usize,
    read_s: u32,
}

type ColumnCell<'a> = (usize, &'a Column, Cell<'a>);

impl<'p> Reading<'p> {
    /// The columns of the table that were asked for, each with its cell.
    fn cells<'a>(self, columns: &'a [Column], places: &[Place]) -> Result<Vec<ColumnCell<'a>>, PageError>
    where
        'p: 'a,
    {
        let cell = |place: &Place| {
            let column = columns.get(place.index).ok_or(PageError("a column is not the table's"))?;
            Ok((place.index, column, self.cell(*place)?))
        };
        places.iter().map(cell).collect()
    }

    fn cell(self, place: Place) -> Result<Cell<'p>, PageError> {
        let Some(value) = self.page.value(self.row, place.value) else {
            // Nothing tells when it was deleted, or whether it was ever written.
            return Ok(Cell {
                ts_us: NO_TIMESTAMP,
                path: None,
                value: CellValue::Tombstone { local_time: 0 },
            });
        };
        let (ts_us, left) = match place.times {
            Some(times) => self.times(times)?,
            None => (None, None),
        };
        let expiry = left.map(|left| Expiry { ttl: 0, local_time: self.read_s.saturating_add(left) });
        Ok(Cell {
            ts_us: ts_us.unwrap_or(NO_TIMESTAMP),
            path: None,
            value: CellValue::Live { value, expiry },
        })
    }

    /// Write time and rest of the TTL: of a value; or of all elements of a collection or user-defined type, where they
    /// share both.
    fn times(self, times: Times) -> Result<(Option<i64>, Option<u32>), PageError> {
        let (ts_us, left) =
            (self.page.value(self.row, times.place), self.page.value(self.row, times.place + 1));
        if !times.is_list {
            return Ok((ts_us.and_then(number), left.and_then(seconds)));
        }
        let ts_us = elements(ts_us).map_err(cut)?;
        let left = elements(left).map_err(cut)?;
        let pairs = ts_us.iter().enumerate().filter_map(|(index, ts_us)| {
            // A field of a user-defined type that is null has none.
            let left = left.get(index).copied().flatten();
            ts_us.map(|ts_us| (number(ts_us), left.and_then(seconds)))
        });
        let mut pairs = pairs.peekable();
        let first = pairs.peek().copied();
        Ok(first.filter(|first| pairs.all(|pair| pair == *first)).unwrap_or((None, None)))
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

fn seconds(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(i32::from_be_bytes).and_then(|seconds| u32::try_from(seconds).ok())
}

fn cut(_: nom::Err<Malformed>) -> PageError {
    PageError("a list of times is cut short")
}

/// The elements of a serialised list.
fn elements(list: Option<&[u8]>) -> Result<Vec<Option<&[u8]>>, nom::Err<Malformed>> {
    let mut elements = Vec::new();
    let Some(list) = list else { return Ok(elements) };
    let (mut rest, count) = primitives::i32(list)?;
    for _ in 0..count {
        let (after, length) = primitives::i32(rest)?;
        let Ok(length) = usize::try_from(length) else {
            rest = after;
            elements.push(None);
            continue;
        };
        let (after, bytes) = primitives::slice(length)(after)?;
        rest = after;
        elements.push(Some(bytes));
    }
    Ok(elements)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::change::{Operation, Shape};
    use crate::schema::ddl;
    use crate::schema::{TableSchema, build};

    /// Two columns of partition key, a static, a collection.
    pub(in crate::snapshot) const TABLE: &str = "CREATE TABLE k.t (p text, \"Q\" int, c int, s text static, v int, tags set<text>, \
         PRIMARY KEY ((p, \"Q\"), c)) WITH ID = 00000000-0000-0000-0000-000000000001;";

    pub(in crate::snapshot) fn table(cql: &str) -> TableSchema {
        let rows = ddl::parse(&format!(
            "CREATE KEYSPACE k WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}; {cql}"
        ));
        let built = build(&rows.unwrap().rows);
        built.schema.tables().find(|table| table.name == "t").unwrap().as_ref().clone()
    }

    type Value<'v> = Option<&'v [u8]>;

    /// A page of `k.t` from 4.1: token, p, Q, c, s and its times, tags, v and its times.
    fn page(rows: &[[Value<'_>; 11]]) -> Page {
        let mut page = Page::new(11);
        rows.iter().flatten().for_each(|value| page.push(*value));
        page
    }

    const TIME: Value<'_> = Some(&1_700_000_000_000_000_i64.to_be_bytes());
    const LEFT: Value<'_> = Some(&100_i32.to_be_bytes());

    fn row<'v>(p: &'v [u8], c: Value<'v>, s: Value<'v>, v: Value<'v>, left: Value<'v>) -> [Value<'v>; 11] {
        let time = |value: Value<'_>| value.and(TIME);
        let token = Some(&[0, 0, 0, 0, 0, 0, 0, 9][..]);
        [token, Some(p), Some(&[0, 0, 0, 7]), c, s, time(s), None, None, v, time(v), left]
    }

    fn read(pages: &[Page]) -> Vec<(bool, Vec<u8>, String)> {
        let select = Select::new(&table(TABLE), 4).unwrap();
        let (mut events, mut partition) = (Vec::new(), None);
        for page in pages {
            for_each_read::<PageError>(page, &select, &mut partition, 1000, |event| {
                assert_eq!(event.operation, Operation::Read);
                let is_static = matches!(event.shape, Shape::StaticRow);
                let cells = event.columns().iter().map(|column| {
                    let cell = event.cells(column)[0];
                    format!("{} {} {:?}", column.column.name, cell.ts_us, cell.value)
                });
                events.push((
                    is_static,
                    event.update.partition_key.to_vec(),
                    cells.collect::<Vec<_>>().join("; "),
                ));
                Ok(())
            })
            .unwrap();
        }
        events
    }

    #[test]
    fn a_static_row_comes_once_and_before_its_rows() {
        let one: Value<'_> = Some(&[0, 0, 0, 1]);
        let first = page(&[row(b"a", one, Some(b"x"), one, None), row(b"a", one, Some(b"x"), None, None)]);
        let second = page(&[row(b"a", one, Some(b"x"), one, None), row(b"b", None, Some(b"y"), None, None)]);
        let third = page(&[row(b"c", one, None, one, None)]);
        let events = read(&[first, second, third]);
        let kinds: Vec<(bool, u8)> = events.iter().map(|(is_static, key, _)| (*is_static, key[2])).collect();
        let (a, b, c) = (b'a', b'b', b'c');
        assert_eq!(kinds, [(true, a), (false, a), (false, a), (false, a), (true, b), (false, c)]);
        assert_eq!(events[0].1, b"\0\x01a\0\0\x04\0\0\0\x07\0", "lengths and ends of a composite key");
    }

    #[test]
    fn times_are_those_that_cql_tells() {
        let one: Value<'_> = Some(&[0, 0, 0, 1]);
        let mut with_tags = row(b"a", one, None, one, LEFT);
        with_tags[7] = Some(b"serialised");
        let events = read(&[page(&[with_tags])]);
        assert_eq!(
            events[0].2,
            "tags -9223372036854775808 Live { value: [115, 101, 114, 105, 97, 108, 105, 115, 101, 100], expiry: None }; \
             v 1700000000000000 Live { value: [0, 0, 0, 1], expiry: Some(Expiry { ttl: 0, local_time: 1100 }) }"
        );
        let null = read(&[page(&[row(b"a", one, None, None, None)])]);
        assert!(null[0].2.ends_with("v -9223372036854775808 Tombstone { local_time: 0 }"), "{}", null[0].2);
    }

    #[test]
    fn elements_share_their_times_or_none_is_known() {
        let list = |values: &[Option<&[u8]>]| {
            let mut bytes = i32::try_from(values.len()).unwrap().to_be_bytes().to_vec();
            for value in values {
                let length = value.map_or(-1, |value| i32::try_from(value.len()).unwrap());
                bytes.extend(length.to_be_bytes());
                bytes.extend(value.unwrap_or_default());
            }
            bytes
        };
        let times = |ts_us: &[Option<&[u8]>], left: &[Option<&[u8]>]| {
            let mut page = Page::new(2);
            page.push(Some(&list(ts_us)));
            page.push(Some(&list(left)));
            let reading = Reading { page: &page, row: 0, read_s: 0 };
            reading.times(Times { place: 0, is_list: true }).unwrap()
        };
        let other: Value<'_> = Some(&5_i64.to_be_bytes());
        assert_eq!(times(&[TIME, None, TIME], &[None, None, None]), (Some(1_700_000_000_000_000), None));
        assert_eq!(times(&[TIME, TIME], &[LEFT, LEFT]), (Some(1_700_000_000_000_000), Some(100)));
        assert_eq!(times(&[TIME, TIME], &[LEFT, None]), (None, None));
        assert_eq!(times(&[TIME, other], &[None, None]), (None, None));
        assert_eq!(times(&[], &[]), (None, None));
    }
}
