//! `schema show`: the tables of a schema file.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::{columns, full_name, read, tables};
use crate::agent::exit::Failure;
use crate::cql::ident::quoted_if_needed;
use crate::schema::{Column, ColumnKind, TableSchema};

/// Prints the tables of a schema file, as text or as one JSON object.
///
/// # Errors
/// The file cannot be read or is no schema file, or `out` cannot be written.
pub fn show(path: &Path, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let (_, built) = read(path)?;
    let tables = tables(&built);
    let written = if json { show_json(&tables, out) } else { show_text(&tables, out) };
    written.map_err(Failure::stdout)
}

fn show_text(tables: &[&TableSchema], out: &mut impl Write) -> io::Result<()> {
    for (index, table) in tables.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let marks =
            [(table.cdc, ", cdc"), (table.counter, ", counters"), (table.compact, ", compact storage")];
        let marks: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
        let kind = if table.view { "view" } else { "table" };
        let name = full_name(&table.keyspace, &table.name);
        writeln!(out, "{gap}{kind} {name}, id {}{marks}", table.id)?;
        let width = columns(table).map(|c| quoted_if_needed(&c.name).chars().count()).max().unwrap_or(0);
        for column in columns(table) {
            let name = quoted_if_needed(&column.name);
            writeln!(out, "  {name:width$}  {}{}", column.type_text, role(column))?;
        }
    }
    Ok(())
}

/// What to say of a column beside its type.
fn role(column: &Column) -> String {
    let kind = match column.kind {
        ColumnKind::PartitionKey => ", partition key",
        ColumnKind::Clustering if column.descending => ", clustering, descending",
        ColumnKind::Clustering => ", clustering",
        ColumnKind::Static => ", static",
        ColumnKind::Regular => "",
    };
    match column.dropped_at_us {
        Some(at) => format!("{kind}, dropped at {at} µs"),
        None => kind.to_owned(),
    }
}

fn show_json(tables: &[&TableSchema], out: &mut impl Write) -> io::Result<()> {
    let tables: Vec<Value> = tables.iter().map(|table| table_json(table)).collect();
    serde_json::to_writer_pretty(&mut *out, &json!({ "tables": tables }))?;
    writeln!(out)
}

fn table_json(table: &TableSchema) -> Value {
    let column = |c: &Column| {
        json!({
            "name": c.name,
            "kind": c.kind.as_text(),
            "type": c.type_text,
            "descending": c.descending,
            "dropped_at_us": c.dropped_at_us,
        })
    };
    json!({
        "keyspace": table.keyspace,
        "table": table.name,
        "id": table.id.to_string(),
        "cdc": table.cdc,
        "view": table.view,
        "counter": table.counter,
        "compact": table.compact,
        "columns": columns(table).map(column).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8bd6f9e6-0000-11f0-8000-000000000001";

    #[test]
    fn shows_tables() {
        let ddl = format!(
            "CREATE TABLE k.\"T\" (p int, c text, s int static, \"Vé\" list<int>, PRIMARY KEY (p, c))
             WITH CLUSTERING ORDER BY (c DESC) AND cdc = true AND ID = {ID};
             ALTER TABLE k.\"T\" DROP s USING TIMESTAMP 7;"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.cql");
        std::fs::write(&path, ddl).unwrap();
        let shown = |json| {
            let mut out = Vec::new();
            show(&path, json, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = shown(false);
        assert_eq!(
            text,
            format!(
                "table k.\"T\", id {ID}, cdc\n  p     int, partition key\n  c     text, clustering, descending\n  \
                 s     int, static, dropped at 7 µs\n  \"Vé\"  list<int>\n"
            )
        );
        let json: Value = serde_json::from_str(&shown(true)).unwrap();
        assert_eq!(json["tables"][0]["id"], ID);
        assert_eq!(json["tables"][0]["columns"][1]["descending"], true);
        assert_eq!(json["tables"][0]["columns"][2]["dropped_at_us"], 7);
        assert_eq!(json["tables"][0]["columns"][3]["type"], "list<int>");
    }
}
