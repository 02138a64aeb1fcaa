//! `drift.sql`: the drift job of a table, whose operator is in the jar of this project (docs/drift.md). `cdc-jobs run
//! drift` does the same.

use serde_json::{Map, Value, json};

use super::connector::{client, option};
use super::drift::FOLDER;
use super::script::{Part, SqlFile, note, statement, table};
use super::settings::{common, set};
use super::{GENERATED, connector};
use crate::jobs::drift::record::Layout;
use crate::jobs::drift::{
    AUDIT_TOPIC, Both, CURRENT_TOPIC, DriftInput, DriftJob, DriftRules, Hosts, Mode, Side,
};
use crate::jobs::environment::Environment;
use crate::jobs::expression::quoted;
use crate::jobs::project::Project;
use crate::jobs::rules::TableRules;

/// Into how many machines the keys of a table are divided, each with its part of the state. The state depends on it.
const SHARDS: u32 = 32;

/// What the operator says: records for two topics.
const COLUMNS: [(&str, &str); 4] =
    [("topic", "STRING"), ("key", "STRING"), ("value", "STRING"), ("timestamp_ms", "BIGINT")];

/// The file of a table whose rules say how it is compared.
pub(super) fn file(project: &Project, rules: &TableRules) -> Option<SqlFile> {
    let drift = rules.drift.as_ref()?;
    let environment = |side: Side| {
        let name = &drift.sides.of(side).environment.value;
        project.environments.0.iter().find(|environment| environment.name.value == *name)
    };
    let sides = Both { onprem: environment(Side::Onprem)?, cloud: environment(Side::Cloud)? };
    let job = DriftJob::new(rules, drift, sides);
    let table_name = super::identity::table_text(rules);
    let mut parts = vec![note(format!(
        "{}: do {} and {} hold the same rows? Verdicts go to the brokers of {}.\n{GENERATED}",
        job.name(),
        sides.onprem.name.value,
        sides.cloud.name.value,
        sides.onprem.name.value
    ))];
    parts.extend(common(job.name(), sides.onprem));
    parts.extend([
        note("What is remembered is looked at with every record: it stays in memory between checkpoints."),
        set("state.backend.type", "hashmap"),
    ]);
    let object = |part: &str| quoted(&format!("{}.{part}", job.name()));
    parts.push(note("What the operator says of the records of both sides."));
    parts.extend(table(&object("verdicts"), &columns(), &operator(rules, drift, sides, &job)));
    parts.push(note(format!("{AUDIT_TOPIC} and {CURRENT_TOPIC}.")));
    parts.extend(table(&object("topics"), &columns(), &topics(sides.onprem, job.name())));
    parts.push(insert(&object("topics"), &object("verdicts")));
    Some(SqlFile { path: format!("{FOLDER}/{table_name}/drift.sql"), parts })
}

fn columns() -> Vec<String> {
    COLUMNS.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))).collect()
}

fn insert(into: &str, from: &str) -> Part {
    let names: Vec<String> = COLUMNS.iter().map(|(name, _)| quoted(name)).collect();
    statement(format!("INSERT INTO {into}\nSELECT {} FROM {from}", names.join(", ")))
}

fn operator(
    rules: &TableRules,
    drift: &DriftRules,
    sides: Both<&Environment>,
    job: &DriftJob,
) -> connector::Options {
    let layout = drift.layout(rules);
    let seconds = |seconds: u64| format!("{seconds} s");
    let mode = match drift.mode {
        Mode::EventId => "event_id",
        Mode::Merge => "merge",
    };
    let mut options = vec![
        option("connector", "drift"),
        option("table", layout.table.as_str()),
        option("key", json!(layout.key).to_string()),
        option("partition-key-columns", layout.partition_key.to_string()),
        option("columns", types(&layout)),
        option("clustering", json!(layout.clustering).to_string()),
        option("timestamps", json!(layout.timestamps).to_string()),
        option("version", version(&layout)),
        option(
            "input",
            match drift.input {
                DriftInput::Cdc => "cdc",
                DriftInput::Hash => "hash",
            },
        ),
        option("mode", mode),
        option("tolerance", seconds(drift.tolerance_s)),
        option("grace", seconds(drift.grace_s)),
        option("silence", seconds(drift.silence_s)),
        option("retention", seconds(drift.retention_s)),
        option("max-rows", drift.max_rows.to_string()),
        option("max-event-ids", drift.max_event_ids.to_string()),
        option("max-waiting", drift.max_waiting.to_string()),
        option("old-writes", if drift.old_is_incomparable { "incomparable" } else { "judge" }),
        option("write-matches", drift.write_matches.to_string()),
        option("shards", SHARDS.to_string()),
        option("audit-topic", AUDIT_TOPIC),
        option("current-topic", CURRENT_TOPIC),
    ];
    for side in Side::BOTH {
        options.extend(side_options(side, drift, sides.of(side), rules, job));
    }
    options
}

fn side_options(
    side: Side,
    drift: &DriftRules,
    environment: &Environment,
    rules: &TableRules,
    job: &DriftJob,
) -> connector::Options {
    let named = |key: &str, value: String| option(&format!("{}.{key}", side.name()), value);
    let hosts = match &drift.sides.of(side).hosts {
        Hosts::Any => "any".to_owned(),
        Hosts::These(names) => json!(names).to_string(),
    };
    let [topic, control, dead_letters] = job.topics(side);
    let table = &rules.table.value;
    let mut options = vec![
        named("topic", topic.clone()),
        named("control-topic", control.clone()),
        named("dead-letter-topic", dead_letters.clone()),
        named("cdc-topic", environment.cdc_topic(&table.keyspace, &table.table)),
        named("hosts", hosts),
        named("properties.group.id", group(environment, rules)),
    ];
    options.extend(client(&environment.kafka).into_iter().map(|(key, value)| named(&key, value)));
    options
}

/// One of its own: hash events of all tables are in one topic.
fn group(environment: &Environment, rules: &TableRules) -> String {
    format!("{}-{}", environment.consumer_groups.drift.value, super::identity::table_text(rules))
}

/// The columns that are no part of the key, with their types.
fn types(layout: &Layout) -> String {
    let columns = layout.columns.iter().map(|(name, kind)| (name.clone(), Value::from(kind.as_str())));
    Value::Object(columns.collect::<Map<_, _>>()).to_string()
}

/// Which version a row has: the column that holds it and how many microseconds are one of it.
fn version(layout: &Layout) -> String {
    match &layout.version {
        None => "write_time".to_owned(),
        Some((column, unit_us)) => json!({ "column": column, "unit_us": unit_us }).to_string(),
    }
}

/// Exactly once: both topics in the same transactions.
fn topics(environment: &Environment, name: &str) -> connector::Options {
    let mut options = vec![option("connector", "drift")];
    options.extend(client(&environment.kafka));
    options.extend([
        option("transactional-id-prefix", format!("cdc-jobs.{name}")),
        option("properties.transaction.timeout.ms", "600000"),
    ]);
    options
}
