//! Tables whose creation a mutation logs, whether or not they were known before.

use super::{LoggedRow, LoggedUpdate, RowKey, SchemaHistory, Source, decode};
use crate::schema::model::TableId;

/// So far apart may be the time in a table's id and that of the statement that made both, microseconds.
const STATEMENT_US: u64 = 60_000_000;

/// Between the beginning of the time in UUIDs, 15 October 1582, and 1970, microseconds.
const SINCE_1582_US: i64 = 12_219_292_800_000_000;

/// A table that was created with CDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// Its id.
    pub table: TableId,
    /// When, by the clock of the node that was asked to: microseconds since 1970.
    pub at_us: i64,
}

impl SchemaHistory {
    /// What the mutation that was [applied](Self::apply) last creates. CREATE TABLE logs the row of the table and those of
    /// all its columns, and makes its id, which has the time; ALTER TABLE logs the columns that it changes, which may be
    /// those of the key, too. Of a table with an id that somebody chose nothing is said.
    #[must_use]
    pub fn creations(&self, updates: &[LoggedUpdate]) -> Vec<Creation> {
        let columns: Vec<RowKey> =
            rows(updates, Source::Columns).map(|(update, row)| key(update, row)).collect();
        let described = self.described(&columns);
        let creation = |(update, row): (&LoggedUpdate, &LoggedRow)| {
            let name = (update.keyspace.clone(), row.key.first()?.clone());
            let header = decode::header(self.log.row(&key(update, row))?);
            let (table, at_us) = (header.id?, row.live_at?);
            let is_made_now = made_us(table)?.abs_diff(at_us) <= STATEMENT_US;
            let is_created = is_made_now && header.cdc == Some(true) && described.contains(&name);
            Some(Creation { table, at_us }).filter(|_| is_created)
        };
        rows(updates, Source::Tables).filter_map(creation).collect()
    }
}

fn rows(updates: &[LoggedUpdate], source: Source) -> impl Iterator<Item = (&LoggedUpdate, &LoggedRow)> {
    let of = updates.iter().filter(move |update| update.source == source);
    of.flat_map(|update| update.rows.iter().map(move |row| (update, row)))
}

fn key(update: &LoggedUpdate, row: &LoggedRow) -> RowKey {
    (update.source, update.keyspace.clone(), row.key.clone())
}

/// When an id was made that is a UUID of version 1, microseconds since 1970.
fn made_us(id: TableId) -> Option<i64> {
    let bits = u128::from_be_bytes(id.0);
    let part = |shift: u32, mask: u128| (bits >> shift) & mask;
    let ticks = part(64, 0xfff) << 48 | part(80, 0xffff) << 32 | part(96, 0xffff_ffff);
    let since_1582_us = i64::try_from(ticks / 10).ok().filter(|_| part(76, 0xf) == 1)?;
    Some(since_1582_us - SINCE_1582_US)
}
