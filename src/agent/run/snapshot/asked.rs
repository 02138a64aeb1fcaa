//! What is asked of a running agent: to begin, to stop, to tell.

use serde_json::{Value, json};

use super::{Around, Snapshots, plan};
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::worker::now_ms;
use crate::agent::socket::Answer;
use crate::checkpoint::TableSnapshot;
use crate::cli::TableName;
use crate::schema::source::ReadConsistency;

/// Which snapshots are to begin.
#[derive(Debug, Clone, Copy)]
pub(in crate::agent::run) struct Begin<'b> {
    pub(in crate::agent::run) tables: &'b [TableName],
    /// Most rows a second; 0: as many as come.
    pub(in crate::agent::run) rate: u32,
    pub(in crate::agent::run) consistency: ReadConsistency,
}

impl Snapshots {
    /// Begins all of them, or none.
    pub(in crate::agent::run) fn begin(
        &mut self,
        asked: &Begin<'_>,
        around: &mut Around<'_, '_>,
    ) -> Result<Answer, Failure> {
        let new = match chosen(asked, around) {
            Ok(new) => new,
            Err(refused) => return Ok(refused),
        };
        for snapshot in &new {
            let what = json!({
                "keyspace": snapshot.keyspace,
                "table": snapshot.table,
                "rate": snapshot.rate,
                "consistency": snapshot.consistency,
            });
            around.notices.control(around.writer, "snapshot_begin", what, snapshot.begun_ms)?;
            log::info(&format!("the snapshot of {} begins", snapshot.name()));
            around.writer.snapshots_mut().push(snapshot.clone());
        }
        Ok(Answer::items(new.iter().map(|snapshot| self.state(snapshot).to_json()).collect()))
    }

    /// Stops the snapshots of these tables; of all when there are none.
    pub(in crate::agent::run) fn stop(
        &mut self,
        tables: &[TableName],
        around: &mut Around<'_, '_>,
    ) -> Result<Answer, Failure> {
        let is_of = |name: &TableName, snapshot: &TableSnapshot| {
            name.keyspace == snapshot.keyspace && name.table == snapshot.table
        };
        let under_way = around.writer.checkpoint().snapshots();
        let missing = tables.iter().find(|name| !under_way.iter().any(|snapshot| is_of(name, snapshot)));
        if let Some(TableName { keyspace, table }) = missing {
            let error = format!("there is no snapshot of {keyspace}.{table} under way");
            return Ok(Answer::refused(error, "see cdc-agent snapshot status"));
        }
        let is_meant =
            |snapshot: &&TableSnapshot| tables.is_empty() || tables.iter().any(|name| is_of(name, snapshot));
        let meant: Vec<TableSnapshot> = under_way.iter().filter(is_meant).cloned().collect();
        for snapshot in &meant {
            self.end(around, snapshot, "stopped", None)?;
        }
        let ended = self.states(&[]);
        let is_mine = |at: &&super::State| {
            meant.iter().any(|one| one.begun_ms == at.begun_ms && one.name() == at.table)
        };
        Ok(Answer::items(ended.iter().filter(is_mine).map(super::State::to_json).collect()))
    }

    /// How all of them stand.
    pub(in crate::agent::run) fn tell(&self, around: &Around<'_, '_>) -> Answer {
        let states = self.states(around.writer.checkpoint().snapshots());
        Answer::items(states.iter().map(super::State::to_json).collect::<Vec<Value>>())
    }
}

/// The snapshots that are to begin; or why they cannot.
fn chosen(asked: &Begin<'_>, around: &Around<'_, '_>) -> Result<Vec<TableSnapshot>, Answer> {
    let epoch = around.newest.get();
    let mut new: Vec<TableSnapshot> = Vec::new();
    for TableName { keyspace, table } in asked.tables {
        let found = plan::wanted(&epoch.schema, around.notices.filter(), keyspace, table)
            .map_err(|no| Answer::refused(format!("{keyspace}.{table}: {}", no.what), no.next))?;
        let id = found.id.to_string();
        let mut others = around.writer.checkpoint().snapshots().iter().chain(&new);
        if others.any(|other| other.id == id) {
            let error = format!("{keyspace}.{table}: its snapshot is under way");
            return Err(Answer::refused(error, "wait for its end, or stop it (cdc-agent snapshot stop)"));
        }
        let names = (keyspace.as_str(), table.as_str(), found.id);
        new.push(TableSnapshot::new(names, now_ms(), asked.rate, asked.consistency));
    }
    Ok(new)
}
