//! What ends a job, or makes it begin anew.

use crate::agent::exit::{Exit, Failure};
use crate::durable::DurableError;
use crate::sink::SinkError;

/// What went wrong, what to do next, and whether beginning anew from the last commit may help.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct EngineError {
    what: String,
    next: Option<String>,
    exit: Exit,
    is_passing: bool,
}

impl EngineError {
    /// An error that ends the program with this code; `what` says what happened and where, without values of records.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { what: what.into(), next: None, exit, is_passing: false }
    }

    /// An error that may be over when the job begins anew from its last commit.
    pub fn passing(what: impl Into<String>) -> Self {
        Self { what: what.into(), next: None, exit: Exit::Destination, is_passing: true }
    }

    /// What somebody can do about it.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Whether to begin anew from the last commit.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.is_passing
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<SinkError> for EngineError {
    fn from(error: SinkError) -> Self {
        let exit = match error.exit_code() {
            1 => Exit::Bug,
            2 => Exit::Usage,
            7 => Exit::Locked,
            _ => Exit::Destination,
        };
        Self { what: error.to_string(), next: None, exit, is_passing: error.is_rewindable() }
    }
}

impl From<DurableError> for EngineError {
    fn from(error: DurableError) -> Self {
        Self::new(Exit::Destination, format!("state of the job: {error}"))
            .next("make room and let this user write there; the job goes on from its last commit")
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let failure = Self::new(error.exit, error.what);
        match error.next {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}
