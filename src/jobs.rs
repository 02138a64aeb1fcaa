//! Jobs over the records: data quality and drift, one topic and one data centre a job.
//!
//! What people edit stands in a folder: `environments.yaml` and `rules/<table>.yaml`. [`yaml`] reads a file with the
//! place of every value, [`environment`] and [`rules`] make typed settings of it and tell of every mistake
//! ([`finding`]). A rule is a small typed tree ([`expression`]): [`judge`] evaluates it, and it prints itself as Flink
//! SQL, of which [`flink_sql`] makes jobs. [`check`] reads a whole folder and compares its jobs with each other, with
//! the schema, and with the agent. `submit` brings jobs to a Flink cluster. [`drift`] finds differences between two sides,
//! [`remediate`] repairs them when somebody says so. [`demo`] shows all of it on bundled data.

mod calendar;
pub mod check;
pub mod cli;
pub mod column;
#[cfg(feature = "cql")]
pub mod compare;
pub mod decimal;
pub mod demo;
pub mod drift;
pub mod engine;
pub mod environment;
pub mod expression;
pub mod fields;
pub mod finding;
pub mod flink_sql;
pub mod judge;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod lookup;
mod members;
pub mod network;
pub mod pattern;
pub mod project;
#[cfg(feature = "kafka")]
pub mod reconcile;
pub mod record;
pub mod remediate;
#[cfg(all(feature = "http", feature = "kafka"))]
pub mod rest;
pub mod rules;
pub mod secret;
#[cfg(feature = "kafka")]
pub mod seed;
pub mod seen;
mod small_file;
#[cfg(feature = "flink")]
pub mod submit;
#[cfg(test)]
mod tests;
pub mod topics;
pub mod value;
pub mod yaml;
