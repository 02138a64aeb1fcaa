//! The rows of a whole schema, table by table.

use std::collections::BTreeMap;

use crate::cql::type_expr::TypeExpr;
use crate::cql::type_grammar;
use crate::schema::model::{ColumnKind, TableId};
use crate::schema::rows::{SystemSchemaRows, TypeRow};

/// The rows of each table or view: its own, and those of the types it uses; in an order that depends on them only.
pub(super) fn by_table(rows: &SystemSchemaRows) -> BTreeMap<TableId, SystemSchemaRows> {
    let mut tables: BTreeMap<(&str, &str), SystemSchemaRows> = BTreeMap::new();
    for row in &rows.tables {
        tables.entry((&row.keyspace_name, &row.table_name)).or_default().tables.push(row.clone());
    }
    for row in &rows.views {
        tables.entry((&row.keyspace_name, &row.view_name)).or_default().views.push(row.clone());
    }
    for row in &rows.columns {
        if let Some(table) = tables.get_mut(&(row.keyspace_name.as_str(), row.table_name.as_str())) {
            table.columns.push(row.clone());
        }
    }
    for row in &rows.dropped_columns {
        if let Some(table) = tables.get_mut(&(row.keyspace_name.as_str(), row.table_name.as_str())) {
            table.dropped_columns.push(row.clone());
        }
    }
    let types = Types::new(rows);
    let with_types = tables.into_iter().filter_map(|((keyspace, _), mut table)| {
        table.types = types.used_by(keyspace, &table);
        sort(&mut table);
        Some((id(&table)?, table))
    });
    with_types.collect()
}

/// The id of rows of one table.
pub(super) fn id(table: &SystemSchemaRows) -> Option<TableId> {
    table.tables.first().map(|row| row.id).or_else(|| table.views.first().map(|row| row.id))
}

/// The keyspace and name of rows of one table.
pub(super) fn name(table: &SystemSchemaRows) -> Option<(&str, &str)> {
    let of_table = table.tables.first().map(|row| (row.keyspace_name.as_str(), row.table_name.as_str()));
    of_table.or_else(|| table.views.first().map(|row| (row.keyspace_name.as_str(), row.view_name.as_str())))
}

/// Brings the rows of one table into an order that depends on them only.
pub(super) fn sort(table: &mut SystemSchemaRows) {
    let rank = |kind| match kind {
        ColumnKind::PartitionKey => 0,
        ColumnKind::Clustering => 1,
        ColumnKind::Static => 2,
        ColumnKind::Regular => 3,
    };
    table.columns.sort_by(|a, b| {
        (rank(a.kind), a.position, &a.column_name).cmp(&(rank(b.kind), b.position, &b.column_name))
    });
    table.dropped_columns.sort_by(|a, b| a.column_name.cmp(&b.column_name));
    table.types.sort_by(|a, b| a.type_name.cmp(&b.type_name));
}

/// User-defined types by keyspace and name.
struct Types<'a>(BTreeMap<(&'a str, &'a str), &'a TypeRow>);

impl<'a> Types<'a> {
    fn new(rows: &'a SystemSchemaRows) -> Self {
        let key = |row: &'a TypeRow| (row.keyspace_name.as_str(), row.type_name.as_str());
        Self(rows.types.iter().map(|row| (key(row), row)).collect())
    }

    /// The types that the columns name, and those that these name.
    fn used_by(&self, keyspace: &str, table: &SystemSchemaRows) -> Vec<TypeRow> {
        let mut used = BTreeMap::new();
        let columns = table.columns.iter().map(|row| &row.type_text);
        for text in columns.chain(table.dropped_columns.iter().map(|row| &row.type_text)) {
            self.add(keyspace, text, &mut used);
        }
        used.into_values().cloned().collect()
    }

    fn add(&self, keyspace: &str, text: &str, used: &mut BTreeMap<&'a str, &'a TypeRow>) {
        let Ok(expr) = type_grammar::parse(text) else { return };
        let mut found = Vec::new();
        named(&expr, &mut found);
        for (of, name) in found {
            let Some(row) = self.0.get(&(of.unwrap_or(keyspace), name)).copied() else { continue };
            if used.insert(&row.type_name, row).is_none() {
                for text in &row.field_types {
                    self.add(&row.keyspace_name, text, used);
                }
            }
        }
    }
}

/// The user-defined types that a type text names.
fn named<'t>(expr: &'t TypeExpr, found: &mut Vec<(Option<&'t str>, &'t str)>) {
    match expr {
        TypeExpr::Native(_) | TypeExpr::Custom(_) => {}
        TypeExpr::Frozen(of) | TypeExpr::List(of) | TypeExpr::Set(of) | TypeExpr::Vector(of, _) => {
            named(of, found);
        }
        TypeExpr::Map(key, value) => {
            named(key, found);
            named(value, found);
        }
        TypeExpr::Tuple(fields) => fields.iter().for_each(|field| named(field, found)),
        TypeExpr::Named(keyspace, name) => found.push((keyspace.as_deref(), name)),
        TypeExpr::Inline { fields, .. } => fields.iter().for_each(|(_, field)| named(field, found)),
    }
}
