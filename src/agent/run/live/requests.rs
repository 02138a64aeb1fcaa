//! Answers what the agent is asked over its local socket, between two turns of the loop.

use serde_json::json;

use super::Live;
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::records::full_name;
use crate::agent::pipeline::report::Undelivered;
use crate::agent::pipeline::worker::Worker;
use crate::agent::socket::{Answer, Request};
use crate::commitlog::Position;
use crate::schema::TableId;

/// Parked mutations that are listed for one request.
const LISTED: usize = 10_000;

impl Live<'_> {
    /// Takes the requests that wait.
    ///
    /// # Errors
    /// What a request began cannot be committed; its client is told.
    pub(super) fn take_requests(&mut self) -> Result<(), Failure> {
        while let Some(waiting) = self.parts.inbox.next() {
            if !waiting.begin() {
                continue;
            }
            match self.answer(&waiting.request) {
                Ok(answer) => waiting.answer(answer),
                Err(failure) => {
                    waiting.answer(Answer::Refused { error: failure.to_string(), next: None });
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    /// Does what is asked for.
    fn answer(&mut self, request: &Request) -> Result<Answer, Failure> {
        match request {
            // The socket's thread answers it.
            Request::Status => Ok(Answer::refused("the loop has no status", "ask the socket")),
            Request::Checkpoint => {
                self.commit()?;
                Ok(Answer::items(vec![json!({"checkpoint": self.writer.checkpoint()})]))
            }
            #[cfg(feature = "cql")]
            Request::SnapshotStart { .. } | Request::SnapshotStop { .. } | Request::SnapshotStatus => {
                self.answer_snapshot(request)
            }
            #[cfg(not(feature = "cql"))]
            Request::SnapshotStart { .. } | Request::SnapshotStop { .. } | Request::SnapshotStatus => {
                Ok(Answer::refused("this cdc-agent was built without CQL", "build it with the feature cql"))
            }
            Request::ParkedList => Ok(self.list_parked()),
            Request::ParkedRetry => self.retry_parked(),
            Request::ParkedSkip { place } => match place.parse() {
                Ok(place) => self.skip(place),
                Err(_) => Ok(Answer::refused(
                    format!("{place} is no position"),
                    "give one as parked list prints it",
                )),
            },
            Request::ParkedSkipTable { table } => match self.table_id(table) {
                Some(id) => self.skip_table(id),
                None => Ok(Answer::refused(
                    format!("{table} is no table id, and no table that is known"),
                    "give an id or a name as parked list prints it",
                )),
            },
        }
    }

    fn list_parked(&self) -> Answer {
        let checkpoint = self.writer.checkpoint();
        let epoch = self.parts.schema.newest().get();
        let notes = &self.parts.telling.parked;
        let items =
            checkpoint.parked().take(LISTED).map(|place| notes.item(checkpoint, place, &epoch.schema));
        Answer::Done { items: items.collect(), what: json!({"count": checkpoint.parked_count()}) }
    }

    /// Tries parked mutations with the schema at hand; with a newer one they are tried anyway when it comes.
    fn retry_parked(&mut self) -> Result<Answer, Failure> {
        let before = self.writer.checkpoint().parked_count();
        self.parts.schema.ask();
        self.retry(self.parts.worker)?;
        self.commit()?;
        let parked = self.writer.checkpoint().parked_count();
        Ok(Answer::Done { items: Vec::new(), what: json!({"before": before, "parked": parked}) })
    }

    /// Gives one up. What waits behind it is tried again.
    fn skip(&mut self, place: Position) -> Result<Answer, Failure> {
        if !self.writer.checkpoint().is_parked(place) {
            return Ok(Answer::refused(
                format!("nothing is parked at {place}"),
                "cdc-agent parked list prints what is",
            ));
        }
        let reason = "given up by the operator".to_owned();
        let (table, bytes) = self.parts.telling.parked.known(place);
        self.writer.skip(Undelivered { position: place, table, bytes, reason })?;
        self.retry(self.parts.worker)?;
        self.given_up()
    }

    /// Gives all up that change a table first.
    fn skip_table(&mut self, table: TableId) -> Result<Answer, Failure> {
        self.retry(&Worker { given_up: Some(table), ..self.parts.worker.clone() })?;
        self.given_up()
    }

    /// Commits, and answers how many mutations were given up.
    fn given_up(&mut self) -> Result<Answer, Failure> {
        let count = self.commit_counted()?;
        log::warn(&format!("{count} parked mutations were given up, as the operator asked"));
        let parked = self.writer.checkpoint().parked_count();
        Ok(Answer::Done { items: Vec::new(), what: json!({"given_up": count, "parked": parked}) })
    }

    fn table_id(&self, text: &str) -> Option<TableId> {
        if let Ok(id) = text.parse::<uuid::Uuid>() {
            return Some(TableId(id.into_bytes()));
        }
        let epoch = self.parts.schema.newest().get();
        epoch.schema.tables().find(|table| full_name(table) == text).map(|table| table.id)
    }
}
