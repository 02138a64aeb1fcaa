//! Tables whose creation a mutation logs, whether or not they were known before.

use super::{LoggedUpdate, RowKey, SchemaHistory, Source, decode};
use crate::schema::model::TableId;

/// A table that was created with CDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// Its id.
    pub table: TableId,
    /// When, by the clock of the node that was asked to: microseconds since 1970.
    pub at_us: i64,
}

impl SchemaHistory {
    /// What the mutation that was [applied](Self::apply) last creates: CREATE TABLE logs the row of the table and those of
    /// all its columns, ALTER TABLE those of the columns that it changes. All that one statement changes has one time;
    /// a node that takes the schema over from another one logs a whole keyspace, as old as its parts are.
    #[must_use]
    pub fn creations(&self, updates: &[LoggedUpdate]) -> Vec<Creation> {
        let rows = |source: Source| {
            let of = updates.iter().filter(move |update| update.source == source);
            of.flat_map(|update| update.rows.iter().map(move |row| (update, row)))
        };
        let key = |(update, row): (&LoggedUpdate, &super::LoggedRow)| -> RowKey {
            (update.source, update.keyspace.clone(), row.key.clone())
        };
        let columns: Vec<RowKey> = rows(Source::Columns).map(key).collect();
        let all = updates.iter().flat_map(|update| &update.rows);
        let (first, last) = all
            .filter_map(|row| row.live_at)
            .fold((i64::MAX, i64::MIN), |(first, last), at| (first.min(at), last.max(at)));
        if first != last {
            return Vec::new();
        }
        let described = self.described(&columns);
        let creation = |(update, row): (&LoggedUpdate, &super::LoggedRow)| {
            let name = (update.keyspace.clone(), row.key.first()?.clone());
            let header = decode::header(self.log.row(&key((update, row)))?);
            let is_created = described.contains(&name) && header.cdc == Some(true);
            Some(Creation { table: header.id?, at_us: row.live_at? }).filter(|_| is_created)
        };
        rows(Source::Tables).filter_map(creation).collect()
    }
}
