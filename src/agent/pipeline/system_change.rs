//! Mutations of Cassandra's own tables that say something of the tables that are followed.

use super::epoch::{Epoch, Verdict};
use crate::change::{Truncation, truncations};
use crate::commitlog::{Decoder, Mutation, peek};
use crate::schema::{TableId, system};

/// What is looked for in a mutation of Cassandra's own tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum SystemChange {
    /// It changes the schema.
    Schema,
    /// It is of `system.local`, where a node notes what it truncated.
    Local,
}

impl SystemChange {
    /// What a mutation is to be looked at for; all its updates are of one keyspace.
    pub(in crate::agent) fn of(payload: &[u8]) -> Option<Self> {
        let table = system::schema().table(peek(payload).ok()?.table)?;
        match (table.keyspace.as_str(), table.name.as_str()) {
            ("system_schema", _) => Some(Self::Schema),
            ("system", "local") => Some(Self::Local),
            _ => None,
        }
    }

    /// Whether a table is one of those in which Cassandra keeps the schema.
    pub(super) fn is_schema_table(id: TableId) -> bool {
        system::schema().table(id).is_some_and(|table| table.keyspace == "system_schema")
    }
}

/// A wanted table that a node truncated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) struct Truncated {
    pub(in crate::agent) keyspace: String,
    pub(in crate::agent) table: String,
    pub(in crate::agent) noted: Truncation,
}

/// The wanted tables that a mutation of `system.local` says are truncated.
pub(in crate::agent) fn truncated(payload: &[u8], epoch: &Epoch) -> Vec<Truncated> {
    let mut mutation = Mutation::default();
    // A later Cassandra may note more in this table, and what it notes otherwise is nothing to us.
    if Decoder::new(system::schema()).decode(payload, &mut mutation).is_err() {
        return Vec::new();
    }
    let is_wanted = |noted: &Truncation| epoch.interest.table(noted.table) == Verdict::Wanted;
    let named = |noted: Truncation| {
        let table = epoch.schema.table(noted.table)?;
        Some(Truncated { keyspace: table.keyspace.clone(), table: table.name.clone(), noted })
    };
    truncations(&mutation).into_iter().filter(is_wanted).filter_map(named).collect()
}
