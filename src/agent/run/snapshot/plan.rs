//! What of a table is read, and how: found out before the first page, and again after an error.

use std::sync::Arc;

use crate::change::filter::TableFilter;
use crate::checkpoint::TableSnapshot;
use crate::schema::source::Ring;
use crate::schema::{Schema, TableSchema};
use crate::snapshot::{Select, TokenRange, primary_ranges};

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
        let table = wanted(schema, filter, &snapshot.keyspace, &snapshot.table)?;
        if table.id.to_string() != snapshot.id {
            return Err("it was dropped and made again: start a new snapshot".to_owned());
        }
        let ranges = primary_ranges(ring, &snapshot.keyspace).map_err(|error| error.to_string())?;
        let select = Select::new(table, ring.node.major_version()).map_err(|error| error.to_string())?;
        Ok(Self { ranges, select: Arc::new(select) })
    }
}

/// The table of that name, when its changes are published: a snapshot without them would be old at once.
///
/// # Errors
/// Why a snapshot of it is refused, in words.
pub(super) fn wanted<'s>(
    schema: &'s Schema,
    filter: &TableFilter,
    keyspace: &str,
    name: &str,
) -> Result<&'s Arc<TableSchema>, String> {
    let mut named = schema.tables().filter(|table| table.keyspace == keyspace && table.name == name);
    let Some(table) = named.next() else {
        return Err(
            "there is no such table in the schema; a new one is known after a minute at most".to_owned()
        );
    };
    if table.view {
        return Err("it is a materialized view: read its table".to_owned());
    }
    if !table.cdc {
        return Err("its changes are not logged: ALTER TABLE … WITH cdc = true first".to_owned());
    }
    if !filter.wants(table) {
        return Err("its changes are not published: the configured lists of tables leave it out".to_owned());
    }
    if table.compact {
        return Err("it is WITH COMPACT STORAGE, which snapshots cannot read".to_owned());
    }
    Ok(table)
}
