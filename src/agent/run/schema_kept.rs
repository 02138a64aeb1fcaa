//! The history of the node's schema on disk, which the reader of the log and the one who asks the node both write.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::agent::pipeline::epoch::KeepsSchema;
use crate::agent::pipeline::worker::now_ms;
use crate::commitlog::Position;
use crate::failpoint;
use crate::schema::store::{LogPlace, SchemaStore, StoreLimits};
use crate::schema::{SchemaHistory, SystemSchemaRows};

/// What is known of the schema over time. What cannot be written is tried again with the next change.
#[derive(Debug)]
pub(super) struct KeptSchema(Mutex<SchemaStore>);

impl KeptSchema {
    /// The history in a state directory, of the node with this host id (empty: not known).
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn open(state: &Path, host_id: &str) -> Result<Self, Failure> {
        let (store, aside) = SchemaStore::open(state, host_id, StoreLimits::default())
            .map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        if let Some(aside) = aside {
            log::warn(&format!(
                "the history of the schema is begun anew, the old one is {}: {}",
                aside.path.display(),
                aside.reason
            ));
        }
        Ok(Self(Mutex::new(store)))
    }

    /// Whether tables are known. A node can have none yet.
    pub(super) fn knows_tables(&self) -> bool {
        self.store().tables().next().is_some()
    }

    /// The newest schema that is known.
    pub(super) fn newest(&self) -> SystemSchemaRows {
        self.store().newest()
    }

    /// The schema with which the log is read from a place on.
    pub(super) fn history(&self, from: LogPlace) -> SchemaHistory {
        let store = self.store();
        let (mut history, problems) = SchemaHistory::new(&store.as_of(from));
        for problem in problems {
            log::warn(&format!("schema: {problem}"));
        }
        for rows in store.others(from) {
            history.learn(&rows);
        }
        history
    }

    /// No log is read again that is older than this.
    pub(super) fn forget_before(&self, at_ms: i64) {
        self.store().forget_before(at_ms);
    }

    /// The node has this whole schema.
    pub(super) fn fetched(&self, rows: &SystemSchemaRows, at_ms: i64) {
        self.store().fetched(rows, at_ms);
        self.save();
    }

    /// The node still has the schema of the last fetch.
    pub(super) fn unchanged(&self, at_ms: i64) {
        self.store().unchanged(at_ms);
        self.save();
    }

    /// The log is read with this whole schema from a place on.
    pub(super) fn settled(&self, rows: &SystemSchemaRows, from: LogPlace) {
        self.store().settled(rows, now_ms(), from);
        self.save();
    }

    fn save(&self) {
        let saved = self.store().save(now_ms());
        say(saved);
        failpoint::cross("schema_kept");
    }

    /// Keeps all that is known: before a stop.
    pub(super) fn save_now(&self) {
        let saved = self.store().save_now(now_ms());
        say(saved);
    }

    fn store(&self) -> MutexGuard<'_, SchemaStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn say(saved: Result<(), impl std::fmt::Display>) {
    if let Err(error) = saved {
        log::unwritten(&format!("the history of the schema cannot be kept: {error}"));
    }
}

impl KeepsSchema for KeptSchema {
    fn logged(&self, table: &SystemSchemaRows, from: Position, at_ms: i64) {
        self.store().logged(table, at_ms, place(from));
    }

    fn keep(&self) {
        let has_news = self.store().has_news();
        if has_news {
            self.save();
        }
    }
}

/// The place of a mutation, for the history.
pub(super) fn place(position: Position) -> LogPlace {
    LogPlace { segment: position.segment.0, marker: position.marker, entry: position.entry }
}
