//! The SQL gateway: a session, and statements one after the other in it (REST, version 2).

use std::thread::sleep;
use std::time::{Duration, Instant};

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use super::rest::{Rest, RestError};

/// Planning a job takes seconds; the first one in a new gateway half a minute.
const LIMIT: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(100);

/// A session. It ends when it is dropped; jobs that were started in it go on.
pub(super) struct Session<'r> {
    rest: &'r Rest,
    handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    session_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    operation_handle: String,
}

#[derive(Deserialize)]
struct Status {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    result_type: String,
    #[serde(rename = "jobID")]
    job_id: Option<String>,
}

#[derive(Deserialize)]
struct Info {
    version: String,
}

impl<'r> Session<'r> {
    /// Opens one, with a gateway of a Flink that knows what the jobs need.
    pub(super) fn open(rest: &'r Rest) -> Result<Self, RestError> {
        let info: Info = rest.get("/v2/info")?;
        let mut numbers = info.version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < (1, 20) {
            return Err(rest.not_flink(format!("it is Flink {}", info.version)));
        }
        let opened: Opened = rest.post("/v2/sessions", &json!({ "sessionName": "cdc-jobs" }))?;
        Ok(Self { rest, handle: opened.session_handle })
    }

    /// Runs a statement; returns the id of the job that it started, if it did.
    pub(super) fn run(&self, statement: &str) -> Result<Option<String>, RestError> {
        let session = format!("/v2/sessions/{}", self.handle);
        let body = json!({ "statement": statement });
        let operation: Operation = self.rest.post(&format!("{session}/statements"), &body)?;
        let operation = format!("{session}/operations/{}", operation.operation_handle);
        let end = Instant::now() + LIMIT;
        loop {
            let Status { status } = self.rest.get(&format!("{operation}/status"))?;
            match status.as_str() {
                "INITIALIZED" | "PENDING" | "RUNNING" if Instant::now() < end => sleep(PAUSE),
                // Of one that failed, the result is the error.
                "FINISHED" | "ERROR" => {
                    let answer: Answer = self.rest.get(&format!("{operation}/result/0?rowFormat=JSON"))?;
                    if answer.result_type != "NOT_READY" {
                        return Ok(answer.job_id);
                    }
                    sleep(PAUSE);
                }
                other => {
                    return Err(RestError::Refused {
                        what: "SQL gateway",
                        address: self.rest.address(),
                        status: 200,
                        cause: format!("the statement is {other} after {} s", LIMIT.as_secs()),
                        at: None,
                    });
                }
            }
        }
    }
}

impl Drop for Session<'_> {
    /// A session that cannot be closed ends by itself, some minutes later.
    fn drop(&mut self) {
        let _ = self.rest.end(Method::DELETE, &format!("/v2/sessions/{}", self.handle));
    }
}
