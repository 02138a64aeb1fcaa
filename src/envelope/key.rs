//! Record keys: the JSON of the primary key columns.

use super::encoder::EncodeError;
use super::json::write_null;
use super::options::ValueFormat;
use super::plan::TablePlan;
use super::value::{write_nested, write_value};
use crate::change::partition_key::for_each_component;
use crate::change::{ChangeEvent, Shape};
use crate::schema::TableSchema;

/// Appends the key of an event: the partition key columns, and of a row the clustering columns. With
/// `complete`, clustering columns of all other events are null.
///
/// Returns the length of the part before the clustering columns, without the closing brace.
pub(super) fn write_key(
    event: &ChangeEvent<'_, '_>,
    plan: &TablePlan,
    format: ValueFormat,
    complete: bool,
    out: &mut Vec<u8>,
) -> Result<usize, EncodeError> {
    let table = event.update.table;
    out.push(b'{');
    write_partition_key(table, event.update.partition_key, plan, format, out)?;
    let partition_end = out.len();
    if let Shape::Row { clustering } = event.shape {
        out.push(b',');
        write_clustering(table, clustering, plan, format, out)?;
    } else if complete {
        for field in &plan.clustering {
            out.push(b',');
            out.extend_from_slice(field);
            write_null(out);
        }
    }
    out.push(b'}');
    Ok(partition_end)
}

fn write_partition_key(
    table: &TableSchema,
    key: &[u8],
    plan: &TablePlan,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    for_each_component(table, key, |index, value| {
        let (Some(column), Some(field)) = (table.partition_key.get(index), plan.partition_key.get(index))
        else {
            return Err(EncodeError::PartitionKey);
        };
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(field);
        write_value(&column.cql_type, value, format, out).map_err(|error| EncodeError::value(column, error))
    })
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
