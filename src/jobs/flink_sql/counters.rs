//! Counters by minute of Kafka time: docs/jobs.md.
//!
//! They are an aggregation without a watermark. A record is never too late for it, an idle partition holds nothing
//! back, and what was counted is always what the other outputs got.
//!
//! The name of the job is a column of the windows that the planner does not know to be constant, and a part of their
//! key: the key of the rows is then that of the topics. Else Flink would take each count back before it writes the
//! next one, and upsert-kafka would write a tombstone for it.
//!
//! `metrics.dq_counts` is written by jobs with `sink: cassandra` alone: one without a sink has no session to Cassandra,
//! here as in the embedded engine.

use super::Job;
use super::connector::{cassandra, upsert};
use super::identity::{JobKind, job_name};
use super::judged::judged;
use super::names::{self, FAILED, JOB, KAFKA_MS, MINUTE, WARNED};
use super::script::{Part, note, table, view};
use crate::jobs::engine::dq::{COUNTS, INVALID_TOPIC, VALID_TOPIC};
use crate::jobs::expression::{quoted, sql_text};
use crate::jobs::rules::{Rule, Severity};

const TOPICS: [&str; 2] = [VALID_TOPIC, INVALID_TOPIC];

/// What the sum of a condition is.
fn sum(condition: &str, name: &str) -> String {
    // COUNT with FILTER counts wrongly on Flink before 1.20.2.
    format!(
        "  SUM(CASE WHEN {condition} THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS {}",
        quoted(name)
    )
}

fn failing<'j>(job: &'j Job<'_>) -> impl Iterator<Item = &'j Rule> {
    job.rules.rules.iter().filter(|rule| rule.severity == Severity::Fail)
}

/// The view of the windows, and the tables into which they are written.
pub(super) fn tables(job: &Job<'_>) -> Vec<Part> {
    let name = |part: &str| job.object(JobKind::Dq, part);
    let (failed, warned) = (quoted(FAILED), quoted(WARNED));
    let mut sums = vec![
        sum(&format!("{failed} = ''"), "valid_count"),
        sum(&format!("{failed} = '' AND {warned} <> ''"), "warned_count"),
        sum(&format!("{failed} <> ''"), "invalid_count"),
    ];
    sums.extend(failing(job).map(|rule| sum(&quoted(&names::rule(&rule.id)), &names::rule(&rule.id))));
    let (ms, job_column, minute) = (quoted(KAFKA_MS), quoted(JOB), quoted(MINUTE));
    let start = format!("{ms} - MOD(MOD({ms}, 60000) + 60000, 60000)");
    let mut parts = vec![note(
        "Counters of a minute of Kafka time; they grow while its records come. Job and minute are the key, as in the\n\
         topics: so a count is written over the one before, and none is taken back.",
    )];
    parts.extend(view(
        &name("windows"),
        &format!(
            "SELECT\n  {job_column} AS `job_name`,\n  {minute} AS `window_start`,\n{}\n\
             FROM {} AS `s` CROSS JOIN UNNEST(ARRAY[ROW({}, {start})]) AS `c` ({job_column}, {minute})\n\
             GROUP BY {job_column}, {minute}",
            sums.join(",\n"),
            judged(job),
            sql_text(&job_name(JobKind::Dq, job)),
        ),
    ));
    let by_rule: Vec<String> = failing(job).map(|rule| format!("{} BIGINT", quoted(&rule.id))).collect();
    let [valid, invalid] = TOPICS;
    let metric = |counts: &[&str]| {
        let head = [
            "`job_name` STRING",
            "`window_start` BIGINT",
            "`metric_ts` BIGINT",
            "`dc` STRING",
            "`table` STRING",
        ];
        let tail = ["`rules_version` STRING", "PRIMARY KEY (`job_name`, `window_start`) NOT ENFORCED"];
        head.iter().chain(counts).chain(&tail).map(|column| (*column).to_owned()).collect::<Vec<_>>()
    };
    parts.extend(table(
        &name(valid),
        &metric(&["`valid_count` BIGINT", "`warned_count` BIGINT", "`total_count` BIGINT"]),
        &upsert(job.environment, valid),
    ));
    let by_rule = format!("`by_rule` ROW<{}>", by_rule.join(", "));
    parts.extend(table(
        &name(invalid),
        &metric(&["`invalid_count` BIGINT", "`total_count` BIGINT", &by_rule]),
        &upsert(job.environment, invalid),
    ));
    if !job.rules.has_sink {
        return parts;
    }
    let counts = [
        "`job_name` STRING",
        "`metric_ts` TIMESTAMP_LTZ(3)",
        "`metric_type` STRING",
        "`metric_value` BIGINT",
        "PRIMARY KEY (`job_name`, `metric_ts`, `metric_type`) NOT ENFORCED",
    ];
    parts.extend(table(
        &name("dq_counts"),
        &counts.map(str::to_owned),
        &cassandra(&job.environment.cassandra, COUNTS.0, COUNTS.1),
    ));
    parts
}

/// The INSERTs of 04.
pub(super) fn inserts(job: &Job<'_>) -> Vec<String> {
    let name = |part: &str| job.object(JobKind::Dq, part);
    let windows = name("windows");
    let end = "`window_start` + 60000";
    let (dc, table) = (sql_text(&job.environment.cassandra.datacenter.value), sql_text(&job.table()));
    let (version, total) = (sql_text(&job.rules.rules_version), "`valid_count` + `invalid_count`");
    let rules: Vec<&Rule> = failing(job).collect();
    let sums: Vec<String> = rules.iter().map(|rule| quoted(&names::rule(&rule.id))).collect();
    let types: Vec<String> = rules.iter().map(|rule| format!("{} BIGINT", quoted(&rule.id))).collect();
    let by_rule = format!("CAST(ROW({}) AS ROW<{}>)", sums.join(", "), types.join(", "));
    let head = format!("SELECT `job_name`, `window_start`, {end}, {dc}, {table}");
    let metric = "`job_name`, `window_start`, `metric_ts`, `dc`, `table`";
    let [valid, invalid] = TOPICS;
    let mut inserts = vec![
        format!(
            "INSERT INTO {} ({metric}, `valid_count`, `warned_count`, `total_count`, `rules_version`)\n\
             {head}, `valid_count`, `warned_count`, {total}, {version}\nFROM {windows}",
            name(valid)
        ),
        format!(
            "INSERT INTO {} ({metric}, `invalid_count`, `total_count`, `by_rule`, `rules_version`)\n\
             {head}, `invalid_count`, {total}, {by_rule}, {version}\nFROM {windows}",
            name(invalid)
        ),
    ];
    if !job.rules.has_sink {
        return inserts;
    }
    inserts.extend(["valid", "invalid"].map(|kind| {
        format!(
            "INSERT INTO {} (`job_name`, `metric_ts`, `metric_type`, `metric_value`)\n\
             SELECT `job_name`, TO_TIMESTAMP_LTZ({end}, 3), '{kind}', `{kind}_count`\nFROM {windows}",
            name("dq_counts")
        )
    }));
    inserts
}
