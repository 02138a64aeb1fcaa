//! `04_dead_letter.sql`: where broken records and counters go, and the statement that starts the job.

use super::connector::{append, option};
use super::identity::{JobKind, job_name};
use super::judged::judged;
use super::names::{FAILED, HEADERS, KAFKA_MS, KEY, OFFSET, PARTITION, PAYLOAD, TOPIC, VALUE, WARNED};
use super::script::{SqlFile, note, statement, table};
use super::{GENERATED, Job, counters, valid};
use crate::jobs::expression::{quoted, sql_text};

pub(super) fn file(job: &Job<'_>) -> SqlFile {
    let name = job_name(JobKind::Dq, job);
    let mut parts = vec![
        note(format!(
            "{name}: broken records, counters, and the statement that starts the job.\n{GENERATED}"
        )),
        note(
            "Each broken record exactly once, with its own key and headers; readers must be read_committed.",
        ),
    ];
    let mut options =
        append(job.environment, &job.environment.topic(&job.rules.dead_letter_topic.value), &name);
    options.extend([
        option("key.format", "raw"),
        option("key.fields", "key"),
        option("value.format", "json"),
        option("value.fields-include", "EXCEPT_KEY"),
    ]);
    let columns = [
        "`key` BYTES",
        "`headers` MAP<STRING, BYTES> METADATA",
        "`job` STRING",
        "`topic` STRING",
        "`partition` INT",
        "`offset` BIGINT",
        "`kafka_ts` BIGINT",
        "`payload` STRING",
        "`payload_base64` BYTES",
        "`failed` ARRAY<STRING>",
        "`warned` ARRAY<STRING>",
        "`rules_version` STRING",
    ];
    parts.extend(table(&dead_letters(job), &columns.map(str::to_owned), &options));
    parts.extend(counters::tables(job));
    let inserts: Vec<String> =
        [valid::insert(job), insert(job)].into_iter().chain(counters::inserts(job)).collect();
    parts.push(note("One job: every output sees the same records, also after a restart."));
    parts.push(statement(format!("EXECUTE STATEMENT SET BEGIN\n{};\nEND", inserts.join(";\n"))));
    SqlFile { path: job.path("04_dead_letter.sql"), parts }
}

fn dead_letters(job: &Job<'_>) -> String {
    job.object(JobKind::Dq, "dead_letters")
}

fn insert(job: &Job<'_>) -> String {
    let failed = quoted(FAILED);
    let values = [
        quoted(KEY),
        quoted(HEADERS),
        sql_text(&job_name(JobKind::Dq, job)),
        quoted(TOPIC),
        quoted(PARTITION),
        quoted(OFFSET),
        quoted(KAFKA_MS),
        quoted(PAYLOAD),
        format!("CASE WHEN {} IS NULL THEN {} END", quoted(PAYLOAD), quoted(VALUE)),
        format!("RULE_LIST(COUNT_INVALID({failed}))"),
        format!("RULE_LIST({})", quoted(WARNED)),
        sql_text(&job.rules.rules_version),
    ];
    format!(
        "INSERT INTO {} (`key`, `headers`, `job`, `topic`, `partition`, `offset`, `kafka_ts`, `payload`, \
         `payload_base64`, `failed`, `warned`, `rules_version`)\nSELECT\n  {}\nFROM {}\nWHERE {failed} <> ''",
        dead_letters(job),
        values.join(",\n  "),
        judged(job)
    )
}
