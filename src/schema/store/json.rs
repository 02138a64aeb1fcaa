//! Rows → the JSON form of a schema file, which `schema::file` reads back.

use serde_json::{Value, json};

use crate::schema::rows::{
    ColumnRow, DroppedColumnRow, KeyspaceRow, SystemSchemaRows, TableRow, TypeRow, ViewRow,
};

/// The object of a schema file with these rows; arrays without rows are left out.
pub(super) fn to_json(rows: &SystemSchemaRows) -> Value {
    let arrays = [
        ("keyspaces", rows.keyspaces.iter().map(keyspace).collect::<Vec<_>>()),
        ("tables", rows.tables.iter().map(table).collect()),
        ("columns", rows.columns.iter().map(column).collect()),
        ("dropped_columns", rows.dropped_columns.iter().map(dropped_column).collect()),
        ("types", rows.types.iter().map(user_type).collect()),
        ("views", rows.views.iter().map(view).collect()),
    ];
    let arrays = arrays.into_iter().filter(|(_, rows)| !rows.is_empty());
    Value::Object(arrays.map(|(name, rows)| (name.to_owned(), Value::Array(rows))).collect())
}

fn keyspace(row: &KeyspaceRow) -> Value {
    json!({
        "keyspace_name": row.keyspace_name,
        "durable_writes": row.durable_writes,
        "replication": row.replication,
    })
}

fn table(row: &TableRow) -> Value {
    json!({
        "keyspace_name": row.keyspace_name,
        "table_name": row.table_name,
        "id": row.id.to_string(),
        "flags": row.flags,
        "cdc": row.cdc,
    })
}

fn column(row: &ColumnRow) -> Value {
    json!({
        "keyspace_name": row.keyspace_name,
        "table_name": row.table_name,
        "column_name": row.column_name,
        "column_name_bytes": format!("0x{}", hex::encode(&row.column_name_bytes)),
        "kind": row.kind.as_text(),
        "position": row.position,
        "clustering_order": if row.descending { "desc" } else { "asc" },
        "type": row.type_text,
    })
}

fn dropped_column(row: &DroppedColumnRow) -> Value {
    json!({
        "keyspace_name": row.keyspace_name,
        "table_name": row.table_name,
        "column_name": row.column_name,
        "dropped_time": row.dropped_at_us / 1000,
        "kind": if row.is_static { "static" } else { "regular" },
        "type": row.type_text,
    })
}

fn user_type(row: &TypeRow) -> Value {
    json!({
        "keyspace_name": row.keyspace_name,
        "type_name": row.type_name,
        "field_names": row.field_names,
        "field_types": row.field_types,
    })
}

fn view(row: &ViewRow) -> Value {
    json!({
        "keyspace_name": row.keyspace_name,
        "view_name": row.view_name,
        "base_table_name": row.base_table_name,
        "id": row.id.to_string(),
    })
}
