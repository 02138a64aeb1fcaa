//! Which schema holds from where on.

use std::collections::HashSet;

use crate::change::filter::TableFilter;
use crate::commitlog::{Peek, Position};
use crate::schema::{Schema, TableId, TableMap, system};

/// A schema and the place from which it holds.
#[derive(Debug)]
pub(super) struct Epoch {
    /// First mutation that it holds for; `None` from the start.
    pub(super) from: Option<Position>,
    pub(super) schema: Schema,
    pub(super) interest: Interest,
}

impl Epoch {
    pub(super) fn new(from: Option<Position>, schema: Schema, filter: &TableFilter) -> Self {
        let interest = Interest::new(&schema, filter);
        Self { from, schema, interest }
    }
}

/// What becomes of a table's mutations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its events become records.
    Wanted,
    /// A table of Cassandra itself.
    System,
    /// Not wanted; another table of its keyspace is.
    Unwanted,
    /// No table of its keyspace is wanted.
    UnwantedKeyspace,
    /// Not in the schema.
    Unknown,
}

/// The verdict on every known table.
#[derive(Debug)]
pub(super) struct Interest(TableMap<Verdict>);

impl Interest {
    fn new(schema: &Schema, filter: &TableFilter) -> Self {
        let wanted: HashSet<&str> = schema
            .tables()
            .filter(|table| filter.wants(table))
            .map(|table| table.keyspace.as_str())
            .collect();
        let verdict = |table: &crate::schema::TableSchema| {
            if filter.wants(table) {
                Verdict::Wanted
            } else if wanted.contains(table.keyspace.as_str()) {
                Verdict::Unwanted
            } else if system::is_system_keyspace(&table.keyspace) {
                Verdict::System
            } else {
                Verdict::UnwantedKeyspace
            }
        };
        Self(schema.tables().map(|table| (table.id, verdict(table))).collect())
    }

    #[inline]
    pub(super) fn table(&self, id: TableId) -> Verdict {
        self.0.get(&id).copied().unwrap_or(Verdict::Unknown)
    }

    /// The verdict on a whole mutation, where its first update tells: all updates are of one keyspace.
    #[inline]
    pub(super) fn mutation(&self, peek: &Peek<'_>) -> Verdict {
        match self.table(peek.table) {
            Verdict::Unwanted if peek.updates > 1 => Verdict::Wanted,
            verdict => verdict,
        }
    }
}
