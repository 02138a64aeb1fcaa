//! `hash.sql`: what Cassandra really holds, from its CDC topic: one hash event for each change (docs/jobs.md).

use super::connector::{append, option, source};
use super::identity::{JobKind, job_name};
use super::names::{EVENT_ID, HEADERS, IS_OTHER, IS_ROW, KEY, OP, PARTITION, PAYLOAD, VALUE};
use super::payload::{change, first_of_event, json, kept, key_json, payload, version_us, whole};
use super::script::{Part, SqlFile, note, statement, table};
use super::settings::settings;
use super::{GENERATED, Job, function};
use crate::jobs::engine::hash::SOURCE_TOPIC;
use crate::jobs::expression::{quoted, sql_text};

pub(super) fn file(job: &Job<'_>) -> SqlFile {
    let name = job_name(JobKind::Hash, job);
    let environment = job.environment;
    let mut head = vec![note(format!("{name}: the row hashes of the agents' records.\n{GENERATED}"))];
    head.extend(settings(job, JobKind::Hash));

    let table_name = &job.rules.table.value;
    let reads = environment.cdc_topic(&table_name.keyspace, &table_name.table);
    let mut parts = vec![note("Records as they are: key and value in bytes.")];
    parts.extend(table(
        &job.object(JobKind::Hash, "source"),
        &super::source::columns(),
        &source(environment, &reads, &environment.consumer_groups.hash.value, KEY),
    ));
    let (stages, events) = stages(job);
    parts.extend(stages);
    parts.push(note(
        "Each event exactly once. A writer keeps to one partition, so that heartbeats and events of a partition of\n\
         the source stay in their order.",
    ));
    let sink = job.object(JobKind::Hash, "hash_events");
    let mut options = append(environment, &environment.hash_topic(), &name);
    options.extend([
        option("sink.partitioner", "fixed"),
        option("key.format", "raw"),
        option("key.fields", "key"),
        option("value.format", "raw"),
        option("value.fields-include", "EXCEPT_KEY"),
    ]);
    let columns = ["`key` BYTES", "`headers` MAP<STRING, BYTES> METADATA", "`event` STRING"];
    parts.extend(table(&sink, &columns.map(str::to_owned), &options));
    let insert = format!("INSERT INTO {sink} (`key`, `headers`, `event`)\n{}", select(job, &reads, &events));
    parts.push(statement(insert));

    let mut file = SqlFile { path: job.path("hash.sql"), parts };
    head.extend(function::used(&[&file]));
    file.parts.splice(0..0, head);
    file
}

/// The view of the agents' records, each event once, and its name.
fn stages(job: &Job<'_>) -> (Vec<Part>, String) {
    let mut chain = payload(job, JobKind::Hash);
    change(&mut chain);
    // A heartbeat that tells no time tells nothing.
    let is_event = format!("({} <> 'm' OR {} IS NOT NULL)", quoted(OP), wm_us());
    let left_out = format!(
        "CASE WHEN {} IS NULL THEN 'tombstone' WHEN NOT (({} OR {}) AND {is_event}) THEN 'strange' END",
        quoted(VALUE),
        quoted(IS_ROW),
        quoted(IS_OTHER)
    );
    first_of_event(&mut chain, &format!("{} <> 'm'", quoted(OP)), Some(kept(&left_out)));
    chain.into_parts()
}

/// The low watermark of a heartbeat.
fn wm_us() -> String {
    whole(&format!("JSON_VALUE({}, '$.wm_us')", quoted(PAYLOAD)))
}

/// The key keeps the form that the record's own key has, so that no digit changes. A heartbeat says which topic it tells
/// of: those of all tables of an environment stand in one.
fn select(job: &Job<'_>, reads: &str, events: &str) -> String {
    let payload = quoted(PAYLOAD);
    let field = |path: &str| json(&format!("JSON_VALUE({payload}, '$.{path}')"));
    let number = |sql: &str| format!("COALESCE(CAST({sql} AS STRING), 'null')");
    let table = serde_json::Value::String(job.table()).to_string();
    let fields = [
        ("table", sql_text(&table)),
        ("key", key_json()),
        ("op", json(&quoted(OP))),
        ("row_hash", field("row_hash")),
        ("hash_kind", field("hash_kind")),
        ("hash_def", field("hash_def")),
        ("version_us", number(&version_us(job.rules, &payload))),
        ("source_dc", field("source.dc")),
        ("host_id", field("source.host_id")),
        ("event_id", json(&quoted(EVENT_ID))),
    ];
    let heartbeat = [
        ("op", sql_text("\"m\"")),
        ("host_id", field("source.host_id")),
        ("partition", number(&quoted(PARTITION))),
        ("wm_us", number(&wm_us())),
        ("source_dc", field("source.dc")),
    ];
    // Of one that points at the creation of the table.
    let value = |path: &str| format!("JSON_VALUE({payload}, '$.source.{path}')");
    let created = format!("CASE WHEN {} IS NOT NULL THEN {} END", value("file"), whole(&value("ts_us")));
    let created = format!("COALESCE(CONCAT(',\"created_us\":', CAST({created} AS STRING)), '')");
    let (op, headers) = (quoted(OP), quoted(HEADERS));
    let source = format!("MAP[CAST('{SOURCE_TOPIC}' AS STRING), ENCODE({}, 'UTF-8')]", sql_text(reads));
    format!(
        "SELECT\n  {},\n  CASE WHEN {op} = 'm' THEN {source} ELSE {headers} END,\n  \
         CASE WHEN {op} = 'm'\n    THEN {}\n    ELSE {}\n  END\nFROM {events}",
        quoted(KEY),
        object_with(&heartbeat, Some(created)),
        object(&fields)
    )
}

/// SQL of the text of an object whose values are SQL of JSON.
pub(super) fn object(fields: &[(&str, String)]) -> String {
    object_with(fields, None)
}

/// The same with further fields, of which there is SQL of the text.
fn object_with(fields: &[(&str, String)], more: Option<String>) -> String {
    let mut parts = Vec::new();
    for (number, (name, value)) in fields.iter().enumerate() {
        let before = if number == 0 { "{" } else { "," };
        parts.push(format!("'{before}\"{name}\":', {value}"));
    }
    parts.extend(more);
    format!("CONCAT(\n      {}, '}}')", parts.join(",\n      "))
}
