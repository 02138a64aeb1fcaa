//! What of a table is read, and how: found out before the first page, and again after an error.

use std::sync::Arc;

use crate::change::filter::TableFilter;
use crate::checkpoint::TableSnapshot;
use crate::schema::source::{Ring, TokenRange, primary_ranges};
use crate::schema::{Schema, TableSchema};
use crate::snapshot::Select;

/// What is read of a table.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) ranges: Vec<TokenRange>,
    pub(super) select: Arc<Select>,
}

impl Plan {
    /// The plan for a snapshot.
    ///
    /// # Errors
    /// Why there is none, in words: it will not get better by itself.
    pub(super) fn new(
        snapshot: &TableSnapshot,
        ring: &Ring,
        schema: &Schema,
        filter: &TableFilter,
    ) -> Result<Self, String> {
        let table = wanted(schema, filter, &snapshot.keyspace, &snapshot.table)
            .map_err(|no| format!("{}; {}", no.what, no.next))?;
        if table.id.to_string() != snapshot.id {
            return Err("it was dropped and made again: start a new snapshot".to_owned());
        }
        let ranges = primary_ranges(ring, &snapshot.keyspace).map_err(|error| error.to_string())?;
        let select = Select::new(table, ring.node.major_version()).map_err(|error| error.to_string())?;
        Ok(Self { ranges, select: Arc::new(select) })
    }
}

/// Why there is no snapshot of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unwanted {
    pub(super) what: &'static str,
    pub(super) next: &'static str,
}

/// The table of that name, when its changes are published: a snapshot without them would be old at once.
///
/// # Errors
/// Why a snapshot of it is refused.
pub(super) fn wanted<'s>(
    schema: &'s Schema,
    filter: &TableFilter,
    keyspace: &str,
    name: &str,
) -> Result<&'s Arc<TableSchema>, Unwanted> {
    let mut named = schema.tables().filter(|table| table.keyspace == keyspace && table.name == name);
    let no = |what, next| Err(Unwanted { what, next });
    let Some(table) = named.next() else {
        return no(
            "there is no such table in the schema",
            "check the name; a new table is known after schema_refresh_interval_ms at most",
        );
    };
    if table.view {
        return no("it is a materialized view", "read the table that it is a view of");
    }
    if !table.cdc {
        return no("its changes are not logged", "ALTER TABLE … WITH cdc = true first");
    }
    if !filter.wants(table) {
        return no("its changes are not published", "put it into the configured lists of tables");
    }
    if table.compact {
        return no("it is WITH COMPACT STORAGE", "ALTER TABLE … DROP COMPACT STORAGE first");
    }
    Ok(table)
}
