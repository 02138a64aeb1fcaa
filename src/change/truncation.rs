//! Mutations of `system.local` → the tables that a node truncated.
//!
//! A `TRUNCATE` is no mutation of its table. When a node has dropped the table's data it adds an element to
//! `system.local.truncated_at`: the table's id, and as a blob where in the log the data ended (segment id, 8 bytes, and
//! offset, 4 bytes) and the time in milliseconds (8 bytes). The element of a table that is dropped is deleted.
//! Source: `SystemKeyspace.truncationAsMapEntry` and `CommitLogPosition` of Cassandra 4.0 to 5.0, and what real nodes
//! logged (the fixtures).

use crate::commitlog::SegmentId;
use crate::commitlog::mutation::{Cell, CellValue, Mutation, Row, Unfiltered};
use crate::primitives;
use crate::schema::TableId;

/// What a node notes of a table that it truncated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// The table.
    pub table: TableId,
    /// Until where and when; `None` when what is noted is not as Cassandra writes it.
    pub extent: Option<Extent>,
}

/// What a truncation took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The segment that was written then.
    pub segment: SegmentId,
    /// Offset in it, in bytes of the uncompressed log: changes of the table that are logged before it are gone.
    pub offset: u32,
    /// Milliseconds since 1970, by the node's clock.
    pub at_ms: i64,
}

/// The truncations that a mutation notes; none for nearly every mutation.
#[must_use]
pub fn truncations(mutation: &Mutation<'_>) -> Vec<Truncation> {
    let is_local =
        |table: &crate::schema::TableSchema| (&*table.keyspace, &*table.name) == ("system", "local");
    let local = mutation.updates().iter().filter(|update| is_local(update.table));
    let rows =
        local.flat_map(|update| mutation.unfiltereds(update)).filter_map(|unfiltered| match unfiltered {
            Unfiltered::Row(row) => Some(row),
            Unfiltered::Marker(_) => None,
        });
    rows.flat_map(|row| of_row(mutation, row)).collect()
}

fn of_row(mutation: &Mutation<'_>, row: &Row) -> Vec<Truncation> {
    let columns = mutation.columns(row).iter().filter(|column| column.column.name == "truncated_at");
    columns.flat_map(|column| mutation.cells(column)).filter_map(of_cell).collect()
}

fn of_cell(cell: &Cell<'_>) -> Option<Truncation> {
    let CellValue::Live { value, .. } = cell.value else { return None };
    let table = TableId(cell.path?.try_into().ok()?);
    Some(Truncation { table, extent: extent(value) })
}

fn extent(value: &[u8]) -> Option<Extent> {
    let (rest, segment) = primitives::i64(value).ok()?;
    let (rest, offset) = primitives::u32(rest).ok()?;
    let (rest, at_ms) = primitives::i64(rest).ok()?;
    rest.is_empty().then_some(Extent { segment: SegmentId(segment), offset, at_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_of_another_length_says_nothing() {
        // As a node of 4.1 wrote it.
        let written =
            [0, 0, 1, 0xa2, 3, 0xf7, 0xa0, 0x9b, 0, 1, 0xc6, 0x12, 0, 0, 1, 0xa2, 3, 0xf8, 0xa7, 0xcd];
        let expected =
            Extent { segment: SegmentId(1_795_362_889_883), offset: 116_242, at_ms: 1_795_362_957_261 };
        assert_eq!(extent(&written), Some(expected));
        assert_eq!(extent(&written[..19]), None);
        assert_eq!(extent(&[&written[..], &[0]].concat()), None);
    }
}
