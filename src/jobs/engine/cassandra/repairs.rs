//! Repairs of rows (`crate::jobs::remediate`), one at a time, behind the same guards as valid rows.

use std::collections::HashMap;

use scylla::client::session::Session;
use scylla::errors::{ExecutionError, RequestAttemptError};
use scylla::statement::prepared::PreparedStatement;
use tokio::runtime::Runtime;

use super::guard::{self, Tables};
use super::session::{connect, prepare};
use super::writer::{Cell, execute, passes, runtime};
use crate::agent::exit::Exit;
use crate::jobs::engine::error::EngineError;
use crate::jobs::environment::Environment;
use crate::jobs::project::RulesFile;
use crate::jobs::remediate::repair::{Bound, Repair};

/// Writes repairs to a table of one data centre.
pub struct Repairs {
    session: Session,
    /// By text: repairs of one table have few of them.
    prepared: HashMap<String, PreparedStatement>,
    runtime: Runtime,
}

impl Repairs {
    /// Checks the guards, then connects.
    ///
    /// # Errors
    /// A guard refuses, or no node can be reached.
    pub fn open(environment: &Environment, rules: &RulesFile) -> Result<Self, EngineError> {
        let points = guard::check(environment, &Tables { rules: rules.clone(), has_counts: false })?;
        let runtime = runtime()?;
        let session = runtime.block_on(connect(environment, &points))?;
        Ok(Self { session, prepared: HashMap::new(), runtime })
    }

    /// Writes a repair; when this returns a quorum of the data centre has it.
    ///
    /// # Errors
    /// Cassandra does not take it, or does not answer. No value is in what is said of it.
    pub fn write(&mut self, repair: &Repair) -> Result<(), EngineError> {
        let statement = match self.prepared.get(&repair.cql) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.runtime.block_on(prepare(&self.session, repair.cql.clone()))?;
                self.prepared.insert(repair.cql.clone(), statement.clone());
                statement
            }
        };
        let bytes: Vec<Vec<u8>> = repair.values.iter().map(bytes).collect();
        let values: Vec<Cell<'_>> = bytes.iter().map(|value| Cell::Value(value)).collect();
        self.runtime.block_on(execute(&self.session, &statement, &values)).map_err(|error| told(&error))
    }
}

fn bytes(value: &Bound) -> Vec<u8> {
    match value {
        Bound::Json(text) => text.as_bytes().to_vec(),
        Bound::TimeUs(time_us) => time_us.to_be_bytes().to_vec(),
        Bound::TtlS(ttl_s) => ttl_s.to_be_bytes().to_vec(),
    }
}

/// Cassandra's own words would repeat the value that it does not take.
fn told(error: &ExecutionError) -> EngineError {
    match error {
        error if passes(error) => EngineError::passing("the nodes do not acknowledge the write"),
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => {
            let what = format!(
                "Cassandra does not take the write (error 0x{:04X})",
                error.code(&Default::default())
            );
            EngineError::new(Exit::Destination, what)
        }
        _ => EngineError::new(Exit::Destination, "Cassandra does not take the write"),
    }
}

impl std::fmt::Debug for Repairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repairs").field("prepared", &self.prepared.len()).finish_non_exhaustive()
    }
}
