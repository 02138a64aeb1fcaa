//! Splits a logged partition key into its columns.

use crate::primitives::{self, Parsed};
use crate::schema::TableSchema;

/// Partition key bytes that do not fit the table's key columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the partition key does not have the table's key columns")]
pub struct PartitionKeyError;

/// Calls `visit` with the index and bytes of every key column.
///
/// One column: the raw value. Several: `u16` length, value, zero byte for each.
///
/// # Errors
/// The bytes do not fit. What `visit` returns.
pub fn for_each_component<'a, E: From<PartitionKeyError>>(
    table: &TableSchema,
    key: &'a [u8],
    mut visit: impl FnMut(usize, &'a [u8]) -> Result<(), E>,
) -> Result<(), E> {
    if table.partition_key.len() == 1 {
        return visit(0, key);
    }
    let mut rest = key;
    for index in 0..table.partition_key.len() {
        let (after, value) = component(rest).map_err(|_| PartitionKeyError)?;
        visit(index, value)?;
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err(PartitionKeyError.into()) }
}

fn component(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, length) = primitives::u16(input)?;
    let (rest, value) = primitives::slice(usize::from(length))(rest)?;
    let (rest, _end) = primitives::u8(rest)?;
    Ok((rest, value))
}
