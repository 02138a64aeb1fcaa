//! Mutations of `system_schema` → what [`SchemaHistory`](crate::schema::SchemaHistory) applies.

use crate::commitlog::mutation::{CellValue, Mutation, PartitionUpdate, Row, Unfiltered};
use crate::schema::{LoggedRow, LoggedUpdate, SchemaSource};

/// The keyspace in which Cassandra keeps the schema.
const SYSTEM_SCHEMA: &str = "system_schema";

/// The updates of a mutation that change the schema; empty for nearly every mutation. `Err` is a name or a range in
/// them that Cassandra does not write: the schema may have changed in a way that is not understood.
///
/// # Errors
/// See above.
pub fn schema_change(mutation: &Mutation<'_>) -> Result<Vec<LoggedUpdate>, SchemaChangeError> {
    let mut logged = Vec::new();
    for update in mutation.updates() {
        if update.table.keyspace != SYSTEM_SCHEMA {
            continue;
        }
        if let Some(source) = SchemaSource::from_name(&update.table.name) {
            logged.push(read(mutation, update, source)?);
        }
    }
    Ok(logged)
}

/// A mutation of `system_schema` that is not as Cassandra writes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a change of system_schema.{table}: {problem}; describe the schema anew")]
pub struct SchemaChangeError {
    /// The table of `system_schema`.
    pub table: String,
    /// What is not understood.
    pub problem: &'static str,
}

fn read(
    mutation: &Mutation<'_>,
    update: &PartitionUpdate<'_>,
    source: SchemaSource,
) -> Result<LoggedUpdate, SchemaChangeError> {
    let error = |problem| SchemaChangeError { table: update.table.name.clone(), problem };
    let text =
        |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| error("a name is not UTF-8 text"));
    let key = |values: &[Option<&[u8]>]| {
        values.iter().map(|value| text(value.unwrap_or_default())).collect::<Result<Vec<_>, _>>()
    };
    let mut logged = LoggedUpdate {
        source,
        keyspace: text(update.partition_key)?,
        deletions: Vec::new(),
        rows: Vec::new(),
    };
    if let Some(deletion) = update.deletion {
        logged.deletions.push((Vec::new(), deletion.ts_us));
    }
    let mut open: Option<Vec<String>> = None;
    for unfiltered in mutation.unfiltereds(update) {
        match unfiltered {
            Unfiltered::Row(row) => {
                let key = key(mutation.clustering(row))?;
                logged.rows.push(read_row(mutation, row, key));
            }
            Unfiltered::Marker(marker) => {
                let bound = key(mutation.bound(marker))?;
                match (&open, marker.end, marker.start) {
                    (None, None, Some(_)) if marker.kind.start_inclusive() == Some(true) => {
                        open = Some(bound)
                    }
                    (Some(start), Some(deletion), None)
                        if *start == bound && marker.kind.end_inclusive() == Some(true) =>
                    {
                        logged.deletions.push((bound, deletion.ts_us));
                        open = None;
                    }
                    _ => return Err(error("a range is deleted that is not the rows of one name")),
                }
            }
        }
    }
    Ok(logged)
}

fn read_row(mutation: &Mutation<'_>, row: &Row, key: Vec<String>) -> LoggedRow {
    let mut cells = Vec::new();
    for column in mutation.columns(row) {
        for cell in mutation.cells(column) {
            let value = match cell.value {
                CellValue::Live { value, .. } => Some(value.to_vec()),
                CellValue::Tombstone { .. } => None,
            };
            cells.push((column.column.name.clone(), cell.ts_us, value));
        }
    }
    LoggedRow {
        key,
        live_at: row.liveness.map(|liveness| liveness.ts_us),
        deleted_at: row.deletion.map(|deletion| deletion.ts_us),
        cells,
    }
}
