//! The column lists at the head of a partition update, resolved against the schema.
//!
//! Statements of one shape log the same bytes again and again, so resolved lists are kept by their bytes.

use std::rc::Rc;

use super::mutation::{ColumnLabel, MutationError};
use crate::primitives::{self as bytes, Parsed};
use crate::schema::TableSchema;

/// Resolved lists kept for each table and kind. More shapes than that are resolved anew.
const KEPT: usize = 16;

/// A column list, resolved.
#[derive(Debug)]
pub(super) struct ColumnList {
    /// The list as logged: a vint count, then the names.
    raw: Vec<u8>,
    /// Indexes into the table's static or regular columns, in logged order.
    pub(super) indexes: Vec<usize>,
}

/// Lists seen lately, of one table and kind.
#[derive(Debug, Default)]
pub(super) struct KnownLists {
    lists: Vec<Rc<ColumnList>>,
    next: usize,
}

impl KnownLists {
    /// The list at the start of `input`, and what follows it.
    ///
    /// A list is self-delimiting: an input that begins with the bytes of a known list begins with that list.
    #[inline]
    pub(super) fn read<'a>(
        &mut self,
        input: &'a [u8],
        table: &TableSchema,
        is_static: bool,
    ) -> Result<(&'a [u8], Rc<ColumnList>), ListError> {
        for list in &self.lists {
            if let Some(rest) = input.strip_prefix(list.raw.as_slice()) {
                return Ok((rest, Rc::clone(list)));
            }
        }
        let (rest, list) = resolve(input, table, is_static)?;
        let list = Rc::new(list);
        if self.lists.len() < KEPT {
            self.lists.push(Rc::clone(&list));
        } else if let Some(slot) = self.lists.get_mut(self.next % KEPT) {
            *slot = Rc::clone(&list);
            self.next += 1;
        }
        Ok((rest, list))
    }
}

/// Why a column list could not be resolved.
pub(super) enum ListError {
    Bytes(nom::Err<bytes::Malformed>),
    Schema(MutationError),
}

impl From<nom::Err<bytes::Malformed>> for ListError {
    fn from(error: nom::Err<bytes::Malformed>) -> Self {
        Self::Bytes(error)
    }
}

fn resolve<'a>(
    input: &'a [u8],
    table: &TableSchema,
    is_static: bool,
) -> Result<(&'a [u8], ColumnList), ListError> {
    let (mut rest, count) = bytes::uvint(input)?;
    let mut indexes = Vec::new();
    for _ in 0..count {
        let (after, name) = bytes::vbytes(rest)?;
        let (index, _) = table.column(is_static, name).ok_or_else(|| {
            ListError::Schema(MutationError::UnknownColumn {
                table: table.id,
                column: ColumnLabel::of(name),
                is_static,
            })
        })?;
        indexes.push(index);
        rest = after;
    }
    let raw = input.get(..input.len() - rest.len()).unwrap_or_default().to_vec();
    Ok((rest, ColumnList { raw, indexes }))
}

/// Calls `visit` for each list position that a row's column subset leaves in, in order.
///
/// Fewer than 64 columns: a bitmap of the missing ones. From 64 on: the number of missing ones, then the
/// indexes of whichever side is shorter. The work is bounded by the bytes read and by the cells that follow.
#[inline]
pub(super) fn read_subset<'a>(input: &'a [u8], columns: usize, present: &mut Vec<usize>) -> Parsed<'a, ()> {
    present.clear();
    let (rest, encoded) = bytes::uvint(input)?;
    if encoded == 0 {
        present.extend(0..columns);
        return Ok((rest, ()));
    }
    if columns < 64 {
        if encoded >> columns != 0 {
            return bytes::malformed(input, "a bitmap of the missing columns");
        }
        present.extend((0..columns).filter(|index| encoded >> index & 1 == 0));
        return Ok((rest, ()));
    }
    large_subset(rest, columns, encoded, present)
}

fn large_subset<'a>(
    input: &'a [u8],
    columns: usize,
    encoded: u64,
    present: &mut Vec<usize>,
) -> Parsed<'a, ()> {
    let Some(count) = usize::try_from(encoded).ok().and_then(|missing| columns.checked_sub(missing)) else {
        return bytes::malformed(input, "a number of missing columns no larger than the column list");
    };
    if count < columns / 2 {
        let rest = increasing(input, count, columns, |index| present.push(index))?;
        return Ok((rest, ()));
    }
    let mut next = 0;
    let rest = increasing(input, columns - count, columns, |index| {
        present.extend(next..index);
        next = index + 1;
    })?;
    present.extend(next..columns);
    Ok((rest, ()))
}

/// `count` column indexes, each larger than the one before.
fn increasing(
    input: &[u8],
    count: usize,
    columns: usize,
    mut visit: impl FnMut(usize),
) -> Result<&[u8], nom::Err<bytes::Malformed>> {
    let (mut rest, mut least) = (input, 0);
    for _ in 0..count {
        let (after, index) = bytes::uvint(rest)?;
        match usize::try_from(index) {
            Ok(index) if (least..columns).contains(&index) => {
                visit(index);
                least = index + 1;
            }
            _ => {
                return bytes::malformed(rest, "column indexes in increasing order").map(|(rest, ())| rest);
            }
        }
        rest = after;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cql::CqlType;
    use crate::schema::{Column, ColumnKind, TableId};

    fn subset(input: &[u8], columns: usize) -> Option<Vec<usize>> {
        let mut present = Vec::new();
        let (rest, ()) = read_subset(input, columns, &mut present).ok()?;
        assert!(rest.is_empty());
        Some(present)
    }

    #[test]
    fn lists_seen_lately_are_kept_and_no_more() {
        let columns = (0..3 * KEPT).map(|index| {
            let name = format!("c{index:02}");
            Column::new(&name, ColumnKind::Regular, CqlType::Int, "int")
        });
        let table = TableSchema { regulars: columns.collect(), ..table() };
        let mut lists = KnownLists::default();
        let mut read = |index: usize| {
            let input = format!("\u{1}\u{3}c{index:02}rest");
            let (rest, list) = lists.read(input.as_bytes(), &table, false).ok().unwrap();
            assert_eq!((rest, list.indexes.as_slice()), (&b"rest"[..], &[index][..]));
            list
        };
        let first: Vec<_> = (0..KEPT).map(&mut read).collect();
        for (index, list) in first.iter().enumerate() {
            assert!(Rc::ptr_eq(list, &read(index)), "{index} is kept");
        }
        // Each new one takes the place of the oldest.
        let later: Vec<_> = (KEPT..2 * KEPT + 2).map(&mut read).collect();
        for (index, list) in (KEPT..).zip(&later).skip(2) {
            assert!(Rc::ptr_eq(list, &read(index)), "{index} is kept");
        }
        assert!(!Rc::ptr_eq(&later[0], &read(KEPT)), "{KEPT} was replaced");
    }

    fn table() -> TableSchema {
        TableSchema {
            id: TableId([0; 16]),
            keyspace: "ks".to_owned(),
            name: "t".to_owned(),
            cdc: true,
            view: false,
            counter: false,
            compact: false,
            partition_key: Vec::new(),
            clustering: Vec::new(),
            statics: Vec::new(),
            regulars: Vec::new(),
        }
    }

    #[test]
    fn small_lists_are_bitmaps_of_what_is_missing() {
        assert_eq!(subset(&[0], 3), Some(vec![0, 1, 2]));
        assert_eq!(subset(&[0b010], 3), Some(vec![0, 2]));
        assert_eq!(subset(&[0b111], 3), Some(vec![]));
        assert_eq!(subset(&[0b1000], 3), None);
        assert_eq!(subset(&[0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], 63), Some(vec![0]));
    }

    #[test]
    fn large_lists_name_the_shorter_side() {
        assert_eq!(subset(&[0], 64), Some((0..64).collect()));
        // 62 of 64 missing: the two present ones are named.
        assert_eq!(subset(&[62, 3, 40], 64), Some(vec![3, 40]));
        // 2 of 64 missing: they are named.
        let expected: Vec<usize> = (0..64).filter(|index| *index != 3 && *index != 40).collect();
        assert_eq!(subset(&[2, 3, 40], 64), Some(expected));
        // Exactly half: the missing ones are named.
        let named: Vec<u8> = (0..32).map(|index| index * 2).collect();
        let odd: Vec<usize> = (0..64).filter(|index| index % 2 == 1).collect();
        assert_eq!(subset(&[&[32][..], &named].concat(), 64), Some(odd));
        assert_eq!(subset(&[64], 64), Some(vec![]));
    }

    #[test]
    fn refuses_impossible_subsets() {
        assert_eq!(subset(&[65], 64), None);
        assert_eq!(subset(&[62, 3, 3], 64), None);
        assert_eq!(subset(&[62, 40, 3], 64), None);
        assert_eq!(subset(&[62, 3, 64], 64), None);
        assert_eq!(subset(&[2, 3], 64), None);
    }
}
