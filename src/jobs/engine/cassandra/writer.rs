//! Writes rows, some at a time, and knows when all of them are acknowledged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scylla::client::session::Session;
use scylla::cluster::metadata::ColumnType;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::serialize::SerializationError;
use scylla::serialize::value::SerializeValue;
use scylla::serialize::writers::{CellWriter, WrittenCellProof};
use scylla::statement::prepared::PreparedStatement;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::guard::{self, Tables};
use super::session::{connect, inserts};
use crate::agent::exit::Exit;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::record::TableRow;
use crate::jobs::engine::runtime::RowSink;
use crate::jobs::environment::Environment;
use crate::jobs::rules::Source;

/// Kibibytes of rows under way at most; a row counts 64 at least, so that at most 256 are.
const MOST_KIB: u32 = 16 * 1024;
const LEAST_KIB: usize = 64;
/// How often a write is tried, and the pause before the second time; each further one is twice as long.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Writes rows to the tables of one data centre.
pub struct CassandraRows {
    session: Arc<Session>,
    statements: Vec<Arc<PreparedStatement>>,
    /// Whether rows of the job's table are whole ones: what they lack is deleted.
    is_whole: bool,
    room: Arc<Semaphore>,
    failed: Arc<Mutex<Option<Refusal>>>,
    /// None only while this is dropped.
    runtime: Option<Runtime>,
}

/// Why a row is not written.
#[derive(Debug, Clone)]
struct Refusal {
    what: String,
    is_passing: bool,
}

/// What runs the client.
pub(super) fn runtime() -> Result<Runtime, EngineError> {
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("cassandra").enable_all().build();
    runtime.map_err(|error| {
        EngineError::new(Exit::Bug, format!("no thread for Cassandra: {error}")).next("allow more threads")
    })
}

/// A value as it is serialised, or none.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'c> {
    /// This one.
    Value(&'c [u8]),
    /// None: what the column holds is deleted.
    Null,
    /// What the column holds stays.
    Unset,
}

impl SerializeValue for Cell<'_> {
    fn serialize<'b>(
        &self,
        _: &ColumnType<'_>,
        writer: CellWriter<'b>,
    ) -> Result<WrittenCellProof<'b>, SerializationError> {
        match self {
            Self::Unset => Ok(writer.set_unset()),
            Self::Null => Ok(writer.set_null()),
            Self::Value(bytes) => writer.set_value(bytes).map_err(SerializationError::new),
        }
    }
}

impl CassandraRows {
    /// Checks the guards, then connects.
    ///
    /// # Errors
    /// A guard refuses, or no node can be reached.
    pub fn open(environment: &Environment, tables: &Tables) -> Result<Self, EngineError> {
        let points = guard::check(environment, tables)?;
        let runtime = runtime()?;
        let session = runtime.block_on(connect(environment, &points))?;
        let statements = runtime.block_on(inserts(&session, tables))?;
        Ok(Self {
            session: Arc::new(session),
            statements: statements.into_iter().map(Arc::new).collect(),
            // A change of a CDC topic carries what it touched: what it lacks must stay.
            is_whole: matches!(tables.rules.rules.source, Source::Json { .. }),
            room: Arc::new(Semaphore::new(usize::try_from(MOST_KIB).unwrap_or(usize::MAX))),
            failed: Arc::default(),
            runtime: Some(runtime),
        })
    }

    fn check(&self) -> Result<(), EngineError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match failed {
            None => Ok(()),
            Some(Refusal { what, is_passing: true }) => Err(EngineError::passing(what)),
            Some(Refusal { what, is_passing: false }) => Err(EngineError::new(Exit::Destination, what)
                .next("a rule that such rows break keeps them out of the table: docs/rules.md")),
        }
    }

    fn runtime(&self) -> Result<&Runtime, EngineError> {
        self.runtime.as_ref().ok_or_else(|| EngineError::new(Exit::Bug, "rows after the end"))
    }
}

/// What a row takes of the room, in kibibytes.
fn weight(row: &TableRow) -> u32 {
    let bytes: usize = row.values.iter().flatten().map(Vec::len).sum();
    u32::try_from((bytes / 1024).max(LEAST_KIB)).unwrap_or(MOST_KIB).min(MOST_KIB)
}

impl RowSink for CassandraRows {
    fn write(&mut self, row: TableRow) -> Result<(), EngineError> {
        self.check()?;
        // Without the table of counters its rows have no place to go.
        let Some(statement) = self.statements.get(row.table).map(Arc::clone) else { return Ok(()) };
        let closed = |_| EngineError::new(Exit::Bug, "rows after the end");
        let runtime = self.runtime()?;
        let permit =
            runtime.block_on(Arc::clone(&self.room).acquire_many_owned(weight(&row))).map_err(closed)?;
        let (session, failed) = (Arc::clone(&self.session), Arc::clone(&self.failed));
        let none = if self.is_whole { Cell::Null } else { Cell::Unset };
        runtime.spawn(async move {
            if let Err(refusal) = write(&session, &statement, &row, none).await {
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(refusal);
            }
            drop(permit);
        });
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        let closed = |_| EngineError::new(Exit::Bug, "rows after the end");
        drop(self.runtime()?.block_on(self.room.acquire_many(MOST_KIB)).map_err(closed)?);
        self.check()
    }
}

async fn write(
    session: &Session,
    statement: &PreparedStatement,
    row: &TableRow,
    none: Cell<'_>,
) -> Result<(), Refusal> {
    let time = row.timestamp_us.to_be_bytes();
    let values = row.values.iter().map(|value| value.as_deref().map_or(none, Cell::Value));
    let values: Vec<Cell<'_>> = values.chain([Cell::Value(&time)]).collect();
    execute(session, statement, &values).await.map_err(|error| {
        let (partition, offset) = row.place;
        let what = format!(
            "the row of the record in partition {partition} at offset {offset} cannot be written: {error}"
        );
        Refusal { what, is_passing: passes(&error) }
    })
}

/// Writes until it is acknowledged, as often as it may help.
pub(super) async fn execute(
    session: &Session,
    statement: &PreparedStatement,
    values: &[Cell<'_>],
) -> Result<(), ExecutionError> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        match session.execute_unpaged(statement, values).await {
            Ok(_) => return Ok(()),
            Err(error) if attempt == TRIES || !passes(&error) => return Err(error),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
        attempt += 1;
    }
}

/// Whether the same write may succeed later: nodes are away, too slow, or have too much to do.
pub(super) fn passes(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => matches!(
            error,
            DbError::Unavailable { .. }
                | DbError::Overloaded
                | DbError::IsBootstrapping
                | DbError::WriteTimeout { .. }
                | DbError::WriteFailure { .. }
                | DbError::ServerError
                | DbError::TruncateError
        ),
        ExecutionError::BadQuery(_) => false,
        _ => true,
    }
}

impl Drop for CassandraRows {
    /// Writes that are under way end in the background, or not at all: their records are read again.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for CassandraRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CassandraRows").field("statements", &self.statements.len()).finish_non_exhaustive()
    }
}
