//! What is known of each table and type at a place in the log.

use std::collections::{BTreeMap, HashMap};

use super::decode::Header;
use crate::schema::model::{ColumnKind, TableId};
use crate::schema::rows::{ColumnRow, DroppedColumnRow, SystemSchemaRows, TableRow, TypeRow, ViewRow};

/// A table or view by id.
#[derive(Debug, Clone)]
pub(super) struct KnownTable {
    pub(super) header: TableHeader,
    pub(super) columns: Vec<ColumnRow>,
    pub(super) dropped: Vec<DroppedColumnRow>,
    /// Whether all its columns are known.
    pub(super) complete: bool,
}

/// The row of `tables` or `views`.
#[derive(Debug, Clone)]
pub(super) enum TableHeader {
    Table(TableRow),
    View(ViewRow),
}

/// Everything known.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) tables: HashMap<TableId, KnownTable>,
    /// The table that a name means now.
    pub(super) names: HashMap<(String, String), TableId>,
    pub(super) types: BTreeMap<(String, String), TypeRow>,
}

fn is_key(column: &ColumnRow) -> bool {
    matches!(column.kind, ColumnKind::PartitionKey | ColumnKind::Clustering)
}

impl KnownTable {
    fn new(header: TableHeader, complete: bool) -> Self {
        Self { header, columns: Vec::new(), dropped: Vec::new(), complete }
    }

    /// Name of the table.
    pub(super) fn name(&self) -> &str {
        match &self.header {
            TableHeader::Table(row) => &row.table_name,
            TableHeader::View(row) => &row.view_name,
        }
    }

    /// A table that the log names first.
    pub(super) fn logged(keyspace: &str, name: &str, id: TableId, header: &Header, is_view: bool) -> Self {
        let (keyspace_name, name) = (keyspace.to_owned(), name.to_owned());
        let header = if is_view {
            let base_table_name = header.base.clone().unwrap_or_default();
            TableHeader::View(ViewRow { keyspace_name, view_name: name, base_table_name, id })
        } else {
            let ordinary = || ["compound".to_owned()].into();
            let flags = header.flags.clone().unwrap_or_else(ordinary);
            let cdc = header.cdc.unwrap_or(false);
            TableHeader::Table(TableRow { keyspace_name, table_name: name, id, flags, cdc })
        };
        Self::new(header, false)
    }

    /// Takes over what a newer row of `tables` says. A node without CDC does not write `cdc`: then it stays.
    pub(super) fn update(&mut self, header: &Header) {
        if let TableHeader::Table(row) = &mut self.header {
            row.cdc = header.cdc.unwrap_or(row.cdc);
            if let Some(flags) = &header.flags {
                row.flags.clone_from(flags);
            }
        }
    }

    /// Puts a column in the place of the one it replaces: of a key the one at its position (it was renamed), else
    /// the one of its name.
    pub(super) fn put(&mut self, column: ColumnRow) {
        let same_place =
            |old: &ColumnRow| is_key(old) && old.kind == column.kind && old.position == column.position;
        let replaces = |old: &ColumnRow| same_place(old) || old.column_name_bytes == column.column_name_bytes;
        self.columns.retain(|old| !replaces(old));
        self.columns.push(column);
    }

    /// Whether a column can be what became of a whole table: Cassandra changes neither the kind of a column nor the
    /// number of key columns.
    pub(super) fn allows(&self, column: &ColumnRow) -> bool {
        let same_name = self.column(&column.column_name);
        let same_place = |old: &ColumnRow| old.kind == column.kind && old.position == column.position;
        same_name.is_none_or(|old| old.kind == column.kind)
            && (!is_key(column) || self.columns.iter().any(same_place))
    }

    /// Makes a column a dropped one. Its type stays what it was: the log says it with user-defined types taken apart.
    pub(super) fn drop_column(&mut self, mut dropped: DroppedColumnRow) {
        if let Some(column) = self.column(&dropped.column_name).filter(|column| !is_key(column)) {
            dropped.type_text.clone_from(&column.type_text);
        }
        self.columns.retain(|column| is_key(column) || column.column_name != dropped.column_name);
        self.dropped.retain(|old| old.column_name != dropped.column_name);
        self.dropped.push(dropped);
    }

    /// Makes a column what it is in `given`, which knows of the same drop or a later one.
    pub(super) fn take_column(&mut self, given: &Self, drop: DroppedColumnRow) {
        let name = drop.column_name.clone();
        let later = given.dropped(&name).cloned();
        self.drop_column(later.unwrap_or(drop));
        if let Some(column) = given.column(&name).cloned() {
            self.put(column);
        }
    }

    /// The column of that name that is not dropped.
    fn column(&self, name: &str) -> Option<&ColumnRow> {
        self.columns.iter().find(|column| column.column_name == name)
    }

    /// The drop of the column of that name.
    pub(super) fn dropped(&self, name: &str) -> Option<&DroppedColumnRow> {
        self.dropped.iter().find(|column| column.column_name == name)
    }
}

impl Known {
    pub(super) fn new(rows: &SystemSchemaRows) -> Self {
        let mut known = Self::default();
        for row in &rows.tables {
            known.add(&row.keyspace_name, &row.table_name, row.id, TableHeader::Table(row.clone()));
        }
        for row in &rows.views {
            known.add(&row.keyspace_name, &row.view_name, row.id, TableHeader::View(row.clone()));
        }
        for row in &rows.columns {
            if let Some(table) = known.named(&row.keyspace_name, &row.table_name) {
                table.columns.push(row.clone());
            }
        }
        for row in &rows.dropped_columns {
            if let Some(table) = known.named(&row.keyspace_name, &row.table_name) {
                table.dropped.push(row.clone());
            }
        }
        for row in &rows.types {
            known.types.insert((row.keyspace_name.clone(), row.type_name.clone()), row.clone());
        }
        known
    }

    fn add(&mut self, keyspace: &str, name: &str, id: TableId, header: TableHeader) {
        self.names.insert((keyspace.to_owned(), name.to_owned()), id);
        self.tables.insert(id, KnownTable::new(header, true));
    }

    /// The table that a name means now.
    pub(super) fn named(&mut self, keyspace: &str, name: &str) -> Option<&mut KnownTable> {
        let id = self.names.get(&(keyspace.to_owned(), name.to_owned()))?;
        self.tables.get_mut(id)
    }

    /// The types of a keyspace.
    pub(super) fn types_of(&self, keyspace: &str) -> Vec<TypeRow> {
        let types = self.types.iter().filter(|((k, _), _)| k == keyspace);
        types.map(|(_, row)| row.clone()).collect()
    }

    /// The rows of one table and of all types of its keyspace.
    pub(super) fn rows_of(&self, keyspace: &str, table: &KnownTable) -> SystemSchemaRows {
        let mut rows = SystemSchemaRows {
            columns: table.columns.clone(),
            dropped_columns: table.dropped.clone(),
            types: self.types_of(keyspace),
            ..SystemSchemaRows::default()
        };
        match &table.header {
            TableHeader::Table(row) => rows.tables.push(row.clone()),
            TableHeader::View(row) => rows.views.push(row.clone()),
        }
        rows
    }

    /// The ids of all tables that a name of that keyspace means now.
    pub(super) fn ids_in(&self, keyspace: &str) -> Vec<(String, TableId)> {
        let names = self.names.iter().filter(|((k, _), _)| k == keyspace);
        let mut ids: Vec<_> = names.map(|((_, name), id)| (name.clone(), *id)).collect();
        ids.sort();
        ids
    }
}
