//! The embedded engine: reads topics, hands each record to a [`Job`], writes what comes of it.
//!
//! ```text
//! Source ── InputRecord ──▶ Job ── OutputRecord ──▶ Outlet        one commit: outputs and positions
//!                            └──── TableRow ──────▶ RowSink       acknowledged before the commit
//! state directory: snapshot of the job + journal of what was read since, in its order
//! ```
//!
//! The outlet commits outputs together with the positions behind their records ([`Committed`]); before that, the
//! journal says durably in which order records were read. So a start finds out from the outlet how far the job came,
//! loads the snapshot, hands the job the same records in the same order once more without output, and goes on: the
//! outputs are those of a job that was never interrupted. `docs/engine.md` says what is promised.

pub mod audit;
#[cfg(feature = "cql")]
pub mod cassandra;
pub mod cdc_record;
pub mod cells;
pub mod command;
#[cfg(test)]
mod crash;
pub mod dq;
mod error;
pub mod files;
mod first_seen;
pub mod hash;
mod job;
#[cfg(feature = "kafka")]
pub mod kafka;
mod marks;
#[cfg(test)]
mod measure;
mod outlet;
pub mod pair;
pub mod places;
mod position;
mod record;
pub mod repeats;
mod runtime;
pub mod secrets;
mod source;
mod state;
#[cfg(test)]
mod tests;

pub use error::EngineError;
pub use first_seen::{FirstSeen, Limits, id_of};
pub use job::{Job, JobReport, Kind, Rebuilt, Sample};
pub use marks::Marks;
pub use outlet::{Committed, Nowhere, Outlet, Output};
pub use position::Positions;
pub use record::{Header, InputRecord, OutputRecord, Spread, TableRow};
pub use runtime::{Connect, Ended, Options, Progress, RowSink, run};
pub use source::{Event, Source};
pub use state::StateDir;
