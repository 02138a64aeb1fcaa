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
#[cfg(feature = "cql")]
mod ring;
mod segments;
mod state;

use super::config::check::{self, failed, is_kafka};
use super::exit::{Exit, Failure};
use super::record_options::table_filter;
use super::run::schema::no_ring;
use super::{input, output, unlogged};
use crate::cli::{DoctorArgs, OwnershipWord, RunOptions};
use crate::schema::{Schema, SystemSchemaRows, build, load};
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
            if options.live.log.ownership == OwnershipWord::Primary {
                findings.push(failed("node.ring", &no_ring()));
            }
            // What is wrong with the file is among the findings of the configuration.
            if let Ok(loaded) = load(path) {
                let built = build(&loaded.rows);
                findings.extend(durable_writes(&loaded.rows, &built.schema, options));
            }
            let schema = input::schema(Some(path));
            Known { schema: schema.ok(), host_id }
        }
        None => asked(options, host_id, findings),
    }
}

/// Wanted tables of which nothing is in the commit log.
fn durable_writes(rows: &SystemSchemaRows, schema: &Schema, options: &RunOptions) -> Option<Finding> {
    let tables = unlogged::unlogged(rows, schema, &table_filter(&options.settings.filter));
    let names: Vec<&str> = tables.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        let found = format!(
            "wanted, but nothing of them is published, because their keyspace has durable_writes = false, so their \
             changes are in no commit log: {}",
            names.join(", ")
        );
        Finding::fail("schema.durable_writes", Exit::Unreadable, found, unlogged::ADVICE)
    })
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
