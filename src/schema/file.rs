//! The JSON schema file: the rows of `system_schema` as `SELECT JSON *` prints them.
//!
//! One object with the arrays `keyspaces`, `tables`, `columns`, `dropped_columns`, `types`, `views`. A missing array
//! is empty, unknown arrays and fields are ignored. A row may also be the text of a JSON object, or the single
//! column `[json]` under which drivers return it; a nested value may be the text of its JSON.

use serde_json::{Map, Value};

use super::json_row::{JsonRow, field};
use super::model::ColumnKind;
use super::rows::{ColumnRow, DroppedColumnRow, KeyspaceRow, SystemSchemaRows, TableRow, TypeRow, ViewRow};

/// Why a text is not a JSON schema file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not JSON.
    #[error(
        "not JSON ({0}); write one object with the arrays keyspaces, tables, columns, dropped_columns, types, views"
    )]
    Json(serde_json::Error),
    /// Something other than an object at the top.
    #[error(
        "expected one object with the arrays keyspaces, tables, columns, dropped_columns, types, views, found {found}"
    )]
    TopLevel {
        /// The kind of JSON value that is there.
        found: &'static str,
    },
    /// Something other than an array of rows.
    #[error("{array}: expected an array of rows, found {found}; {hint}", hint = hint(array))]
    Array {
        /// The array.
        array: &'static str,
        /// The kind of JSON value that is there.
        found: &'static str,
    },
    /// Something other than a row.
    #[error("{array}[{index}]: expected an object, found {found}; {hint}", hint = hint(array))]
    Row {
        /// The array.
        array: &'static str,
        /// Row, from 0.
        index: usize,
        /// The kind of JSON value that is there.
        found: &'static str,
    },
    /// A field that is missing or of the wrong kind.
    #[error("{array}[{index}].{field}: expected {expected}, found {found}; {hint}", hint = hint(array))]
    Field {
        /// The array.
        array: &'static str,
        /// Row, from 0.
        index: usize,
        /// The field.
        field: &'static str,
        /// What a row of `system_schema` has there.
        expected: &'static str,
        /// The kind of JSON value that is there.
        found: &'static str,
    },
}

fn hint(array: &str) -> String {
    format!("write rows as `SELECT JSON * FROM system_schema.{array}` prints them")
}

/// Reads the text of a JSON schema file.
///
/// # Errors
///
/// Says the array, the row, the field and what is expected there.
pub fn parse(text: &str) -> Result<SystemSchemaRows, FileError> {
    let value: Value = serde_json::from_str(text).map_err(FileError::Json)?;
    let Value::Object(top) = value else {
        return Err(FileError::TopLevel { found: field::kind_of(&value) });
    };
    Ok(SystemSchemaRows {
        keyspaces: rows(&top, "keyspaces", keyspace)?,
        tables: rows(&top, "tables", table)?,
        columns: rows(&top, "columns", column)?,
        dropped_columns: rows(&top, "dropped_columns", dropped_column)?,
        types: rows(&top, "types", user_type)?,
        views: rows(&top, "views", view)?,
    })
}

fn rows<T>(
    top: &Map<String, Value>,
    array: &'static str,
    read: impl Fn(&JsonRow<'_>) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    let values = match top.get(array) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(other) => {
            let found = field::kind_of(other);
            return Err(FileError::Array { array, found });
        }
    };
    let row = |(index, value)| read(&JsonRow::new(array, index, value)?);
    values.iter().enumerate().map(row).collect()
}

fn keyspace(row: &JsonRow<'_>) -> Result<KeyspaceRow, FileError> {
    Ok(KeyspaceRow {
        keyspace_name: row.text("keyspace_name")?,
        durable_writes: row.boolean("durable_writes")?.unwrap_or(true),
        replication: row.text_map("replication")?.unwrap_or_default(),
    })
}

fn table(row: &JsonRow<'_>) -> Result<TableRow, FileError> {
    // A dump without flags is of ordinary tables: a compact one has the field, at least empty.
    let ordinary = || vec!["compound".to_owned()];
    Ok(TableRow {
        keyspace_name: row.text("keyspace_name")?,
        table_name: row.text("table_name")?,
        id: row.table_id("id")?,
        flags: row.texts("flags")?.unwrap_or_else(ordinary).into_iter().collect(),
        cdc: row.boolean("cdc")?.unwrap_or(false),
    })
}

fn column(row: &JsonRow<'_>) -> Result<ColumnRow, FileError> {
    let column_name = row.text("column_name")?;
    let kind = row.required("kind", "partition_key, clustering, static or regular", |v| {
        ColumnKind::from_text(v.as_str()?)
    })?;
    let position = match kind {
        ColumnKind::PartitionKey | ColumnKind::Clustering => row.integer("position")?,
        ColumnKind::Static | ColumnKind::Regular => -1,
    };
    let order = row.optional("clustering_order", "asc, desc or none", |v| v.as_str())?;
    Ok(ColumnRow {
        keyspace_name: row.text("keyspace_name")?,
        table_name: row.text("table_name")?,
        column_name_bytes: row.blob("column_name_bytes")?.unwrap_or_else(|| column_name.clone().into_bytes()),
        column_name,
        kind,
        position,
        descending: order.is_some_and(|order| order.eq_ignore_ascii_case("desc")),
        type_text: row.text("type")?,
    })
}

fn dropped_column(row: &JsonRow<'_>) -> Result<DroppedColumnRow, FileError> {
    let kind = row.optional("kind", "regular or static", |v| v.as_str())?;
    Ok(DroppedColumnRow {
        keyspace_name: row.text("keyspace_name")?,
        table_name: row.text("table_name")?,
        column_name: row.text("column_name")?,
        dropped_at_us: row.timestamp_ms("dropped_time")?.saturating_mul(1000),
        is_static: kind == Some("static"),
        type_text: row.text("type")?,
    })
}

fn user_type(row: &JsonRow<'_>) -> Result<TypeRow, FileError> {
    Ok(TypeRow {
        keyspace_name: row.text("keyspace_name")?,
        type_name: row.text("type_name")?,
        field_names: row.texts("field_names")?.unwrap_or_default(),
        field_types: row.texts("field_types")?.unwrap_or_default(),
    })
}

fn view(row: &JsonRow<'_>) -> Result<ViewRow, FileError> {
    Ok(ViewRow {
        keyspace_name: row.text("keyspace_name")?,
        view_name: row.text("view_name")?,
        base_table_name: row.text("base_table_name")?,
        id: row.table_id("id")?,
    })
}
