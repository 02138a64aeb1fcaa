//! What `status` tells of a job.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::jobs::submit::jobmanager::{JobManager, JobOverview};
use crate::jobs::submit::rest::RestError;

/// What `status` tells of a job. Of a job that has ended the cluster keeps no metrics.
pub(super) fn state(jobmanager: &JobManager, job: &JobOverview) -> Result<Value, RestError> {
    let (restarts, records) = if job.has_ended() {
        (None, None)
    } else {
        (jobmanager.restarts(&job.id)?, Some(jobmanager.records(&job.id)?))
    };
    let latest = jobmanager.checkpoints(&job.id)?.latest;
    let saved =
        latest.completed.into_iter().chain(latest.savepoint).max_by_key(|saved| saved.trigger_timestamp);
    let checkpoint = saved.map(|saved| {
        json!({
            "id": saved.id,
            "at_ms": saved.trigger_timestamp,
            "took_ms": saved.end_to_end_duration,
            "state_bytes": saved.state_size,
            "path": saved.external_path,
        })
    });
    let cause = jobmanager.exceptions(&job.id)?.first().map(|exception| exception.cause());
    Ok(json!({
        "name": job.name,
        "id": job.id,
        "state": job.state,
        "started_ms": job.start_time,
        "running_ms": job.duration,
        "restarts": restarts,
        "checkpoint": checkpoint,
        "records_in": records.map(|(read, _)| read),
        "records_out": records.map(|(_, written)| written),
        "last_failure": cause,
    }))
}

/// A job in one line, and its last failure below.
pub(super) fn line(job: &Value) -> String {
    let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| job.get(key).and_then(Value::as_u64);
    let shown = |key: &str| number(key).map_or_else(|| "-".to_owned(), |number| number.to_string());
    let at = job.pointer("/checkpoint/at_ms").and_then(Value::as_i64);
    let checkpoint = at.map_or_else(|| "no checkpoint".to_owned(), |at| format!("checkpoint {}", ago(at)));
    let failure = text("last_failure");
    let failure =
        failure.lines().next().map_or_else(String::new, |line| format!("    last failure: {line}\n"));
    format!(
        "{:36} {:10} {:>9}, restarts {}, {checkpoint}, records in {}, out {}\n{failure}",
        text("name"),
        text("state"),
        duration(number("running_ms").unwrap_or(0) / 1000),
        shown("restarts"),
        shown("records_in"),
        shown("records_out"),
    )
}

fn ago(at_ms: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let at = u64::try_from(at_ms).unwrap_or(0) / 1000;
    format!("{} ago", duration(now.saturating_sub(at)))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}
