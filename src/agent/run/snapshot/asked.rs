//! What is asked of a running agent: to begin, to stop, to tell.

use serde_json::json;

use super::{Around, Snapshots, plan};
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::worker::now_ms;
use crate::checkpoint::TableSnapshot;
use crate::cli::TableName;
use crate::schema::source::ReadConsistency;

/// Which snapshots are to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent::run) struct Begin {
    pub(in crate::agent::run) tables: Vec<TableName>,
    /// Most rows a second; 0: as many as come.
    pub(in crate::agent::run) rate: u32,
    pub(in crate::agent::run) consistency: ReadConsistency,
}

impl Snapshots {
    /// Begins all of them, or none: then why, in words.
    pub(in crate::agent::run) fn begin(
        &mut self,
        asked: &Begin,
        around: &mut Around<'_, '_>,
    ) -> Result<Result<(), String>, Failure> {
        let epoch = around.newest.get();
        let mut new = Vec::new();
        for TableName { keyspace, table } in &asked.tables {
            let refused = |reason: &str| Ok(Err(format!("{keyspace}.{table}: {reason}")));
            let found = match plan::wanted(&epoch.schema, around.notices.filter(), keyspace, table) {
                Ok(found) => found,
                Err(reason) => return refused(&reason),
            };
            let id = found.id.to_string();
            let under_way = around.writer.checkpoint().snapshots().iter().chain(&new);
            if under_way.into_iter().any(|other: &TableSnapshot| other.id == id) {
                return refused("its snapshot is under way; stop it first, or wait for its end");
            }
            let names = (keyspace.as_str(), table.as_str(), found.id);
            new.push(TableSnapshot::new(names, now_ms(), asked.rate, asked.consistency));
        }
        for snapshot in new {
            let what = json!({
                "keyspace": snapshot.keyspace,
                "table": snapshot.table,
                "rate": snapshot.rate,
                "consistency": snapshot.consistency,
            });
            around.notices.control(around.writer, "snapshot_begin", what, snapshot.begun_ms)?;
            log::info(&format!("the snapshot of {} begins", snapshot.name()));
            around.writer.snapshots_mut().push(snapshot);
        }
        Ok(Ok(()))
    }

    /// Stops the snapshots of these tables; of all when there are none. How many there were.
    pub(in crate::agent::run) fn stop(
        &mut self,
        tables: &[TableName],
        around: &mut Around<'_, '_>,
    ) -> Result<usize, Failure> {
        let is_meant = |snapshot: &&TableSnapshot| {
            let is_one =
                |name: &TableName| name.keyspace == snapshot.keyspace && name.table == snapshot.table;
            tables.is_empty() || tables.iter().any(is_one)
        };
        let under_way = around.writer.checkpoint().snapshots();
        let meant: Vec<TableSnapshot> = under_way.iter().filter(is_meant).cloned().collect();
        for snapshot in &meant {
            self.end_of(around, snapshot, "stopped", None)?;
        }
        if self.reading.as_ref().is_some_and(|reading| meant.iter().any(|stopped| stopped.id == reading.id)) {
            self.reading = None;
        }
        Ok(meant.len())
    }
}
