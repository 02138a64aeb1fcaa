//! The JobManager: which jobs there are, how they are, and their end.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cause;
use super::mask::masked;
use super::rest::{Rest, RestError};

/// A savepoint waits for what the sinks still have to write.
const SAVEPOINT_LIMIT: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(200);

/// A job, as the list of all jobs shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobOverview {
    /// Its id: 32 hex digits.
    #[serde(rename = "jid")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `RUNNING`, `RESTARTING`, `FAILED`, …
    pub state: String,
    /// Epoch milliseconds.
    pub start_time: i64,
    /// Milliseconds since its start; to its end where it has ended.
    pub duration: u64,
}

impl JobOverview {
    /// Whether it will never run again.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "FINISHED" | "CANCELED" | "FAILED" | "SUSPENDED")
    }
}

/// A job with its vertices.
#[derive(Debug, Clone, Deserialize)]
pub struct JobDetails {
    /// As in [`JobOverview`].
    pub state: String,
    /// What runs in parallel.
    pub vertices: Vec<Vertex>,
}

impl JobDetails {
    /// Whether it processes records: every task runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == "RUNNING" && self.vertices.iter().all(|vertex| vertex.status == "RUNNING")
    }
}

/// A vertex of a job.
#[derive(Debug, Clone, Deserialize)]
pub struct Vertex {
    /// Its id.
    pub id: String,
    /// `RUNNING`, `INITIALIZING`, …
    pub status: String,
}

/// What was saved of a job.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Checkpoints {
    /// The newest of each kind.
    pub latest: Latest,
}

/// The newest checkpoint of each kind.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Latest {
    /// Complete.
    pub completed: Option<Checkpoint>,
    /// A savepoint.
    pub savepoint: Option<Checkpoint>,
    /// From which the job was started or restarted.
    pub restored: Option<Restored>,
}

/// A checkpoint or savepoint.
#[derive(Debug, Clone, Deserialize)]
pub struct Checkpoint {
    /// Number.
    pub id: u64,
    /// Epoch milliseconds at which it began.
    pub trigger_timestamp: i64,
    /// Bytes of state.
    #[serde(default)]
    pub state_size: u64,
    /// Milliseconds that it took.
    #[serde(default)]
    pub end_to_end_duration: u64,
    /// URI of its folder, where it was kept.
    pub external_path: Option<String>,
}

/// A checkpoint from which a job went on.
#[derive(Debug, Clone, Deserialize)]
pub struct Restored {
    /// URI of its folder.
    pub external_path: Option<String>,
}

/// Something that a job failed with.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// Epoch milliseconds.
    pub timestamp: i64,
    /// The whole trace, without values of passwords.
    pub stacktrace: String,
    /// The task in which it happened.
    pub task_name: Option<String>,
}

impl Exception {
    /// The last cause.
    #[must_use]
    pub fn cause(&self) -> String {
        cause::last(&self.stacktrace)
    }
}

/// The JobManager of a cluster.
#[derive(Debug)]
pub struct JobManager {
    rest: Rest,
}

impl JobManager {
    /// The one at `address`. Nothing is asked yet.
    ///
    /// # Errors
    /// It is no address.
    pub fn at(address: &str) -> Result<Self, RestError> {
        Ok(Self { rest: Rest::at("JobManager", address)? })
    }

    /// All jobs that it knows, the newest first. Those that ended are forgotten after an hour, and when it is started anew.
    ///
    /// # Errors
    /// It does not answer.
    pub fn jobs(&self) -> Result<Vec<JobOverview>, RestError> {
        #[derive(Deserialize)]
        struct Jobs {
            jobs: Vec<JobOverview>,
        }
        let mut jobs = self.rest.get::<Jobs>("/jobs/overview")?.jobs;
        jobs.sort_by_key(|job| std::cmp::Reverse(job.start_time));
        Ok(jobs)
    }

    /// A job.
    ///
    /// # Errors
    /// It does not answer, or does not know the job.
    pub fn details(&self, id: &str) -> Result<JobDetails, RestError> {
        self.rest.get(&format!("/jobs/{id}"))
    }

    /// What was saved of a job.
    ///
    /// # Errors
    /// It does not answer, or does not know the job.
    pub fn checkpoints(&self, id: &str) -> Result<Checkpoints, RestError> {
        self.rest.get(&format!("/jobs/{id}/checkpoints"))
    }

    /// What a job failed with, the newest first; without values of passwords.
    ///
    /// # Errors
    /// It does not answer, or does not know the job.
    pub fn exceptions(&self, id: &str) -> Result<Vec<Exception>, RestError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            exception_history: History,
        }
        #[derive(Deserialize)]
        struct History {
            entries: Vec<Exception>,
        }
        let mut found = self.rest.get::<Answer>(&format!("/jobs/{id}/exceptions"))?.exception_history.entries;
        for exception in &mut found {
            exception.stacktrace = masked(&exception.stacktrace);
        }
        Ok(found)
    }

    /// A setting that a job was submitted with among `pipeline.global-job-parameters`.
    ///
    /// # Errors
    /// It does not answer, or does not know the job.
    pub fn parameter(&self, id: &str, name: &str) -> Result<Option<String>, RestError> {
        let config: Value = self.rest.get(&format!("/jobs/{id}/config"))?;
        let found = config.pointer("/execution-config/user-config").and_then(|config| config.get(name));
        Ok(found.and_then(Value::as_str).map(str::to_owned))
    }

    /// How often a job was started anew; none while the cluster does not tell.
    ///
    /// # Errors
    /// It does not answer, or does not know the job.
    pub fn restarts(&self, id: &str) -> Result<Option<u64>, RestError> {
        Ok(self.metrics(&format!("/jobs/{id}/metrics"), &["numRestarts".to_owned()])?.into_iter().next())
    }

    /// Records that the sources read and that the sinks wrote since the job's last start.
    ///
    /// # Errors
    /// It does not answer, or does not know the job.
    pub fn records(&self, id: &str) -> Result<(u64, u64), RestError> {
        #[derive(Deserialize)]
        struct Name {
            id: String,
        }
        let (mut read, mut written) = (0, 0);
        for vertex in self.details(id)?.vertices {
            let path = format!("/jobs/{id}/vertices/{}/subtasks/metrics", vertex.id);
            let names: Vec<String> =
                self.rest.get::<Vec<Name>>(&path)?.into_iter().map(|name| name.id).collect();
            let named = |is_wanted: fn(&str) -> bool| {
                names.iter().filter(|name| is_wanted(name)).cloned().collect::<Vec<_>>()
            };
            read += self.metrics(&path, &named(is_read))?.iter().sum::<u64>();
            written += self.metrics(&path, &named(is_written))?.iter().sum::<u64>();
        }
        Ok((read, written))
    }

    fn metrics(&self, path: &str, names: &[String]) -> Result<Vec<u64>, RestError> {
        #[derive(Deserialize)]
        struct Metric {
            /// Of a job.
            value: Option<String>,
            /// Of the subtasks of a vertex.
            sum: Option<f64>,
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let metrics: Vec<Metric> = self.rest.get(&format!("{path}?get={}", escaped(&names.join(","))))?;
        let number = |metric: Metric| match metric.value {
            Some(value) => value.parse().ok(),
            None => metric.sum.and_then(|sum| format!("{sum:.0}").parse().ok()),
        };
        Ok(metrics.into_iter().filter_map(number).collect())
    }

    /// Stops a job with a savepoint in `folder`, or else in the cluster's; returns the savepoint's URI.
    ///
    /// # Errors
    /// It does not answer, or there is no savepoint: then the job goes on.
    pub fn stop(&self, id: &str, folder: Option<&str>) -> Result<String, RestError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Trigger {
            request_id: String,
        }
        let body = json!({ "drain": false, "targetDirectory": folder });
        let trigger: Trigger = self.rest.post(&format!("/jobs/{id}/stop"), &body)?;
        let path = format!("/jobs/{id}/savepoints/{}", trigger.request_id);
        let end = Instant::now() + SAVEPOINT_LIMIT;
        while Instant::now() < end {
            let answer: Value = self.rest.get(&path)?;
            if let Some(location) = answer.pointer("/operation/location").and_then(Value::as_str) {
                return Ok(location.to_owned());
            }
            if let Some(trace) =
                answer.pointer("/operation/failure-cause/stack-trace").and_then(Value::as_str)
            {
                return Err(self.no_savepoint(cause::last(trace)));
            }
            sleep(PAUSE);
        }
        Err(self.no_savepoint(format!("it is not complete after {} s", SAVEPOINT_LIMIT.as_secs())))
    }

    fn no_savepoint(&self, why: String) -> RestError {
        let cause = format!("there is no savepoint: {why}");
        RestError::Refused { what: "JobManager", address: self.rest.address(), status: 200, cause, at: None }
    }

    /// Ends a job as it is.
    ///
    /// # Errors
    /// It does not answer, or does not know the job.
    pub fn cancel(&self, id: &str) -> Result<(), RestError> {
        self.rest.end(Method::PATCH, &format!("/jobs/{id}?mode=cancel"))
    }
}

/// `0.Source__events[1].numRecordsIn` of a source operator.
fn is_read(metric: &str) -> bool {
    metric.starts_with("Source__") && metric.ends_with(".numRecordsIn")
}

/// `valid[7]__Writer.numRecordsSend`
fn is_written(metric: &str) -> bool {
    metric.ends_with(".numRecordsSend")
}

/// A query's value: what is not a plain character as `%XX`.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~,".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
