//! Which tables become events, and which columns show their values.

use std::collections::{HashMap, HashSet};

use crate::schema::{ColumnKind, Schema, TableSchema};

/// Keyspace and table, unquoted.
pub type TableKey = (String, String);

/// The configured lists of keyspaces and tables. Without any, every table with `cdc = true` is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFilter {
    /// Wanted by name, whatever their `cdc` option says.
    pub tables: HashSet<TableKey>,
    /// When not empty: only tables of these keyspaces, and only with `cdc = true`.
    pub keyspaces: HashSet<String>,
    /// Never wanted.
    pub excluded: HashSet<TableKey>,
}

impl TableFilter {
    /// Whether changes of `table` become events.
    #[must_use]
    pub fn wants(&self, table: &TableSchema) -> bool {
        let key = (table.keyspace.clone(), table.name.clone());
        if self.excluded.contains(&key) {
            return false;
        }
        if !self.tables.is_empty() {
            return self.tables.contains(&key);
        }
        table.cdc && !table.view && (self.keyspaces.is_empty() || self.keyspaces.contains(&table.keyspace))
    }

    /// The named tables that `schema` does not have.
    #[must_use]
    pub fn missing(&self, schema: &Schema) -> Vec<TableKey> {
        let known: HashSet<TableKey> =
            schema.tables().map(|table| (table.keyspace.clone(), table.name.clone())).collect();
        let mut missing: Vec<_> =
            self.tables.union(&self.excluded).filter(|key| !known.contains(key)).cloned().collect();
        missing.sort();
        missing
    }
}

/// What happens to the values of a column. Its name and times stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRule {
    /// The column is left out.
    Drop,
    /// The value is replaced by `***`.
    Mask,
    /// The value is replaced by its keyed hash.
    Hash,
}

/// Keyspace, table and column, unquoted.
pub type ColumnKey = (TableKey, String);

/// Rules for single columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnRules(HashMap<ColumnKey, ColumnRule>);

/// A rule that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnRuleError {
    /// No such column.
    #[error("the schema has no column `{0}.{1}.{2}`; check the name, or take the option away")]
    Unknown(String, String, String),
    /// The column identifies the row.
    #[error("`{0}.{1}.{2}` is part of the primary key: it cannot be dropped, masked or hashed")]
    PrimaryKey(String, String, String),
    /// Two rules for one column.
    #[error("`{0}.{1}.{2}` is named by two of drop, mask and hash; name it once")]
    Twice(String, String, String),
}

impl ColumnRules {
    /// Adds a rule.
    ///
    /// # Errors
    /// The column has another rule already.
    pub fn add(&mut self, (table, column): ColumnKey, rule: ColumnRule) -> Result<(), ColumnRuleError> {
        match self.0.insert((table.clone(), column.clone()), rule) {
            Some(other) if other != rule => Err(ColumnRuleError::Twice(table.0, table.1, column)),
            _ => Ok(()),
        }
    }

    /// The rule of a column.
    #[must_use]
    pub fn rule(&self, table: &TableSchema, column: &str) -> Option<ColumnRule> {
        if self.0.is_empty() {
            return None;
        }
        let table = (table.keyspace.clone(), table.name.clone());
        self.0.get(&(table, column.to_owned())).copied()
    }

    /// Whether some rule needs a key.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.0.values().any(|rule| *rule == ColumnRule::Hash)
    }

    /// Checks the rules against the schema.
    ///
    /// # Errors
    /// A rule names a column that does not exist or is part of the primary key.
    pub fn check(&self, schema: &Schema) -> Result<(), ColumnRuleError> {
        let mut rules: Vec<_> = self.0.keys().cloned().collect();
        rules.sort();
        for ((keyspace, table), column) in rules {
            match kind_of(schema, &keyspace, &table, &column) {
                None => return Err(ColumnRuleError::Unknown(keyspace, table, column)),
                Some(ColumnKind::PartitionKey | ColumnKind::Clustering) => {
                    return Err(ColumnRuleError::PrimaryKey(keyspace, table, column));
                }
                Some(ColumnKind::Static | ColumnKind::Regular) => {}
            }
        }
        Ok(())
    }
}

fn kind_of(schema: &Schema, keyspace: &str, table: &str, column: &str) -> Option<ColumnKind> {
    let mut found =
        schema.tables().filter(|candidate| candidate.keyspace == keyspace && candidate.name == table);
    found.find_map(|table| {
        let columns = [&table.partition_key, &table.clustering, &table.statics, &table.regulars];
        columns.into_iter().flatten().find(|candidate| candidate.name == column).map(|found| found.kind)
    })
}
