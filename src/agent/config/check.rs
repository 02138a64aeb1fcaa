//! `config check`: what can be said of a configuration without its node and without Kafka.

mod files;
mod values;

use std::path::Path;

use crate::agent::doctor::finding::Finding;
use crate::agent::exit::{Exit, Failure};
use crate::agent::input;
use crate::agent::keys::Keys;
use crate::agent::record_options::{Reading, encoder_config};
use crate::cli::{FilterArgs, RunOptions, Settings};
use crate::config::Secret;
use crate::schema::Schema;

/// Everything that is wrong with the options of a `run` that publishes to `out`, or worth knowing.
#[must_use]
pub fn findings(options: &RunOptions, out: &Path) -> Vec<Finding> {
    let to_kafka = is_kafka(out);
    let mut findings = Vec::new();
    values::check(options, &mut findings);
    files::check(options, &mut findings);
    if to_kafka {
        kafka(&options.settings, &mut findings);
    } else if let Some(unfit) = options.live.log.unfit_out(out) {
        findings.push(Finding::fail("config.directories", Exit::Usage, unfit.what, unfit.fix));
    }
    if let Err(failure) = Keys::open(&options.settings.keys, &options.settings.names) {
        findings.push(failed("config.keys", &failure));
    }
    records(options, &mut findings);
    if findings.is_empty() {
        findings.push(Finding::pass("config", "nothing is wrong with the options"));
    }
    findings
}

/// Whether records go to Kafka.
pub(in crate::agent) fn is_kafka(out: &Path) -> bool {
    out.as_os_str() == "kafka"
}

/// A failure of another module as a finding. Its advice stands on lines of its own.
pub(in crate::agent) fn failed(check: &'static str, failure: &Failure) -> Finding {
    let text = failure.to_string();
    match text.split_once("\n  next: ") {
        Some((found, fix)) => Finding::fail(check, failure.exit(), found, fix),
        None => Finding::fail(check, failure.exit(), text, "correct it, and check again"),
    }
}

/// Filters, columns and shape of the records: against the schema where there is a file with it, and as far as they can
/// contradict each other otherwise.
fn records(options: &RunOptions, findings: &mut Vec<Finding>) {
    let settings = &options.settings;
    if let Some(path) = &options.live.cassandra.schema {
        let checked =
            input::schema(Some(path)).and_then(|schema| encoder_config(settings, &schema, Reading::Replay));
        findings.extend(checked.err().map(|failure| failed("config.records", &failure)));
        return;
    }
    let mut bare = Settings { filter: FilterArgs::default(), ..settings.clone() };
    bare.records.row_hash_columns.clear();
    findings.extend(
        encoder_config(&bare, &Schema::default(), Reading::Replay)
            .err()
            .map(|failure| failed("config.records", &failure)),
    );
    let filter = &settings.filter;
    let has_key = filter.hash_key_file.is_some() || Secret::ColumnHashKey.from_environment().is_some();
    if !filter.hash_columns.is_empty() && !has_key {
        findings.push(Finding::fail(
            "config.column_hash",
            Exit::Usage,
            format!("{}: there is no key to hash with", settings.names.of("column_hash")),
            format!("name a file with column_hash_key_file, or set {}", Secret::ColumnHashKey.variable()),
        ));
    }
}

#[cfg(feature = "kafka")]
fn kafka(settings: &Settings, findings: &mut Vec<Finding>) {
    use crate::sink::kafka::{Identity, probe};
    let identity = Identity::Node { host_id: "check".to_owned(), local: None };
    let options = match crate::agent::kafka::options(settings, identity, |table| {
        Some(format!("{}.{}", table.keyspace, table.table))
    }) {
        Ok(options) => options,
        Err(failure) => return findings.push(failed("config.kafka", &failure)),
    };
    if let Err(error) = probe::check_options(&options) {
        findings.push(Finding::fail(
            "config.kafka",
            Exit::Usage,
            error.to_string(),
            "correct the option; docs/configuration.md says what each takes",
        ));
    }
}

#[cfg(not(feature = "kafka"))]
fn kafka(_: &Settings, findings: &mut Vec<Finding>) {
    findings.push(Finding::fail(
        "config.kafka",
        Exit::Usage,
        "this cdc-agent was built without Kafka",
        "build it with the feature kafka, or publish to a file log (--out DIR)",
    ));
}

#[cfg(test)]
mod tests;
