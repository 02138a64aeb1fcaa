//! Schema changes in the log, applied at their place.
//!
//! Every schema change is logged on every node as a mutation of `system_schema`. A schema given beforehand is usually
//! newer than the beginning of the log, and the log may not have every change (a segment without CDC data is not kept
//! for CDC). So a change adds to what is known and never takes away what later mutations may need:
//! `docs/schema.md` has the rules.

mod creation;
mod decode;
mod effect;
mod known;
mod learn;
mod logged;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use creation::Creation;
use decode::Header;
pub use effect::{Effect, TableName};
use known::{Known, KnownTable};
use logged::{Log, RowKey};
pub use logged::{LoggedRow, LoggedUpdate, Source};

use super::build::build;
use super::model::{ColumnKind, Schema, TableId};
use super::problem::Problem;
use super::rows::{ColumnRow, DroppedColumnRow, SystemSchemaRows, TypeRow};
use super::system;

/// A schema that follows the log.
#[derive(Debug, Clone)]
pub struct SchemaHistory {
    /// As given.
    given: Known,
    /// At this place in the log.
    known: Known,
    log: Log,
    schema: Schema,
}

/// What the changes of one mutation touch.
#[derive(Default)]
struct Touched {
    /// Tables as they were before, by keyspace and id.
    tables: BTreeMap<(String, TableId), Option<KnownTable>>,
    effects: Vec<Effect>,
}

impl SchemaHistory {
    /// Starts with a given schema, to which the tables of the system keyspaces are added; and what is wrong with it.
    #[must_use]
    pub fn new(rows: &SystemSchemaRows) -> (Self, Vec<Problem>) {
        let mut built = build(rows);
        system::add_to(&mut built.schema);
        let history = Self {
            given: Known::new(rows),
            known: Known::new(rows),
            log: Log::default(),
            schema: built.schema,
        };
        (history, built.problems)
    }

    /// The schema at this place in the log. Tables and columns that were dropped stay in it.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Applies what one mutation logged; no effect means that the schema is as it was.
    pub fn apply(&mut self, updates: &[LoggedUpdate]) -> Vec<Effect> {
        let mut touched = Touched::default();
        let mut changed: BTreeMap<Source, Vec<RowKey>> = BTreeMap::new();
        for update in updates {
            let changes = self.log.merge(update);
            if changes.partition_deleted && update.source == Source::Keyspaces {
                self.drop_keyspace(&update.keyspace, &mut touched);
            }
            changed.entry(update.source).or_default().extend(changes.rows);
        }
        let columns = changed.get(&Source::Columns).map(Vec::as_slice).unwrap_or_default();
        let described = self.described(columns);
        // In the order of their declaration: types, tables, views, columns, dropped columns.
        for keys in changed.values() {
            for key in keys {
                self.row(key, &described, &mut touched);
            }
        }
        self.rebuild(touched)
    }

    /// The tables of which these logged columns can be all: the partition key is among them, and none is deleted.
    fn described(&self, columns: &[RowKey]) -> BTreeSet<(String, String)> {
        let mut keys: BTreeMap<(String, String), BTreeSet<i32>> = BTreeMap::new();
        let mut partly = BTreeSet::new();
        for key in columns {
            let Some(table) = key.2.first() else { continue };
            let name = (key.1.clone(), table.clone());
            match self.log.row(key).filter(|row| row.is_live()).and_then(|row| decode::column(key, row)) {
                None => {
                    partly.insert(name);
                }
                Some(column) if column.kind == ColumnKind::PartitionKey => {
                    keys.entry(name).or_default().insert(column.position);
                }
                Some(_) => {}
            }
        }
        let whole = |positions: &BTreeSet<i32>| positions.iter().copied().eq((0..).take(positions.len()));
        keys.retain(|name, positions| whole(positions) && !partly.contains(name));
        keys.into_keys().collect()
    }

    fn row(&mut self, key: &RowKey, described: &BTreeSet<(String, String)>, touched: &mut Touched) {
        let (source, keyspace, names) = key;
        let Some(name) = names.first() else { return };
        let Some(state) = self.log.row(key) else { return };
        let live = state.is_live();
        match source {
            Source::Keyspaces => {}
            Source::Types if live => match decode::user_type(key, state) {
                Some(row) => self.put_type(row, touched),
                None => touched.doubt(keyspace, None, format!("the row of type `{name}` is not whole")),
            },
            Source::Tables | Source::Views if live => {
                let header = decode::header(state);
                let complete = described.contains(&(keyspace.clone(), name.clone()));
                self.put_header(keyspace, name, &header, *source == Source::Views, complete, touched);
            }
            Source::Tables | Source::Views => {
                if let Some(id) = self.known.names.remove(&(keyspace.clone(), name.clone())) {
                    touched.effects.push(Effect::Dropped(TableName::new(keyspace, name, id)));
                }
            }
            // Dropped types and columns stay known.
            Source::Types => {}
            Source::Columns if live => {
                let row = decode::column(key, state);
                if row.as_ref().is_some_and(|row| self.contradicts(keyspace, name, row)) {
                    let reason =
                        "a column is logged in another role than it has, or as one more column of a key";
                    return touched.doubt(keyspace, Some(name), reason.to_owned());
                }
                self.change(keyspace, name, row, KnownTable::put, touched);
            }
            Source::DroppedColumns if live => {
                let row = decode::dropped_column(key, state);
                let given = self.given_after(keyspace, name, row.as_ref());
                let apply = |table: &mut KnownTable, row| match given {
                    Some(given) => table.take_column(&given, row),
                    None => table.drop_column(row),
                };
                self.change(keyspace, name, row, apply, touched);
            }
            Source::Columns | Source::DroppedColumns => {}
        }
    }

    /// Whether a logged column cannot belong to the table as it is known: then the schema is of another table.
    fn contradicts(&self, keyspace: &str, name: &str, column: &ColumnRow) -> bool {
        let Some(id) = self.known.names.get(&(keyspace.to_owned(), name.to_owned())) else { return false };
        let is_whole = self.schema.table(*id).is_some();
        is_whole && self.known.tables.get(id).is_some_and(|table| !table.allows(column))
    }

    /// The given table, when it was given after that drop: it then says what became of the column.
    fn given_after(&self, keyspace: &str, name: &str, drop: Option<&DroppedColumnRow>) -> Option<KnownTable> {
        let id = self.known.names.get(&(keyspace.to_owned(), name.to_owned()))?;
        let given = self.given.tables.get(id)?;
        let drop = drop?;
        let later = given.dropped(&drop.column_name)?.dropped_at_us >= drop.dropped_at_us;
        later.then(|| given.clone())
    }

    fn put_header(
        &mut self,
        keyspace: &str,
        name: &str,
        header: &Header,
        is_view: bool,
        complete: bool,
        touched: &mut Touched,
    ) {
        let key = (keyspace.to_owned(), name.to_owned());
        let Some(id) = header.id.or_else(|| self.known.names.get(&key).copied()) else {
            return touched.doubt(keyspace, Some(name), "its logged row has no id".to_owned());
        };
        if self.known.tables.get(&id).is_some_and(|table| table.name() != name) {
            return touched.doubt(
                keyspace,
                Some(name),
                "its id is that of a table with another name".to_owned(),
            );
        }
        touched.table(keyspace, id, self.known.tables.get(&id));
        self.known.names.insert(key, id);
        let table = self.known.tables.entry(id);
        let table = table.or_insert_with(|| KnownTable::logged(keyspace, name, id, header, is_view));
        table.update(header);
        table.complete |= complete;
    }

    /// Changes the table that a name means now with a row of it.
    fn change<R>(
        &mut self,
        keyspace: &str,
        name: &str,
        row: Option<R>,
        apply: impl FnOnce(&mut KnownTable, R),
        touched: &mut Touched,
    ) {
        let Some(row) = row else {
            return touched.doubt(
                keyspace,
                Some(name),
                "a logged row of one of its columns is not whole".to_owned(),
            );
        };
        let Some(id) = self.known.names.get(&(keyspace.to_owned(), name.to_owned())).copied() else {
            let reason = "a column is logged of a table that neither the schema nor the log describes";
            return touched.doubt(keyspace, Some(name), reason.to_owned());
        };
        if let Some(table) = self.known.tables.get_mut(&id) {
            touched.table(keyspace, id, Some(table));
            apply(table, row);
        }
    }

    /// Takes over a type. Fields are only ever added: a row with fewer is older than what is known.
    fn put_type(&mut self, row: TypeRow, touched: &mut Touched) {
        let keyspace = row.keyspace_name.clone();
        let key = (keyspace.clone(), row.type_name.clone());
        let known = self.known.types.get(&key).cloned();
        let is_older = |known: &TypeRow| known.field_names.len() > row.field_names.len() || *known == row;
        if known.as_ref().is_some_and(is_older) {
            return;
        }
        let problems =
            |types: Vec<TypeRow>| build(&SystemSchemaRows { types, ..SystemSchemaRows::default() }).problems;
        let before = problems(self.known.types_of(&keyspace)).len();
        self.known.types.insert(key.clone(), row);
        if let Some(problem) = problems(self.known.types_of(&keyspace)).get(before) {
            let reason =
                format!("a change of type `{}` does not fit the other types: {}", key.1, problem.kind);
            touched.doubt(&keyspace, None, reason);
            match known {
                Some(known) => self.known.types.insert(key, known),
                None => self.known.types.remove(&key),
            };
            return;
        }
        for (_, id) in self.known.ids_in(&keyspace) {
            touched.table(&keyspace, id, self.known.tables.get(&id));
        }
    }

    fn drop_keyspace(&mut self, keyspace: &str, touched: &mut Touched) {
        for (name, id) in self.known.ids_in(keyspace) {
            self.known.names.remove(&(keyspace.to_owned(), name.clone()));
            touched.effects.push(Effect::Dropped(TableName::new(keyspace, &name, id)));
        }
    }

    /// Builds the touched tables anew; what cannot be built stays as it was.
    fn rebuild(&mut self, mut touched: Touched) -> Vec<Effect> {
        for ((keyspace, id), before) in std::mem::take(&mut touched.tables) {
            let Some(table) = self.known.tables.get(&id) else { continue };
            let name = table.name().to_owned();
            if !table.complete {
                let reason = "it was changed, and neither the schema nor the log says all its columns";
                touched.doubt(&keyspace, Some(&name), reason.to_owned());
                continue;
            }
            let built = build(&self.known.rows_of(&keyspace, table));
            let mut of_table = built.problems.iter().filter(|problem| problem.table.is_some()).peekable();
            if of_table.peek().is_some() {
                for problem in of_table {
                    touched.doubt(&keyspace, Some(&name), problem.kind.to_string());
                }
                self.known.tables.extend(before.map(|before| (id, before)));
                continue;
            }
            let Some(new) = built.schema.table(id) else { continue };
            let old = self.schema.table(id);
            if old != Some(new) {
                let name = TableName::new(&keyspace, &name, id);
                let effect = match old {
                    None => Effect::Created(name),
                    Some(old) if old.cdc != new.cdc => Effect::CdcSwitched { table: name, is_on: new.cdc },
                    Some(_) => Effect::Altered(name),
                };
                touched.effects.push(effect);
                self.schema.insert_shared(new.clone());
            }
        }
        touched.effects
    }
}

impl Touched {
    /// Notes a table before it changes.
    fn table(&mut self, keyspace: &str, id: TableId, before: Option<&KnownTable>) {
        self.tables.entry((keyspace.to_owned(), id)).or_insert_with(|| before.cloned());
    }

    fn doubt(&mut self, keyspace: &str, table: Option<&str>, reason: String) {
        let table = table.map(str::to_owned);
        self.effects.push(Effect::Doubtful { keyspace: keyspace.to_owned(), table, reason });
    }
}
