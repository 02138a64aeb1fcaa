//! Record keys: the JSON of the primary key columns.

use super::encoder::EncodeError;
use super::json::write_null;
use super::options::ValueFormat;
use super::plan::TablePlan;
use super::value::{write_nested, write_value};
use crate::change::partition_key::for_each_component;
use crate::change::{ChangeEvent, Shape};
use crate::cql::value::is_no_value;
use crate::schema::TableSchema;

/// What a key is like.
pub(super) struct KeyParts {
    /// Length of the part before the clustering columns, without the closing brace.
    pub(super) partition_end: usize,
    /// Whether a column holds no bytes where that is no proper value.
    pub(super) has_empty: bool,
}

/// Appends the key of an event: the partition key columns, and of a row the clustering columns. With
/// `complete`, clustering columns of all other events are null.
pub(super) fn write_key(
    event: &ChangeEvent<'_, '_>,
    plan: &TablePlan,
    format: ValueFormat,
    complete: bool,
    out: &mut Vec<u8>,
) -> Result<KeyParts, EncodeError> {
    let table = event.update.table;
    out.push(b'{');
    let mut has_empty = write_partition_key(table, event.update.partition_key, plan, format, out)?;
    let partition_end = out.len();
    if let Shape::Row { clustering } = event.shape {
        out.push(b',');
        let columns = table.clustering.iter().zip(clustering);
        has_empty |= columns
            .filter_map(|(column, value)| Some((column, (*value)?)))
            .any(|(column, value)| is_no_value(&column.cql_type, value));
        write_clustering(table, clustering, plan, format, out)?;
    } else if complete {
        for field in &plan.clustering {
            out.push(b',');
            out.extend_from_slice(field);
            write_null(out);
        }
    }
    out.push(b'}');
    Ok(KeyParts { partition_end, has_empty })
}

/// Whether a column holds no bytes where that is no proper value.
fn write_partition_key(
    table: &TableSchema,
    key: &[u8],
    plan: &TablePlan,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<bool, EncodeError> {
    let mut has_empty = false;
    for_each_component(table, key, |index, value| {
        let (Some(column), Some(field)) = (table.partition_key.get(index), plan.partition_key.get(index))
        else {
            return Err(EncodeError::PartitionKey);
        };
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(field);
        has_empty |= is_no_value(&column.cql_type, value);
        write_value(&column.cql_type, value, format, out).map_err(|error| EncodeError::value(column, error))
    })?;
    Ok(has_empty)
}

/// Appends `"name":value` for the leading clustering columns that `values` holds. Takes back a comma that
/// nothing follows.
pub(super) fn write_clustering(
    table: &TableSchema,
    values: &[Option<&[u8]>],
    plan: &TablePlan,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if values.is_empty() && out.last() == Some(&b',') {
        out.pop();
    }
    let columns = table.clustering.iter().zip(&plan.clustering);
    for (position, ((column, field), value)) in columns.zip(values).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(field);
        write_nested(&column.cql_type, *value, format, out)
            .map_err(|error| EncodeError::value(column, error))?;
    }
    Ok(())
}
