//! How a job runs: what stands before its tables.

use super::Job;
use super::identity::{JobKind, job_name};
use super::script::{Part, note, statement};
use crate::jobs::environment::Environment;
use crate::jobs::expression::sql_text;

pub(super) fn set(key: &str, value: &str) -> Part {
    statement(format!("SET {} = {}", sql_text(key), sql_text(value)))
}

/// Name, checkpoints and time zone of a job.
pub(super) fn settings(job: &Job<'_>, kind: JobKind) -> Vec<Part> {
    common(&job_name(kind, job), job.environment)
}

pub(super) fn common(name: &str, environment: &Environment) -> Vec<Part> {
    let checkpoints = &environment.checkpoints;
    vec![
        note(
            "Checkpoints hold the offsets, what is counted and what is remembered; each is kept when the job is cancelled.",
        ),
        set("pipeline.name", name),
        set("execution.checkpointing.interval", &format!("{} s", checkpoints.interval_s)),
        set("execution.checkpointing.mode", "EXACTLY_ONCE"),
        set("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"),
        set("state.checkpoints.dir", &checkpoints.directory.value),
        note("Timestamps are UTC, whatever the session's zone is."),
        set("table.local-time-zone", "UTC"),
    ]
}
