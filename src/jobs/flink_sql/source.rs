//! `01_sources.sql`: how the job runs, its functions, and the topic that it reads.

use super::connector::source;
use super::identity::{JobKind, job_name};
use super::names::{HEADERS, KEY, OFFSET, PARTITION, TIMESTAMP, TOPIC, VALUE};
use super::script::{Part, SqlFile, note, table};
use super::settings::{set, settings};
use super::{GENERATED, Job};
use crate::jobs::expression::quoted;

pub(super) fn file(job: &Job<'_>, functions: Vec<Part>) -> SqlFile {
    let name = job_name(JobKind::Dq, job);
    let mut parts = vec![note(format!(
        "{name}: how the job runs, and the topic that it reads. Run 01 to 04 in one session.\n{GENERATED}"
    ))];
    parts.extend(settings(job, JobKind::Dq));
    parts.extend([
        note("All outputs are fed by one pass over the records."),
        set("table.optimizer.reuse-optimize-block-with-digest-enabled", "true"),
        note("Counters are written at most once a second. They are kept for good: nothing here is ever too late."),
        set("table.exec.mini-batch.enabled", "true"),
        set("table.exec.mini-batch.allow-latency", "1 s"),
        set("table.exec.mini-batch.size", "10000"),
        set("table.exec.state.ttl", "0 ms"),
        note("A counter's window is the key of its row, so that no operator need bring rows of a key together again."),
        set("table.exec.sink.upsert-materialize", "NONE"),
    ]);
    parts.extend(functions);
    parts.push(note("Records as they are: key and value in bytes."));
    parts.extend(table(
        &job.object(JobKind::Dq, "source"),
        &columns(),
        &source(job.environment, &job.source_topic(), &job.environment.consumer_groups.dq.value, KEY),
    ));
    SqlFile { path: job.path("01_sources.sql"), parts }
}

/// Names of [`columns`].
pub(super) const NAMES: [&str; 7] = [KEY, VALUE, TOPIC, PARTITION, OFFSET, TIMESTAMP, HEADERS];

/// The columns of a topic's records.
pub(super) fn columns() -> Vec<String> {
    vec![
        format!("{} BYTES", quoted(KEY)),
        format!("{} BYTES", quoted(VALUE)),
        format!("{} STRING METADATA FROM 'topic' VIRTUAL", quoted(TOPIC)),
        format!("{} INT METADATA FROM 'partition' VIRTUAL", quoted(PARTITION)),
        format!("{} BIGINT METADATA FROM 'offset' VIRTUAL", quoted(OFFSET)),
        format!("{} TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL", quoted(TIMESTAMP)),
        format!("{} MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL", quoted(HEADERS)),
    ]
}
