//! `doctor`: everything that can be wrong between node, directory, permissions, CQL and Kafka.
//!
//! Nothing is changed, no record is written, and no transactional id is taken over: it can be run beside a running agent.
//! It holds the lock of cdc_raw for a moment, to see whether it is free.

#[cfg(feature = "kafka")]
mod brokers;
mod directory;
pub mod finding;
#[cfg(feature = "cql")]
mod node;
#[cfg(feature = "cql")]
mod node_settings;
mod segments;
mod state;

use super::config::check::{self, failed, is_kafka};
use super::exit::{Exit, Failure};
use super::{input, output};
use crate::cli::{DoctorArgs, RunOptions};
use crate::schema::Schema;
use finding::Finding;

/// What the node told, or a file in its place.
#[derive(Debug, Default)]
#[cfg_attr(not(feature = "kafka"), allow(dead_code, reason = "what the brokers are compared with"))]
struct Known {
    schema: Option<Schema>,
    host_id: Option<String>,
}

/// Runs `doctor`.
///
/// # Errors
/// Standard output cannot be written. What is wrong elsewhere is said there, and in the exit code.
pub fn doctor(args: &DoctorArgs) -> Result<Exit, Failure> {
    let options = &args.options;
    let mut findings = check::findings(options, &args.out);
    directory::check(&options.live, &mut findings);
    segments::check(options, &mut findings);
    state::check(&options.live, &mut findings);
    let known = schema(options, &mut findings);
    if is_kafka(&args.out) {
        kafka(options, &known, &mut findings);
    }
    finding::print(&findings, args.json, &mut output::stdout()?).map_err(Failure::stdout)?;
    Ok(finding::outcome(&findings))
}

fn schema(options: &RunOptions, findings: &mut Vec<Finding>) -> Known {
    let host_id = options.settings.source.host_id.map(|id| id.to_string());
    match &options.live.cassandra.schema {
        Some(path) => {
            let schema = input::schema(Some(path));
            // What is wrong with the file is among the findings of the configuration.
            Known { schema: schema.ok(), host_id }
        }
        None => asked(options, host_id, findings),
    }
}

#[cfg(feature = "cql")]
fn asked(options: &RunOptions, host_id: Option<String>, findings: &mut Vec<Finding>) -> Known {
    let known = node::check(options, findings);
    Known { host_id: host_id.or(known.host_id), ..known }
}

#[cfg(not(feature = "cql"))]
fn asked(_: &RunOptions, host_id: Option<String>, findings: &mut Vec<Finding>) -> Known {
    findings.push(Finding::fail(
        "cql",
        Exit::Usage,
        "this cdc-agent was built without CQL, and no schema is given",
        "give schema_file, or build it with the feature cql",
    ));
    Known { schema: None, host_id }
}

#[cfg(feature = "kafka")]
fn kafka(options: &RunOptions, known: &Known, findings: &mut Vec<Finding>) {
    brokers::check(&options.settings, known, findings);
}

#[cfg(not(feature = "kafka"))]
fn kafka(_: &RunOptions, _: &Known, _: &mut Vec<Finding>) {
    // The findings of the configuration say that there is no Kafka in this program.
}

/// A failure of another module that is a finding here.
fn pushed<T>(result: Result<T, Failure>, check: &'static str, findings: &mut Vec<Finding>) -> Option<T> {
    result.map_err(|failure| findings.push(failed(check, &failure))).ok()
}

#[cfg(test)]
mod tests;
