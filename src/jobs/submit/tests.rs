//! What a real cluster cannot be made to answer when a test wants it: a server that answers as it is told.
//! tests/flink has the rest, on a real one.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::scripts::{Script, Step};
use super::{Cluster, Done, Options, Start, SubmitError, submit};

/// Answers for `METHOD path`; the last one of each is given again and again.
type Answers = HashMap<String, VecDeque<(u16, String)>>;

struct Server {
    address: String,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// A cluster that takes the job `dq` as job `new`, which runs at once.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::default(),
            asked: Arc::default(),
        };
        let (answers, asked) = (Arc::clone(&server.answers), Arc::clone(&server.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.unwrap(), &answers, &asked);
            }
        });
        server.tell("GET /v2/info", &json!({ "productName": "Apache Flink", "version": "1.20.3" }));
        server.tell("POST /v2/sessions", &json!({ "sessionHandle": "s" }));
        server.tell("DELETE /v2/sessions/s", &json!({ "status": "CLOSED" }));
        server.tell("POST /v2/sessions/s/statements", &json!({ "operationHandle": "o" }));
        server.tell("GET /v2/sessions/s/operations/o/status", &json!({ "status": "FINISHED" }));
        let result = "GET /v2/sessions/s/operations/o/result/0?rowFormat=JSON";
        server.tell(result, &json!({ "resultType": "PAYLOAD", "jobID": "new" }));
        server.tell("GET /jobs/overview", &json!({ "jobs": [] }));
        server.tell(
            "GET /jobs/new",
            &json!({ "state": "RUNNING", "vertices": [{ "id": "v", "status": "RUNNING" }] }),
        );
        server
    }

    /// Sets the answer.
    fn tell(&self, what: &str, answer: &Value) {
        self.tell_all(what, &[(200, answer.to_string())]);
    }

    /// Sets the answers, one after the other.
    fn tell_all(&self, what: &str, answers: &[(u16, String)]) {
        self.answers.lock().unwrap().insert(what.to_owned(), answers.iter().cloned().collect());
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(what)).count()
    }

    fn submit(&self, script: &Script, options: &Options) -> Result<Done, SubmitError> {
        let cluster = Cluster::at(&self.address, &self.address).unwrap();
        submit(&cluster, script, options, &mut |_| ())
    }
}

/// Serves one connection: a request, an answer. What nobody told an answer for is closed without one.
fn answer(stream: &TcpStream, answers: &Mutex<Answers>, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let what = first.rsplit_once(' ').map_or("", |(what, _)| what).to_owned();
    let found = {
        let mut answers = answers.lock().unwrap();
        answers
            .get_mut(&what)
            .and_then(|left| if left.len() > 1 { left.pop_front() } else { left.front().cloned() })
    };
    asked.lock().unwrap().push(format!("{what} {}", String::from_utf8_lossy(&body)));
    let Some((status, text)) = found else { return };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
    let mut stream = stream;
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes())).unwrap();
}

fn script(statements: &[&str]) -> Script {
    let step = |(number, sql): (usize, &&str)| Step {
        file: "a.sql".into(),
        line: number + 1,
        sql: (*sql).to_owned(),
    };
    Script { name: "dq".to_owned(), steps: statements.iter().enumerate().map(step).collect() }
}

fn one() -> Script {
    script(&["SET 'pipeline.name' = 'dq'", "INSERT INTO a SELECT 1"])
}

fn fresh() -> Options {
    let (checkpoints, wait) = (Some("file:///c".to_owned()), Duration::from_secs(30));
    Options { start: Start::Fresh, is_replacing: false, checkpoints, wait }
}

fn job(id: &str, state: &str) -> Value {
    json!({ "jid": id, "name": "dq", "state": state, "start-time": 1, "duration": 1 })
}

fn trace(cause: &str) -> String {
    format!(
        "<Exception on server side:\na.B: outer\n\tat a.B.c(D.java:1)\nCaused by: a.C: {cause}\n\tat a.C.d(E.java:2)"
    )
}

#[test]
fn a_job_is_started_with_its_own_folders() {
    let server = Server::start();
    let done = server.submit(&one(), &fresh()).unwrap();
    assert_eq!(done, Done::Started { id: "new".to_owned(), from: None, replaced: None });
    let statements = "POST /v2/sessions/s/statements";
    for setting in [
        "'pipeline.name' = 'dq'",
        "'execution.checkpointing.dir' = 'file:///c/dq/checkpoints'",
        &format!(
            "'pipeline.global-job-parameters' = 'cdc-jobs.sql:{},cdc-jobs.savepoints:''file:///c/dq/savepoints'''",
            one().digest()
        ),
    ] {
        assert!(server.asked(&format!("{statements} {{\"statement\":\"SET {setting}\"}}")) > 0, "{setting}");
    }
    assert_eq!(server.asked(&format!("{statements} {{\"statement\":\"INSERT")), 1);
    assert_eq!(server.asked("DELETE /v2/sessions/s"), 1, "the session is closed");
}

#[test]
fn a_secret_that_flink_repeats_is_hidden() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "o'clock").unwrap();
    server.tell("GET /v2/sessions/s/operations/o/status", &json!({ "status": "ERROR" }));
    let errors = json!({ "errors": ["Internal server error.", trace("near 'o''clock' at line 2, column 5, o'clock")] });
    let result = "GET /v2/sessions/s/operations/o/result/0?rowFormat=JSON";
    server.tell_all(result, &[(500, errors.to_string())]);
    let sql = format!("CREATE TABLE a WITH ('password' = '${{file:{}}}')", file.display());
    let error = server.submit(&script(&[&sql, "INSERT INTO a SELECT 1"]), &fresh()).unwrap_err();
    assert_eq!(error.to_string(), "dq: a.sql:2:5: C: near '***' at line 2, column 5, ***");
    assert_eq!(server.asked("DELETE /v2/sessions/s"), 1, "the session is closed");
}

#[test]
fn a_missing_secret_stops_nothing_that_runs() {
    let server = Server::start();
    server.tell("GET /jobs/overview", &json!({ "jobs": [job("old", "RUNNING")] }));
    let script = script(&["SET 'a' = '${file:/does/not/exist}'", "INSERT INTO a SELECT 1"]);
    let error = server.submit(&script, &Options { is_replacing: true, ..fresh() }).unwrap_err();
    assert!(matches!(error, SubmitError::Secret(..)), "{error}");
    assert_eq!((server.asked("POST /jobs/old/stop"), server.asked("PATCH")), (0, 0));
}

#[test]
fn of_two_runs_the_later_one_gives_way() {
    let server = Server::start();
    let both = json!({ "jobs": [job("new", "CREATED"), job("other", "RUNNING")] });
    server
        .tell_all("GET /jobs/overview", &[(200, json!({ "jobs": [] }).to_string()), (200, both.to_string())]);
    server.tell("PATCH /jobs/new?mode=cancel", &json!({}));
    let error = server.submit(&one(), &fresh()).unwrap_err();
    assert!(matches!(&error, SubmitError::Raced(_, other) if other == "other"), "{error}");
    assert_eq!(server.asked("PATCH /jobs/new?mode=cancel"), 1);
}

#[test]
fn a_job_that_fails_at_once_is_told_with_its_cause() {
    let server = Server::start();
    server.tell("GET /jobs/new", &json!({ "state": "FAILED", "vertices": [] }));
    let entry =
        json!({ "timestamp": 1, "stacktrace": trace("no login by password=\"hunter2\";"), "taskName": null });
    server.tell("GET /jobs/new/exceptions", &json!({ "exceptionHistory": { "entries": [entry] } }));
    let error = server.submit(&one(), &fresh()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dq: it was submitted (job new) and is FAILED: C: no login by password=\"***\";"
    );
}

#[test]
fn a_job_without_slots_is_told_of_in_time() {
    let server = Server::start();
    server.tell(
        "GET /jobs/new",
        &json!({ "state": "RUNNING", "vertices": [{ "id": "v", "status": "SCHEDULED" }] }),
    );
    server.tell("GET /jobs/new/exceptions", &json!({ "exceptionHistory": { "entries": [] } }));
    let error = server.submit(&one(), &Options { wait: Duration::ZERO, ..fresh() }).unwrap_err().to_string();
    assert!(
        error.contains("goes on trying: no task has failed; are there TaskManagers with free slots?"),
        "{error}"
    );
}

#[test]
fn without_a_savepoint_a_running_job_goes_on() {
    let server = Server::start();
    server.tell("GET /jobs/overview", &json!({ "jobs": [job("old", "RUNNING")] }));
    let own = json!({ "cdc-jobs.savepoints": "s3://own" });
    server.tell("GET /jobs/old/config", &json!({ "execution-config": { "user-config": own } }));
    server.tell("POST /jobs/old/stop", &json!({ "request-id": "r" }));
    let running = json!({ "status": { "id": "IN_PROGRESS" }, "operation": null });
    let cause = json!({ "class": "a.B", "stack-trace": trace("no space left on device") });
    let failed = json!({ "status": { "id": "COMPLETED" }, "operation": { "failure-cause": cause } });
    server.tell_all("GET /jobs/old/savepoints/r", &[(200, running.to_string()), (200, failed.to_string())]);
    let options = Options { start: Start::Newest, is_replacing: true, ..fresh() };
    let error = server.submit(&one(), &options).unwrap_err().to_string();
    assert!(error.ends_with("there is no savepoint: C: no space left on device"), "{error}");
    let body = "{\"drain\":false,\"targetDirectory\":\"s3://own\"}";
    assert_eq!(server.asked(&format!("POST /jobs/old/stop {body}")), 1);
    let insert = "POST /v2/sessions/s/statements {\"statement\":\"INSERT";
    assert_eq!((server.asked(insert), server.asked("PATCH")), (0, 0));
}

#[test]
fn state_that_cannot_be_looked_for_is_not_taken_for_none() {
    let server = Server::start();
    for checkpoints in ["s3://bucket/jobs", "file:///no/such/folder/of/a/test"] {
        let options = Options { start: Start::Newest, checkpoints: Some(checkpoints.to_owned()), ..fresh() };
        let error = server.submit(&one(), &options).unwrap_err();
        assert!(matches!(error, SubmitError::UnknownState { .. }), "{error}");
    }
    let saved =
        json!({ "id": 7, "trigger_timestamp": 5, "external_path": "s3://bucket/jobs/dq/savepoints/x" });
    let older = json!({ "id": 6, "trigger_timestamp": 4, "external_path": "s3://bucket/jobs/dq/checkpoints/y/chk-6" });
    server.tell("GET /jobs/overview", &json!({ "jobs": [job("old", "FINISHED")] }));
    let latest = json!({ "completed": older, "savepoint": saved, "restored": null });
    server.tell("GET /jobs/old/checkpoints", &json!({ "latest": latest }));
    let options =
        Options { start: Start::Newest, checkpoints: Some("s3://bucket/jobs".to_owned()), ..fresh() };
    let Done::Started { from, .. } = server.submit(&one(), &options).unwrap() else {
        panic!("it was not started")
    };
    assert_eq!(from.as_deref(), Some("s3://bucket/jobs/dq/savepoints/x"));
}

#[test]
fn what_is_not_flink_1_20_is_told() {
    let server = Server::start();
    server.tell("GET /v2/info", &json!({ "productName": "Apache Flink", "version": "1.17.2" }));
    let error = server.submit(&one(), &fresh()).unwrap_err().to_string();
    assert!(error.contains("is no SQL gateway of Flink 1.20: it is Flink 1.17.2"), "{error}");
    for (status, text) in [(200, "<html>"), (502, "Bad Gateway")] {
        server.tell_all("GET /jobs/overview", &[(status, text.to_owned())]);
        let error = server.submit(&one(), &fresh()).unwrap_err().to_string();
        assert!(error.contains("is no JobManager of Flink 1.20"), "{error}");
    }
    server.answers.lock().unwrap().remove("GET /jobs/overview");
    let error = server.submit(&one(), &fresh()).unwrap_err().to_string();
    assert!(error.contains("does not answer: connection closed before message completed"), "{error}");
}
