//! What is known of every table over time, in a file: a log that lags behind is decoded with the schema of its own
//! time, and an agent starts although its node does not answer.
//!
//! Tables are kept by id, never by name: a name may mean another table tomorrow. `docs/schema.md` has the form of the
//! file, and what wins when sources differ.

mod bound;
mod file;
mod json;
mod place;
mod split;
mod stored;
#[cfg(test)]
mod tests;
mod versions;

use std::io;
use std::path::{Path, PathBuf};

pub use bound::StoreLimits;
pub use file::PutAside;
pub use place::{LogPlace, ParseLogPlaceError};
pub use versions::TableVersion;
use versions::Versions;

use super::model::TableId;
use super::rows::SystemSchemaRows;
use crate::durable::DurableError;

/// When only the times of last sight have changed, the file is not written more often than this.
const SIGHT_INTERVAL_MS: i64 = 5 * 60 * 1000;

/// The file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("schema history: cannot {action} {}: {error}; the agent needs a state directory of its own that it can write", path.display())]
pub struct StoreError {
    /// What was tried.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// What the system says.
    pub error: io::Error,
}

impl StoreError {
    fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        Self { action, path: path.to_path_buf(), error }
    }
}

impl From<DurableError> for StoreError {
    fn from(error: DurableError) -> Self {
        Self { action: error.action, path: error.path, error: error.source }
    }
}

/// The history of a node's schema, in memory and in a file of the state directory. Times are milliseconds since 1970
/// by the node's clock.
#[derive(Debug)]
pub struct SchemaStore {
    dir: PathBuf,
    node: String,
    limits: StoreLimits,
    versions: Versions,
    /// There is something that the file does not have.
    changed: bool,
    saved_ms: Option<i64>,
}

impl SchemaStore {
    /// Reads the history of the node with this host id (empty: not known yet) from a state directory that exists.
    ///
    /// A file that is torn, of another program, version or node is not used: it gets another name, and is returned.
    ///
    /// # Errors
    /// The directory cannot be read, or the file cannot be put aside.
    pub fn open(dir: &Path, node: &str, limits: StoreLimits) -> Result<(Self, Option<PutAside>), StoreError> {
        let mut store = Self {
            dir: dir.to_path_buf(),
            node: node.to_owned(),
            limits,
            versions: Versions::default(),
            changed: false,
            saved_ms: None,
        };
        let read = file::read(dir)?.map(|object| object.and_then(|object| stored::versions(object, node)));
        match read {
            None => Ok((store, None)),
            Some(Ok(versions)) => {
                store.versions = versions;
                Ok((store, None))
            }
            Some(Err(reason)) => {
                let aside = file::put_aside(dir, reason)?;
                Ok((store, Some(aside)))
            }
        }
    }

    /// The node has this whole schema at `at_ms`. Whether anything of it is new.
    pub fn fetched(&mut self, rows: &SystemSchemaRows, at_ms: i64) -> bool {
        let changed = self.versions.fetched(rows, at_ms);
        self.changed |= changed;
        changed
    }

    /// The version of the schema at `at_ms` is still that of the last fetch.
    pub fn unchanged(&mut self, at_ms: i64) {
        self.versions.unchanged(at_ms);
    }

    /// A schema change in the log, made at `at_ms`, left one table like this
    /// ([`SchemaHistory::rows_of`](super::SchemaHistory::rows_of)) from `place` on. Whether that is new.
    pub fn logged(&mut self, table: &SystemSchemaRows, at_ms: i64, place: LogPlace) -> bool {
        let changed = self.versions.logged(table, at_ms, place);
        self.changed |= changed;
        changed
    }

    /// The node's whole schema was taken over at `place` ([`SchemaHistory::settle`](super::SchemaHistory::settle)): the
    /// log is read with it from there on. Whether that is new.
    pub fn settled(&mut self, rows: &SystemSchemaRows, at_ms: i64, place: LogPlace) -> bool {
        let changed = self.versions.settled(rows, at_ms, place);
        self.changed |= changed;
        changed
    }

    /// The schema with which the log was read at `place`, one table a name: what it is read with from there on again.
    /// Dropped tables stay in it.
    #[must_use]
    pub fn as_of(&self, place: LogPlace) -> SystemSchemaRows {
        self.versions.as_of(place)
    }

    /// The tables that [`Self::as_of`] leaves out, because their names meant other ones there: each as it was there.
    #[must_use]
    pub fn others(&self, place: LogPlace) -> Vec<SystemSchemaRows> {
        self.versions.others(place)
    }

    /// The newest schema that is known, one table a name: the log may not have got there.
    #[must_use]
    pub fn newest(&self) -> SystemSchemaRows {
        self.versions.newest()
    }

    /// All that is known of a table, the oldest first.
    #[must_use]
    pub fn versions(&self, id: TableId) -> &[TableVersion] {
        self.versions.tables.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The tables of which something is known.
    pub fn tables(&self) -> impl Iterator<Item = TableId> {
        self.versions.tables.keys().copied()
    }

    /// Forgets versions that were last seen before `before_ms` and are not how a table looks now: no log that old is
    /// read again. How many.
    pub fn forget_before(&mut self, before_ms: i64) -> usize {
        let forgotten = bound::forget(&mut self.versions, self.limits, before_ms);
        self.changed |= forgotten > 0;
        forgotten
    }

    /// Whether something beside times of last sight is not in the file.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.changed
    }

    /// Writes the file, when there is something to write. Times of last sight alone are written every five minutes.
    ///
    /// # Errors
    /// The file cannot be written; the old one is whole, and the next call tries again.
    pub fn save(&mut self, now_ms: i64) -> Result<(), StoreError> {
        let is_due = |saved: i64| now_ms.saturating_sub(saved) >= SIGHT_INTERVAL_MS;
        if self.changed || self.saved_ms.is_none_or(is_due) {
            self.save_now(now_ms)?;
        }
        Ok(())
    }

    /// Writes the file: before a stop.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn save_now(&mut self, now_ms: i64) -> Result<(), StoreError> {
        bound::forget(&mut self.versions, self.limits, i64::MIN);
        let text = stored::text(&self.versions, &self.node)
            .map_err(|error| StoreError::io("write", &self.dir.join(file::NAME), io::Error::other(error)))?;
        file::write(&self.dir, &text)?;
        self.changed = false;
        self.saved_ms = Some(now_ms);
        Ok(())
    }
}
