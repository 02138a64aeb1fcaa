//! Statements → rows.

use std::collections::{HashMap, HashSet};

use super::IdOf;
use super::compact;
use super::statement::{ColumnDef, CreateTable, CreateView, PrimaryKey, Statement};
use crate::schema::Loaded;
use crate::schema::model::ColumnKind;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::rows::{ColumnRow, DroppedColumnRow, KeyspaceRow, TableRow, TypeRow, ViewRow};

/// What the statements so far describe.
#[derive(Default)]
pub(super) struct Collector {
    /// The keyspace of `USE`.
    keyspace: Option<String>,
    loaded: Loaded,
    tables: Vec<Table>,
    by_name: HashMap<(String, String), usize>,
    views: Vec<(String, CreateView)>,
}

/// A table and what ALTER said about it.
struct Table {
    keyspace: String,
    create: CreateTable,
    dropped: Vec<DroppedColumnRow>,
}

impl Collector {
    /// Adds a statement; `Err` says why it does not fit the others.
    pub(super) fn add(&mut self, statement: Statement) -> Result<(), String> {
        match statement {
            Statement::Use(keyspace) => self.keyspace = Some(keyspace),
            Statement::Keyspace { name, replication, durable_writes } => {
                self.loaded.rows.keyspaces.push(KeyspaceRow {
                    keyspace_name: name,
                    durable_writes,
                    replication,
                });
            }
            Statement::Type { keyspace, name, fields } => {
                let (field_names, field_types) = fields.into_iter().unzip();
                let keyspace_name = self.keyspace_of(keyspace)?;
                self.loaded.rows.types.push(TypeRow {
                    keyspace_name,
                    type_name: name,
                    field_names,
                    field_types,
                });
            }
            Statement::Table(create) => self.add_table(create)?,
            Statement::View(view) => {
                let keyspace = self.keyspace_of(view.keyspace.clone())?;
                self.views.push((keyspace, view));
            }
            Statement::DropColumn { keyspace, table, column, at_us } => {
                self.table(keyspace, table)?.drop_column(&column, at_us)?;
            }
            Statement::AddColumn { keyspace, table, column } => {
                self.table(keyspace, table)?.create.columns.push(column);
            }
            Statement::Other => {}
        }
        Ok(())
    }

    fn keyspace_of(&self, named: Option<String>) -> Result<String, String> {
        named.or_else(|| self.keyspace.clone()).ok_or_else(|| {
            "no keyspace is named and none is in use; write keyspace.name, or `USE keyspace;` before"
                .to_owned()
        })
    }

    fn add_table(&mut self, create: CreateTable) -> Result<(), String> {
        let keyspace = self.keyspace_of(create.keyspace.clone())?;
        let key = (keyspace.clone(), create.name.clone());
        if self.by_name.insert(key, self.tables.len()).is_some() {
            return Err(format!("table {keyspace}.{} is described twice", create.name));
        }
        self.tables.push(Table { keyspace, create, dropped: Vec::new() });
        Ok(())
    }

    fn table(&mut self, keyspace: Option<String>, name: String) -> Result<&mut Table, String> {
        let key = (self.keyspace_of(keyspace)?, name);
        let found = self.by_name.get(&key).and_then(|index| self.tables.get_mut(*index));
        found.ok_or_else(|| format!("table {}.{} is altered but not created before", key.0, key.1))
    }

    /// The rows of everything added.
    pub(super) fn finish(mut self, id: &IdOf<'_>) -> Loaded {
        for (keyspace, view) in &self.views {
            let base_keyspace = view.base.0.as_ref().unwrap_or(keyspace);
            let base = self.by_name.get(&(base_keyspace.clone(), view.base.1.clone()));
            let base = base.and_then(|index| self.tables.get(*index));
            if let Err(kind) = add_view(&mut self.loaded, keyspace, view, base) {
                problem(&mut self.loaded, keyspace, &view.name, kind);
            }
        }
        for table in self.tables {
            table.add_to(&mut self.loaded, id);
        }
        self.loaded
    }
}

fn problem(loaded: &mut Loaded, keyspace: &str, table: &str, kind: ProblemKind) {
    let (keyspace, table) = (keyspace.to_owned(), Some(table.to_owned()));
    loaded.problems.push(Problem { keyspace, table, kind });
}

impl Table {
    fn drop_column(&mut self, name: &str, at_us: i64) -> Result<(), String> {
        let columns = &mut self.create.columns;
        let Some(index) = columns.iter().position(|c| c.name == name) else {
            return Err(format!(
                "column `{name}` is dropped, but table {} has no such column",
                self.create.name
            ));
        };
        let column = columns.remove(index);
        self.dropped.retain(|row| row.column_name != name);
        self.dropped.push(DroppedColumnRow {
            keyspace_name: self.keyspace.clone(),
            table_name: self.create.name.clone(),
            column_name: column.name,
            dropped_at_us: at_us,
            is_static: column.is_static,
            type_text: column.type_text,
        });
        Ok(())
    }

    fn add_to(self, loaded: &mut Loaded, id: &IdOf<'_>) {
        let mut create = self.create;
        let Some(id) = create.options.id.or_else(|| id(&self.keyspace, &create.name)) else {
            problem(loaded, &self.keyspace, &create.name, ProblemKind::NoId);
            return;
        };
        let flags = compact::lay_out(&mut create);
        loaded.rows.tables.push(TableRow {
            keyspace_name: self.keyspace.clone(),
            table_name: create.name.clone(),
            id,
            flags,
            cdc: create.options.cdc,
        });
        let roles = Roles::new(&self.keyspace, &create.name, &create.key, &create.options.order);
        loaded.rows.columns.extend(create.columns.iter().map(|column| roles.row(column)));
        loaded.rows.dropped_columns.extend(self.dropped);
    }
}

/// The roles that a primary key and a clustering order give to columns.
struct Roles<'a> {
    keyspace: &'a str,
    table: &'a str,
    /// Kind and position of the key columns.
    keys: HashMap<&'a str, (ColumnKind, usize)>,
    descending: HashSet<&'a str>,
}

impl<'a> Roles<'a> {
    fn new(keyspace: &'a str, table: &'a str, key: &'a PrimaryKey, order: &'a [(String, bool)]) -> Self {
        let of = |names: &'a [String], kind| {
            names.iter().enumerate().map(move |(place, name)| (name.as_str(), (kind, place)))
        };
        let clustering = of(&key.clustering, ColumnKind::Clustering);
        let descending = order.iter().filter(|(_, descending)| *descending).map(|(name, _)| name.as_str());
        Self {
            keyspace,
            table,
            keys: clustering.chain(of(&key.partition, ColumnKind::PartitionKey)).collect(),
            descending: descending.collect(),
        }
    }

    fn row(&self, column: &ColumnDef) -> ColumnRow {
        let (kind, position) = match self.keys.get(column.name.as_str()) {
            Some((kind, place)) => (*kind, i32::try_from(*place).unwrap_or(i32::MAX)),
            None if column.is_static => (ColumnKind::Static, -1),
            None => (ColumnKind::Regular, -1),
        };
        ColumnRow {
            keyspace_name: self.keyspace.to_owned(),
            table_name: self.table.to_owned(),
            column_name: column.name.clone(),
            column_name_bytes: column.name.clone().into_bytes(),
            kind,
            position,
            descending: self.descending.contains(column.name.as_str()),
            type_text: column.type_text.clone(),
        }
    }
}

/// Adds a view: its columns have the types of the base table's and the roles of its own key.
fn add_view(
    loaded: &mut Loaded,
    keyspace: &str,
    view: &CreateView,
    base: Option<&Table>,
) -> Result<(), ProblemKind> {
    let id = view.options.id.ok_or(ProblemKind::NoId)?;
    let base = base.ok_or_else(|| ProblemKind::NoBaseTable(view.base.1.clone()))?;
    let columns: HashMap<_, _> = base.create.columns.iter().map(|c| (&c.name, c)).collect();
    let all = || base.create.columns.iter().map(|c| &c.name).collect();
    let mut names: Vec<&String> = view.columns.as_ref().map_or_else(all, |names| names.iter().collect());
    // A key column need not be selected by name.
    let selected: HashSet<&String> = names.iter().copied().collect();
    let key = view.key.partition.iter().chain(&view.key.clustering);
    names.extend(key.filter(|name| !selected.contains(name)));
    let roles = Roles::new(keyspace, &view.name, &view.key, &view.options.order);
    let row = |name: &String| match columns.get(name) {
        Some(column) => Ok(roles.row(column)),
        None => Err(ProblemKind::NoBaseColumn(name.clone())),
    };
    let rows = names.into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
    loaded.rows.columns.extend(rows);
    loaded.rows.views.push(ViewRow {
        keyspace_name: keyspace.to_owned(),
        view_name: view.name.clone(),
        base_table_name: view.base.1.clone(),
        id,
    });
    Ok(())
}
