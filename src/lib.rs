//! Change data capture for Apache Cassandra, without a JVM.
//!
//! The modules stand in the order in which one change travels; a module uses only those above it:
//!
//! 1. [`primitives`] and [`cql`]: CQL types and the values inside a cell's bytes.
//! 2. [`schema`]: what table ids and column names mean.
//! 3. [`commitlog`]: segment file → sections → frames → mutations. [`keystore`] supplies the keys of
//!    encrypted segments.
//! 4. [`change`]: mutation + schema → change events.
//!    [`snapshot`]: rows that are read over CQL → change events.
//! 5. [`envelope`]: change events → records (topic, key, value, headers).
//! 6. [`checkpoint`]: what is safely done. It stands above the sinks: a sink makes it durable together with the
//!    records, or a stop between the two would lose or repeat some.
//! 7. [`cdc_raw`]: which bytes exist in a live node's directory, what grows, what is final, what may be deleted.
//! 8. [`sink`]: records → Kafka, file log, stdout; the checkpoint is committed with them.
//! 9. [`telemetry`]: what a running agent tells of itself; [`http`]: who is told.
//! 10. [`config`]: options from the command line, the environment and a file; [`cli`]: which options there are.
//! 11. [`agent`]: the commands `replay`, `inspect`, `verify`, `snapshot`; they only join the others.
//! 12. [`jobs`]: what becomes of the records: rules, and what is checked of them; the commands of `cdc-jobs`.
//!
//! [`durable`] replaces files in one step, [`failpoint`] names the places at which tests end the program.

#[cfg(test)]
extern crate self as cdc_agent;

pub mod agent;
pub mod cdc_raw;
pub mod change;
pub mod checkpoint;
pub mod cli;
pub mod commitlog;
pub mod config;
pub mod cql;
pub mod durable;
pub mod envelope;
pub mod failpoint;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod http;
pub mod jobs;
pub mod keystore;
pub mod primitives;
pub mod schema;
pub mod sink;
pub mod snapshot;
pub mod telemetry;
