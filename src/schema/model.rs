//! The schema as the decoder needs it: tables by id, columns by name.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use crate::cql::CqlType;

/// The id under which the commit log names a table: 16 bytes in RFC 4122 order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableId(pub [u8; 16]);

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&uuid::Uuid::from_bytes(self.0), f)
    }
}

impl fmt::Debug for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for TableId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(|id| Self(id.into_bytes()))
    }
}

/// A map from table ids. Ids are random or digests, and only those of the schema become keys: a multiplication
/// spreads them well enough, at a fraction of the cost of the standard hash.
pub type TableMap<V> = HashMap<TableId, V, BuildHasherDefault<TableIdHasher>>;

/// Hasher of [`TableMap`].
#[derive(Debug, Clone, Copy, Default)]
pub struct TableIdHasher(u64);

impl Hasher for TableIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hash for TableId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (high, low) = self.0.split_at(8);
        for half in [high, low] {
            state.write_u64(half.try_into().map_or(0, u64::from_ne_bytes));
        }
    }
}

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Component of the partition key.
    PartitionKey,
    /// Component of the clustering key.
    Clustering,
    /// One value a partition.
    Static,
    /// One value a row.
    Regular,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name as stored (unquoted).
    pub name: String,
    /// The bytes by which the commit log names the column (`column_name_bytes`).
    pub name_bytes: Vec<u8>,
    /// Role of the column.
    pub kind: ColumnKind,
    /// Resolved type.
    pub cql_type: CqlType,
    /// Type text as `system_schema.columns.type` prints it.
    pub type_text: String,
    /// Clustering order DESC.
    pub descending: bool,
    /// Stored as one cell an element; cached from the type.
    pub multi_cell: bool,
    /// Length of a simple value without a length prefix; cached from the type.
    pub fixed_length: Option<usize>,
    /// Set when the column was dropped and not added again: the drop time in microseconds.
    pub dropped_at_us: Option<i64>,
}

impl Column {
    /// A column; the cached properties are derived from the type.
    #[must_use]
    pub fn new(name: &str, kind: ColumnKind, cql_type: CqlType, type_text: &str) -> Self {
        let is_key = matches!(kind, ColumnKind::PartitionKey | ColumnKind::Clustering);
        Self {
            name: name.to_owned(),
            name_bytes: name.as_bytes().to_vec(),
            kind,
            multi_cell: !is_key && cql_type.is_multi_cell(),
            fixed_length: cql_type.fixed_length(),
            cql_type,
            type_text: type_text.to_owned(),
            descending: false,
            dropped_at_us: None,
        }
    }
}

/// A table or materialized view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// Id in the commit log.
    pub id: TableId,
    /// Keyspace, unquoted.
    pub keyspace: String,
    /// Table, unquoted.
    pub name: String,
    /// Table option `cdc`.
    pub cdc: bool,
    /// Materialized view.
    pub view: bool,
    /// Table of counters (flag `counter`).
    pub counter: bool,
    /// COMPACT STORAGE: `flags` is not exactly `{compound}` (a counter table adds `counter`).
    pub compact: bool,
    /// Partition key columns by position.
    pub partition_key: Vec<Column>,
    /// Clustering columns by position.
    pub clustering: Vec<Column>,
    /// Static columns in `name_bytes` order, dropped ones included.
    pub statics: Vec<Column>,
    /// Regular columns in `name_bytes` order, dropped ones included.
    pub regulars: Vec<Column>,
}

impl TableSchema {
    /// The static (`is_static`) or regular column of that name and its index in [`Self::statics`] or
    /// [`Self::regulars`].
    #[must_use]
    pub fn column(&self, is_static: bool, name: &[u8]) -> Option<(usize, &Column)> {
        let columns = if is_static { &self.statics } else { &self.regulars };
        let index = columns.binary_search_by(|c| c.name_bytes.as_slice().cmp(name)).ok()?;
        columns.get(index).map(|column| (index, column))
    }
}

/// All known tables.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    tables: TableMap<Arc<TableSchema>>,
}

impl Schema {
    /// Adds a table, replacing one of the same id.
    pub fn insert(&mut self, table: TableSchema) {
        self.tables.insert(table.id, Arc::new(table));
    }

    /// Adds a table that others share, replacing one of the same id.
    pub fn insert_shared(&mut self, table: Arc<TableSchema>) {
        self.tables.insert(table.id, table);
    }

    /// The table of that id.
    #[must_use]
    pub fn table(&self, id: TableId) -> Option<&Arc<TableSchema>> {
        self.tables.get(&id)
    }

    /// All tables, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableSchema>> {
        self.tables.values()
    }
}

impl FromIterator<TableSchema> for Schema {
    fn from_iter<I: IntoIterator<Item = TableSchema>>(tables: I) -> Self {
        let mut schema = Self::default();
        for table in tables {
            schema.insert(table);
        }
        schema
    }
}
