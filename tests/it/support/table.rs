//! Tables described by a test, brought into a schema through the schema file's own form.

use cdc_agent::schema::{Schema, TableId};
use serde_json::{Value, json};

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) keyspace: String,
    pub(crate) name: String,
    /// Key columns in key order, others in any.
    pub(crate) columns: Vec<Column>,
    /// User-defined types of the keyspace: name, and fields with their types.
    pub(crate) types: Vec<Udt>,
    pub(crate) flags: Vec<&'static str>,
}

/// Name of a user-defined type, and its fields with their types.
pub(crate) type Udt = (String, Vec<(String, String)>);

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As `system_schema.columns.kind` spells it.
    pub(crate) kind: String,
    pub(crate) type_text: String,
    pub(crate) descending: bool,
}

impl Column {
    pub(crate) fn new(name: &str, kind: &str, type_text: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            type_text: type_text.to_owned(),
            descending: false,
        }
    }
}

impl Table {
    /// `shop.t` with the columns `name kind type`.
    pub(crate) fn new<'c>(columns: impl IntoIterator<Item = [&'c str; 3]>) -> Self {
        Self {
            keyspace: "shop".to_owned(),
            name: "t".to_owned(),
            columns: columns
                .into_iter()
                .map(|[name, kind, type_text]| Column::new(name, kind, type_text))
                .collect(),
            types: Vec::new(),
            flags: vec!["compound"],
        }
    }

    /// The id that every such table has.
    pub(crate) fn id() -> TableId {
        "5dc1a799-0000-11f0-8000-000000000000".parse().unwrap()
    }

    /// The columns of a kind.
    pub(crate) fn of_kind<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = &'t Column> {
        self.columns.iter().filter(move |column| column.kind == kind)
    }

    /// A schema of this table alone.
    pub(crate) fn schema(&self) -> Schema {
        let rows = cdc_agent::schema::file::parse(&self.schema_file().to_string()).unwrap();
        let built = cdc_agent::schema::build(&rows);
        assert!(built.problems.is_empty(), "{:?}", built.problems);
        built.schema
    }

    /// A schema file of this table alone.
    pub(crate) fn schema_file(&self) -> Value {
        let kinds = ["partition_key", "clustering", "static", "regular"];
        let columns = kinds.into_iter().flat_map(|kind| self.of_kind(kind).enumerate());
        let columns: Vec<Value> = columns.map(|(position, column)| self.column(position, column)).collect();
        let names = |fields: &[(String, String)]| -> Vec<String> {
            fields.iter().map(|(name, _)| name.clone()).collect()
        };
        let texts = |fields: &[(String, String)]| -> Vec<String> {
            fields.iter().map(|(_, type_text)| type_text.clone()).collect()
        };
        let types = self.types.iter().map(|(name, fields)| {
            json!({
                "keyspace_name": self.keyspace, "type_name": name, "field_names": names(fields), "field_types": texts(fields),
            })
        });
        let types: Vec<Value> = types.collect();
        json!({
            "keyspaces": [{"keyspace_name": self.keyspace}],
            "tables": [{
                "keyspace_name": self.keyspace, "table_name": self.name, "id": Self::id().to_string(), "cdc": true,
                "flags": self.flags,
            }],
            "columns": columns,
            "types": types,
        })
    }

    fn column(&self, position: usize, column: &Column) -> Value {
        let is_key = matches!(column.kind.as_str(), "partition_key" | "clustering");
        let order = match column.kind.as_str() {
            "clustering" if column.descending => "desc",
            "clustering" => "asc",
            _ => "none",
        };
        json!({
            "keyspace_name": self.keyspace, "table_name": self.name, "column_name": column.name,
            "column_name_bytes": format!("0x{}", hex::encode(&column.name)), "kind": column.kind,
            "position": if is_key { i64::try_from(position).unwrap() } else { -1 },
            "clustering_order": order, "type": column.type_text,
        })
    }
}
