//! A short, read-only comparison: some rows, asked for on both sides, one side after the other.
//!
//! Each side is asked by its own user, and its session is closed before the other one's is opened. Drift is found on the
//! stream; this looks at rows that somebody names.

mod read;
mod statement;
mod verdict;

pub use read::{CompareError, Limits, read};
pub use statement::{Key, KeyError};
pub use verdict::{Column, Outcome, Verdict, verdict};

/// A row as one side holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// For each column of the rules its value as Cassandra prints it in JSON, and its write time in microseconds where it has
    /// one of its own.
    pub cells: Vec<Cell>,
}

/// A cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// JSON; `null` when the cell is empty.
    pub json: String,
    /// Microseconds since the epoch.
    pub write_time_us: Option<i64>,
}
