//! `06_audit.sql`: the writes of a table, each once, from its CDC topic (docs/jobs.md).

use super::connector::{append, option, source};
use super::hash_events::object;
use super::identity::{JobKind, job_name};
use super::names::{HEADERS, IS_OTHER, IS_ROW, KEY, KEY_JSON, OP, PATCH, PAYLOAD, TIMESTAMP, VALUE, VALUES};
use super::payload::{change, first_of_event, kept, key_json, payload};
use super::script::{Part, SqlFile, note, statement, table};
use super::settings::settings;
use super::stage::computed;
use super::{GENERATED, Job, function};
use crate::jobs::expression::{quoted, sql_text};

/// The file; None where the rules ask for no trail.
pub(super) fn file(job: &Job<'_>) -> Option<SqlFile> {
    if !job.rules.has_audit {
        return None;
    }
    let name = job_name(JobKind::Audit, job);
    let environment = job.environment;
    let mut head = vec![note(format!("{name}: the audit trail of the table's writes.\n{GENERATED}"))];
    head.extend(settings(job, JobKind::Audit));

    let own = &job.rules.table.value;
    let reads = environment.cdc_topic(&own.keyspace, &own.table);
    let mut parts = vec![note("Records as they are: key and value in bytes.")];
    parts.extend(table(
        &job.object(JobKind::Audit, "source"),
        &super::source::columns(),
        &source(environment, &reads, &environment.consumer_groups.audit.value, KEY),
    ));
    let (stages, writes) = stages(job);
    parts.extend(stages);
    parts.push(note(
        "Each write exactly once, with the key, headers and time of its record; readers must be read_committed. Records\n\
         of a key come from one partition and go to one, so that they stay in their order.",
    ));
    let sink = job.object(JobKind::Audit, "trail");
    let mut options = append(environment, &environment.audit_topic(&own.keyspace, &own.table), &name);
    options.extend([
        option("key.format", "raw"),
        option("key.fields", "key"),
        option("value.format", "raw"),
        option("value.fields-include", "EXCEPT_KEY"),
    ]);
    let columns = [
        "`key` BYTES",
        "`headers` MAP<STRING, BYTES> METADATA",
        "`timestamp` TIMESTAMP_LTZ(3) METADATA",
        "`entry` STRING",
    ];
    parts.extend(table(&sink, &columns.map(str::to_owned), &options));
    let insert =
        format!("INSERT INTO {sink} (`key`, `headers`, `timestamp`, `entry`)\n{}", select(job, &writes));
    parts.push(statement(insert));

    let mut file = SqlFile { path: job.path("06_audit.sql"), parts };
    head.extend(function::used(&[&file]));
    file.parts.splice(0..0, head);
    Some(file)
}

/// The view of the writes, each once, and its name.
fn stages(job: &Job<'_>) -> (Vec<Part>, String) {
    let mut chain = payload(job, JobKind::Audit);
    change(&mut chain);
    let (is_row, is_other, op) = (quoted(IS_ROW), quoted(IS_OTHER), quoted(OP));
    // Neither a row that a snapshot read, nor a heartbeat is a write.
    let left_out = format!(
        "CASE WHEN {} IS NULL THEN 'tombstone' WHEN NOT ({is_row} OR {is_other}) THEN 'strange' \
         WHEN {op} = 'r' THEN 'snapshot_row' WHEN {op} = 'm' THEN 'heartbeat' END",
        quoted(VALUE)
    );
    first_of_event(&mut chain, &format!("{op} IS NOT NULL"), Some(kept(&left_out)));
    let payload = quoted(PAYLOAD);
    let of_row = |name: &str| {
        format!("CASE WHEN {is_row} THEN JSON_PART({payload}, 'object', '{name}') ELSE 'null' END")
    };
    chain.stage(
        "writes",
        "What a write carried, as the agent wrote it: JSON_PART gives an object or a member of it as it stands, the\n\
         text null when it is missing.",
        vec![
            computed(KEY_JSON, key_json()),
            computed(VALUES, of_row("after")),
            computed(PATCH, of_row("patch")),
        ],
    );
    chain.into_parts()
}

fn select(job: &Job<'_>, writes: &str) -> String {
    let (payload, op) = (quoted(PAYLOAD), quoted(OP));
    let part = |kind: &str, path: &[&str]| {
        let path: Vec<String> = path.iter().map(|name| sql_text(name)).collect();
        format!("JSON_PART({payload}, '{kind}', {})", path.join(", "))
    };
    let columns = job.rules.key.iter().filter_map(|number| job.rules.columns.get(*number));
    let key: String = columns.map(|column| format!(", {}", sql_text(&column.name))).collect();
    let fields = [
        (
            "operation",
            format!(
                "CASE {op} WHEN 'c' THEN '\"INSERTED\"' WHEN 'u' THEN '\"UPDATED\"' ELSE '\"DELETED\"' END"
            ),
        ),
        ("stamp_us", part("integer", &["source", "ts_us"])),
        ("key", quoted(KEY_JSON)),
        ("values", quoted(VALUES)),
        ("columns", format!("COLUMN_NAMES({}, {}{key})", quoted(VALUES), quoted(PATCH))),
        ("source_dc", part("text", &["source", "dc"])),
        ("host_id", part("text", &["source", "host_id"])),
        ("event_id", part("text", &["event_id"])),
        ("expires_at", part("integer", &["liveness", "expires_at"])),
        ("before", sql_text("null")),
        ("patch", quoted(PATCH)),
        ("range", part("object", &["range"])),
        ("cells", part("object", &["cells"])),
    ];
    let values = [quoted(KEY), quoted(HEADERS), quoted(TIMESTAMP), object(&fields)];
    format!("SELECT\n  {}\nFROM {writes}", values.join(",\n  "))
}
