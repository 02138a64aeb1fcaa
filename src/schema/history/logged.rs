//! Schema changes as the log has them: rows of `system_schema` with timestamps, and their merge.

use std::collections::BTreeMap;

/// The tables of `system_schema` that matter for reading the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// `keyspaces`
    Keyspaces,
    /// `types`: before the tables that use them.
    Types,
    /// `tables`: before their columns.
    Tables,
    /// `views`: before their columns.
    Views,
    /// `columns`
    Columns,
    /// `dropped_columns`: after the columns.
    DroppedColumns,
}

impl Source {
    /// The table of `system_schema` with that name, if it matters.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "keyspaces" => Self::Keyspaces,
            "types" => Self::Types,
            "tables" => Self::Tables,
            "views" => Self::Views,
            "columns" => Self::Columns,
            "dropped_columns" => Self::DroppedColumns,
            _ => return None,
        })
    }
}

/// What one mutation changes in one table of `system_schema`. Timestamps in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedUpdate {
    /// The table.
    pub source: Source,
    /// The partition key.
    pub keyspace: String,
    /// Deletions of the rows whose clustering begins so; the empty one is of the whole partition.
    pub deletions: Vec<(Vec<String>, i64)>,
    /// Rows.
    pub rows: Vec<LoggedRow>,
}

/// What one mutation changes in one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoggedRow {
    /// Clustering values: names.
    pub key: Vec<String>,
    /// Timestamp of the row's liveness.
    pub live_at: Option<i64>,
    /// Timestamp of the row's deletion.
    pub deleted_at: Option<i64>,
    /// Column name, timestamp and bytes (`None`: deleted).
    pub cells: Vec<(String, i64, Option<Vec<u8>>)>,
}

impl LoggedUpdate {
    /// When the change was made: the newest timestamp in it.
    #[must_use]
    pub fn changed_at_us(&self) -> Option<i64> {
        let of_row = |row: &LoggedRow| {
            let cells = row.cells.iter().map(|(_, at, _)| *at).max();
            row.live_at.max(row.deleted_at).max(cells)
        };
        let rows = self.rows.iter().filter_map(of_row);
        self.deletions.iter().map(|(_, at)| *at).chain(rows).max()
    }
}

/// A row of `system_schema` by table, keyspace and clustering.
pub(super) type RowKey = (Source, String, Vec<String>);

/// What the log has shown of a row, the newest of each cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RowState {
    live_at: Option<i64>,
    deleted_at: Option<i64>,
    cells: BTreeMap<String, (i64, Option<Vec<u8>>)>,
}

impl RowState {
    /// Cassandra's reconciliation: the newer wins; of one timestamp the deletion, then the greater value.
    fn merge(&mut self, row: &LoggedRow) {
        self.live_at = self.live_at.max(row.live_at);
        self.delete(row.deleted_at);
        for (name, at, value) in &row.cells {
            let rank = |(at, value): &(i64, Option<Vec<u8>>)| (*at, value.is_none(), value.clone());
            let new = (*at, value.clone());
            match self.cells.get_mut(name) {
                Some(old) if rank(old) >= rank(&new) => {}
                Some(old) => *old = new,
                None => {
                    self.cells.insert(name.clone(), new);
                }
            }
        }
    }

    fn delete(&mut self, at: Option<i64>) {
        self.deleted_at = self.deleted_at.max(at);
    }

    fn survives(&self, at: i64) -> bool {
        self.deleted_at.is_none_or(|deleted| at > deleted)
    }

    /// Whether the row exists.
    pub(super) fn is_live(&self) -> bool {
        let cell_lives = |(at, value): &(i64, Option<Vec<u8>>)| value.is_some() && self.survives(*at);
        self.live_at.is_some_and(|at| self.survives(at)) || self.cells.values().any(cell_lives)
    }

    /// The bytes of a column.
    pub(super) fn get(&self, column: &str) -> Option<&[u8]> {
        let (at, value) = self.cells.get(column)?;
        value.as_deref().filter(|_| self.survives(*at))
    }
}

/// Everything the log has shown of `system_schema`.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    rows: BTreeMap<RowKey, RowState>,
    /// Deletions by the beginning of a row key.
    deletions: BTreeMap<RowKey, i64>,
}

/// What an update changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Rows that are not as they were.
    pub(super) rows: Vec<RowKey>,
    /// The whole partition was deleted.
    pub(super) partition_deleted: bool,
}

impl Log {
    pub(super) fn row(&self, key: &RowKey) -> Option<&RowState> {
        self.rows.get(key)
    }

    /// Takes an update in. What is older than what was shown before changes nothing.
    pub(super) fn merge(&mut self, update: &LoggedUpdate) -> Changes {
        let mut changes = Changes::default();
        for (prefix, at) in &update.deletions {
            let key = (update.source, update.keyspace.clone(), prefix.clone());
            let newest = self.deletions.entry(key).or_insert(i64::MIN);
            if *newest < *at {
                *newest = *at;
                changes.partition_deleted |= prefix.is_empty();
                self.delete(update, prefix, *at, &mut changes.rows);
            }
        }
        for row in &update.rows {
            let key = (update.source, update.keyspace.clone(), row.key.clone());
            let shadow = self.shadow(&key);
            let state = self.rows.entry(key.clone()).or_default();
            let before = state.clone();
            state.delete(shadow);
            state.merge(row);
            if *state != before && !changes.rows.contains(&key) {
                changes.rows.push(key);
            }
        }
        changes
    }

    fn delete(&mut self, update: &LoggedUpdate, prefix: &[String], at: i64, changed: &mut Vec<RowKey>) {
        let first = (update.source, update.keyspace.clone(), prefix.to_vec());
        let begins = |key: &RowKey| (key.0, &key.1) == (first.0, &first.1) && key.2.starts_with(prefix);
        for (key, state) in self.rows.range_mut(first.clone()..).take_while(|(key, _)| begins(key)) {
            let before = state.deleted_at;
            state.delete(Some(at));
            if state.deleted_at != before {
                changed.push(key.clone());
            }
        }
    }

    /// The newest deletion that covers a row.
    fn shadow(&self, key: &RowKey) -> Option<i64> {
        let prefixes = (0..=key.2.len()).filter_map(|n| key.2.get(..n));
        prefixes
            .filter_map(|prefix| self.deletions.get(&(key.0, key.1.clone(), prefix.to_vec())).copied())
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, cells: &[(&str, i64, Option<&str>)]) -> LoggedRow {
        let cell = |(name, at, value): &(&str, i64, Option<&str>)| {
            ((*name).to_owned(), *at, value.map(|v| v.as_bytes().to_vec()))
        };
        LoggedRow {
            key: vec![key.to_owned()],
            cells: cells.iter().map(cell).collect(),
            ..LoggedRow::default()
        }
    }

    fn update(rows: Vec<LoggedRow>, deletions: Vec<(Vec<String>, i64)>) -> LoggedUpdate {
        LoggedUpdate { source: Source::Tables, keyspace: "k".to_owned(), deletions, rows }
    }

    fn key(name: &str) -> RowKey {
        (Source::Tables, "k".to_owned(), vec![name.to_owned()])
    }

    #[test]
    fn the_newest_cell_wins_in_any_order() {
        let writes = [("c", 5, Some("five")), ("c", 7, None), ("c", 6, Some("six")), ("c", 7, Some("seven"))];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
            let mut log = Log::default();
            for index in order {
                log.merge(&update(vec![row("t", &writes[index..=index])], vec![]));
            }
            let state = log.row(&key("t")).unwrap();
            assert_eq!((state.get("c"), state.is_live()), (None, false));
            log.merge(&update(vec![row("t", &[("c", 8, Some("eight"))])], vec![]));
            assert_eq!(log.row(&key("t")).unwrap().get("c"), Some(&b"eight"[..]));
        }
    }

    #[test]
    fn what_was_shown_before_changes_nothing() {
        let mut log = Log::default();
        let newer = update(vec![row("t", &[("c", 5, Some("x"))])], vec![]);
        assert_eq!(log.merge(&newer).rows, [key("t")]);
        assert_eq!(log.merge(&newer), Changes::default());
        let older = update(vec![row("t", &[("c", 4, Some("y"))])], vec![]);
        assert_eq!(log.merge(&older), Changes::default());
    }

    #[test]
    fn deletions_cover_what_is_older_before_and_after_them() {
        let mut log = Log::default();
        log.merge(&update(vec![row("t", &[("c", 5, Some("x"))]), row("u", &[("c", 9, Some("x"))])], vec![]));
        let changes = log.merge(&update(vec![], vec![(vec![], 7)]));
        assert!(changes.partition_deleted);
        assert_eq!(changes.rows, [key("t"), key("u")]);
        assert!(!log.row(&key("t")).unwrap().is_live());
        assert!(log.row(&key("u")).unwrap().is_live());
        log.merge(&update(vec![row("v", &[("c", 7, Some("late"))])], vec![]));
        assert!(!log.row(&key("v")).unwrap().is_live());
        let changes = log.merge(&update(vec![], vec![(vec!["u".to_owned()], 9)]));
        assert_eq!((changes.rows, changes.partition_deleted), (vec![key("u")], false));
        assert_eq!(log.row(&key("u")).unwrap().get("c"), None);
    }

    /// An ALTER deletes the previous row one microsecond below the new one.
    #[test]
    fn a_row_replaces_the_previous_one() {
        let mut log = Log::default();
        log.merge(&update(vec![row("t", &[("a", 5, Some("x")), ("b", 5, Some("y"))])], vec![]));
        let new = LoggedRow { deleted_at: Some(9), live_at: Some(10), ..row("t", &[("a", 10, Some("z"))]) };
        log.merge(&update(vec![new], vec![]));
        let state = log.row(&key("t")).unwrap();
        assert_eq!((state.get("a"), state.get("b")), (Some(&b"z"[..]), None));
    }
}
