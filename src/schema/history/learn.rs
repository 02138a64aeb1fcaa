//! A newer schema of the same node, given while its log is followed.

use super::known::{Known, KnownTable};
use super::{Effect, SchemaHistory, Touched};
use crate::schema::model::{ColumnKind, TableId};
use crate::schema::rows::{SystemSchemaRows, TypeRow};

impl SchemaHistory {
    /// Takes from a newer schema what is missing at this place in the log: tables by their ids, columns, fields of
    /// types. What is known keeps its meaning: the log may not have reached the change.
    ///
    /// Also for single tables that a name no longer means, to decode what is in the log of them.
    pub fn learn(&mut self, rows: &SystemSchemaRows) -> Vec<Effect> {
        let newer = Known::new(rows);
        let mut touched = Touched::default();
        // As many fields under other names may be an older state, too.
        let grown = |known: Option<&TypeRow>, new: &TypeRow| {
            known.is_none_or(|known| known.field_names.len() < new.field_names.len())
        };
        self.learn_types(&newer, &mut touched, grown);
        for (name, id) in sorted(&newer) {
            let Some(table) = newer.tables.get(&id) else { continue };
            touched.table(&name.0, id, self.known.tables.get(&id));
            match self.known.tables.get_mut(&id) {
                Some(known) if known.complete => known.add_missing(table),
                _ => {
                    self.known.tables.insert(id, table.clone());
                }
            }
            self.known.names.entry(name).or_insert(id);
            self.given.tables.insert(id, table.clone());
        }
        self.rebuild(touched)
    }

    /// Takes over a newer schema as a whole: everything that the log had when it was fetched has been followed, so
    /// what the log lacked is repaired. Tables and types that are no longer in it stay known.
    ///
    /// Not when a schema change was followed since the fetch began: then fetch again.
    pub fn settle(&mut self, rows: &SystemSchemaRows) -> Vec<Effect> {
        let newer = Known::new(rows);
        let mut touched = Touched::default();
        self.learn_types(&newer, &mut touched, |_, _| true);
        for (name, id) in sorted(&newer) {
            let Some(table) = newer.tables.get(&id) else { continue };
            touched.table(&name.0, id, self.known.tables.get(&id));
            self.known.tables.insert(id, table.clone());
            self.given.tables.insert(id, table.clone());
        }
        self.known.names.clone_from(&newer.names);
        self.rebuild(touched)
    }

    /// The rows of one table at this place in the log, with the types of its keyspace; `None` when not all of it is
    /// known, or when it is one of Cassandra's own.
    #[must_use]
    pub fn rows_of(&self, id: TableId) -> Option<SystemSchemaRows> {
        let table = self.known.tables.get(&id).filter(|table| table.complete)?;
        let keyspace = &self.schema.table(id)?.keyspace;
        Some(self.known.rows_of(keyspace, table))
    }

    /// Takes over the types that `wanted` picks, of what is known and what is new.
    fn learn_types(
        &mut self,
        newer: &Known,
        touched: &mut Touched,
        wanted: impl Fn(Option<&TypeRow>, &TypeRow) -> bool,
    ) {
        // One type may use another that comes later: what does not fit yet is tried again after the others.
        let picked = newer.types.iter().filter(|(key, row)| wanted(self.known.types.get(*key), row));
        let mut left: Vec<_> = picked.map(|(_, row)| row.clone()).collect();
        loop {
            let before = left.len();
            let mut doubts = Vec::new();
            left.retain(|row| {
                let mut trial = Touched::default();
                self.put_type(row.clone(), &mut trial);
                let fits = trial.effects.is_empty();
                if fits {
                    for (key, table) in trial.tables {
                        touched.tables.entry(key).or_insert(table);
                    }
                } else {
                    doubts.extend(trial.effects);
                }
                !fits
            });
            if left.is_empty() || left.len() == before {
                touched.effects.extend(doubts);
                return;
            }
        }
    }
}

/// Names and ids in an order that does not change from run to run.
fn sorted(known: &Known) -> Vec<((String, String), TableId)> {
    let mut names: Vec<_> = known.names.iter().map(|(name, id)| (name.clone(), *id)).collect();
    names.sort();
    names
}

impl KnownTable {
    /// Adds the columns of a newer state of the table that this one does not know. One that was dropped here and is
    /// a live column there was added again: it is taken over, unless the drop here is newer than that state.
    fn add_missing(&mut self, newer: &Self) {
        for column in &newer.columns {
            if matches!(column.kind, ColumnKind::PartitionKey | ColumnKind::Clustering) {
                continue;
            }
            let live = self.columns.iter().any(|known| known.column_name_bytes == column.column_name_bytes);
            let name = &column.column_name;
            let knows_drop = self.dropped(name).is_none_or(|drop| {
                newer.dropped(name).is_some_and(|newer| newer.dropped_at_us >= drop.dropped_at_us)
            });
            if !live && knows_drop {
                self.put(column.clone());
            }
        }
        for drop in &newer.dropped {
            let known = self.columns.iter().any(|known| known.column_name == drop.column_name);
            if !known && self.dropped(&drop.column_name).is_none() {
                self.drop_column(drop.clone());
            }
        }
    }
}
