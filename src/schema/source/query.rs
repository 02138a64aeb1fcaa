//! What is asked of a node, and the answers brought into rows.

use serde_json::{Map, Value};

use super::super::file::{self, FileError};
use super::super::rows::SystemSchemaRows;
use super::super::system;
use super::NodeInfo;

/// The tables of `system_schema` that matter: name of the array in a schema file, and how errors call the table.
pub(super) const TABLES: [(&str, &str); 6] = [
    ("keyspaces", "system_schema.keyspaces"),
    ("tables", "system_schema.tables"),
    ("columns", "system_schema.columns"),
    ("dropped_columns", "system_schema.dropped_columns"),
    ("types", "system_schema.types"),
    ("views", "system_schema.views"),
];

/// What names a node; JSON, so that no driver has to convert tokens and UUIDs.
pub(super) const LOCAL: &str = "SELECT JSON cluster_name, data_center, rack, host_id, release_version, schema_version, \
     partitioner, tokens FROM system.local WHERE key = 'local'";

/// The rows of a table, each as the text of a JSON object. The node prints timestamps itself: some drop times of its
/// own tables are beyond what drivers can hold.
pub(super) fn select(table: &str) -> String {
    format!("SELECT JSON * FROM {table}")
}

/// A schema that a node gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its rows, without those of Cassandra's own keyspaces: these are built in.
    pub rows: SystemSchemaRows,
    /// The node that gave it. The version of its schema was the same before and after the rows were read.
    pub node: NodeInfo,
}

/// Brings rows, each as the text of its JSON object, into the form of a schema file, by the same reader.
pub(super) fn rows(texts: Vec<(&'static str, Vec<String>)>) -> Result<SystemSchemaRows, FileError> {
    let array = |rows: Vec<String>| Value::Array(rows.into_iter().map(Value::String).collect());
    let top: Map<String, Value> =
        texts.into_iter().map(|(name, rows)| (name.to_owned(), array(rows))).collect();
    let mut rows = file::parse(&Value::Object(top).to_string())?;
    let own = |keyspace: &str| !system::is_system_keyspace(keyspace);
    rows.keyspaces.retain(|row| own(&row.keyspace_name));
    rows.tables.retain(|row| own(&row.keyspace_name));
    rows.columns.retain(|row| own(&row.keyspace_name));
    rows.dropped_columns.retain(|row| own(&row.keyspace_name));
    rows.types.retain(|row| own(&row.keyspace_name));
    rows.views.retain(|row| own(&row.keyspace_name));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Cassandra 4.1 prints them; the drop time is the one that overflows in drivers.
    #[test]
    fn rows_as_a_node_prints_them() {
        let dropped = r#"{"keyspace_name": "shop", "table_name": "t", "column_name": "c",
            "dropped_time": "294247-01-10 04:00:54.775Z", "kind": "regular", "type": "text"}"#;
        let of = |keyspace: &str| {
            format!(
                r#"{{"keyspace_name": "{keyspace}", "table_name": "t", "cdc": true, "flags": ["compound"],
                "id": "8e167865-0000-11f0-8000-000000000000"}}"#
            )
        };
        let tables = vec![of("shop"), of("system")];
        let rows = rows(vec![("tables", tables), ("dropped_columns", vec![dropped.to_owned()])]).unwrap();
        assert_eq!(rows.tables.len(), 1);
        assert_eq!(rows.dropped_columns[0].dropped_at_us, 9_223_372_036_854_775_000);
    }

    #[test]
    fn a_row_that_is_none_is_named() {
        let error = rows(vec![("types", vec!["{}".to_owned()])]).unwrap_err();
        assert!(error.to_string().starts_with("types[0].keyspace_name: "), "{error}");
    }
}
