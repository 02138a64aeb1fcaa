//! Where outputs go.

use serde::{Deserialize, Serialize};

use super::error::EngineError;
use super::marks::Marks;
use super::position::Positions;
use super::record::{OutputRecord, TableRow};

/// What takes the outputs of a job.
pub trait Output {
    /// Takes a record.
    ///
    /// # Errors
    /// The destination does not take it.
    fn record(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError>;

    /// Takes a row of a table.
    ///
    /// # Errors
    /// The destination does not take it.
    fn row(&mut self, row: TableRow) -> Result<(), EngineError>;
}

/// How far a job came: what stands beside its outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// Version of this form.
    pub version: u32,
    /// Which state directory belongs to it: an id that is made with the state.
    pub state: String,
    /// How many commits there were.
    pub generation: u64,
    /// What the job is, as its state depends on it: the version of the rules.
    pub definition: String,
    /// Where each partition was when this definition took the place of another one; empty where it never did.
    #[serde(default, skip_serializing_if = "Positions::is_empty")]
    pub defined_from: Positions,
    /// The records behind the outputs.
    pub positions: Positions,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    pub marks: Marks,
}

/// Keeps records and how far the job came, both in one step.
pub trait Outlet {
    /// How far the job came, by what is in the destination; None when it was never here.
    fn committed(&self) -> Option<&Committed>;

    /// Takes a record. Readers do not see it before the commit.
    ///
    /// # Errors
    /// The destination does not take it; nothing since the last commit will be there.
    fn send(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError>;

    /// Makes what was sent durable and visible, together with `committed`, or neither.
    ///
    /// # Errors
    /// As of [`Self::send`]; or nobody knows whether it took place, which a new outlet finds out.
    fn commit(&mut self, committed: &Committed) -> Result<(), EngineError>;
}

/// Takes everything and keeps nothing: for records whose outputs are there already.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Output for Nowhere {
    fn record(&mut self, _: &OutputRecord<'_>) -> Result<(), EngineError> {
        Ok(())
    }

    fn row(&mut self, _: TableRow) -> Result<(), EngineError> {
        Ok(())
    }
}
