//! The storage layout behind a table's CQL form.
//!
//! DESCRIBE shows a COMPACT STORAGE table as CQL sees it. In the log it has Cassandra's storage layout, with columns
//! that CQL hides; `system_schema.columns` has them, DDL text does not.

use std::collections::BTreeSet;

use super::statement::{ColumnDef, CreateTable};

/// Gives a table the columns it has in storage, and tells its flags (`system_schema.tables.flags`).
pub(super) fn lay_out(table: &mut CreateTable) -> BTreeSet<String> {
    let counter = table.columns.iter().any(|c| c.type_text.eq_ignore_ascii_case("counter"));
    let mut flags = BTreeSet::new();
    if counter {
        flags.insert("counter".to_owned());
    }
    if !table.options.compact {
        flags.insert("compound".to_owned());
    } else if table.key.clustering.is_empty() {
        lay_out_static(table, if counter { "counter" } else { "blob" });
    } else {
        flags.insert("dense".to_owned());
        if table.key.clustering.len() > 1 {
            flags.insert("compound".to_owned());
        }
        // The one value column has no type when CQL shows none.
        if table.columns.len() == table.key.partition.len() + table.key.clustering.len() {
            add_hidden(table, "value", "empty");
        }
    }
    flags
}

/// Without clustering columns: the values are static, beside a clustering column and a value that CQL hides.
fn lay_out_static(table: &mut CreateTable, value_type: &str) {
    for column in &mut table.columns {
        column.is_static = !table.key.partition.contains(&column.name);
    }
    // DESCRIBE names the hidden clustering column in CLUSTERING ORDER.
    let clustering = match table.options.order.first().map(|(name, _)| name.clone()) {
        Some(name) => add_named(table, name, "text"),
        None => add_hidden(table, "column1", "text"),
    };
    table.key.clustering.push(clustering);
    add_hidden(table, "value", value_type);
}

/// Adds a column of that name, or of Cassandra's next free one: `column1`, `column2` …; `value`, `value1` ….
fn add_hidden(table: &mut CreateTable, name: &str, type_text: &str) -> String {
    let (stem, first) = match name.strip_suffix('1') {
        Some(stem) => (stem, 2),
        None => (name, 1),
    };
    let later = (first..).map(|n: u32| format!("{stem}{n}"));
    let is_free = |name: &String| !table.columns.iter().any(|c| c.name == *name);
    let free = std::iter::once(name.to_owned()).chain(later).find(is_free);
    add_named(table, free.unwrap_or_default(), type_text)
}

fn add_named(table: &mut CreateTable, name: String, type_text: &str) -> String {
    table.columns.push(ColumnDef { name: name.clone(), type_text: type_text.to_owned(), is_static: false });
    name
}
