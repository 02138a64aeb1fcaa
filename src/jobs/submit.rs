//! Jobs on a Flink cluster: submitted through its SQL gateway, looked at and stopped through its JobManager.
//!
//! [`scripts`] finds the jobs in a folder of SQL files, [`statements`] the statements in a file. [`secrets`] puts
//! secrets in their places, in memory alone. [`start`] submits a job unless it runs, from the place that [`resume`]
//! finds; [`gateway`] and [`jobmanager`] speak with Flink over [`rest`], [`cause`] finds the line that matters in what
//! Flink says, [`mask`] hides passwords in it.

mod cause;
mod error;
mod gateway;
pub mod jobmanager;
mod mask;
pub mod rest;
mod resume;
pub mod scripts;
mod secrets;
mod start;
pub mod statements;
#[cfg(test)]
mod tests;

pub use error::SubmitError;
pub use start::{Cluster, Done, Options, Start, cancel, stop, submit};
