//! What the generated audit and hash jobs write on Flink (tests/oracle/planner/run.py wrote the vectors), and what this
//! engine does.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::agent::exit::Exit;
use crate::jobs::check::check;
use crate::jobs::engine::audit::AuditJob;
use crate::jobs::engine::hash::{HashJob, SOURCE_TOPIC};
use crate::jobs::engine::{EngineError, Header, InputRecord, Job, Output, OutputRecord, Spread, TableRow};
use crate::jobs::environment::Environment;
use crate::jobs::flink_sql::generate;
use crate::jobs::rules::TableRules;

fn oracle(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(file)
}

/// Keeps what a job writes into a topic, in the form of the vectors: with the Kafka timestamp where Flink gives one.
struct Kept {
    topic: (&'static str, Spread),
    has_times: bool,
    records: Vec<Json>,
}

impl Output for Kept {
    fn record(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError> {
        assert_eq!((record.topic, record.spread), self.topic);
        let entry = std::str::from_utf8(record.value.unwrap()).unwrap();
        // A heartbeat says of which topic it tells.
        let is_heartbeat = entry.starts_with(r#"{"op":"m","#);
        let name = if is_heartbeat { SOURCE_TOPIC.to_owned() } else { header().name };
        assert_eq!(record.headers.iter().map(|header| &header.name).collect::<Vec<_>>(), [&name]);
        let key = record.key.map(|key| STANDARD.encode(key));
        let mut kept = json!({ "key": key, "entry": entry });
        if self.has_times {
            kept["ms"] = json!(record.timestamp_ms);
        }
        self.records.push(kept);
        Ok(())
    }

    fn row(&mut self, _: TableRow) -> Result<(), EngineError> {
        Err(EngineError::new(Exit::Bug, "a topic is no table"))
    }
}

fn header() -> Header {
    Header { name: "n".to_owned(), value: Some(b"1".to_vec()) }
}

/// Compares a job of `shop.changes` with what Flink says of the records of a file, and gives the job.
fn alike<J: Job>(
    file: &str,
    topic: (&'static str, Spread),
    job: impl Fn(&TableRules, &Environment) -> J,
    least: usize,
) -> J {
    let (project, found) = check(&oracle("planner/jobs"), None);
    assert_eq!(found, []);
    let vectors = std::fs::read_to_string(oracle("vectors").join(file)).unwrap();
    let mut lines = vectors.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let head = lines.next().unwrap();
    let sql = format!("{}/{}", head["job"].as_str().unwrap(), head["sql"].as_str().unwrap());
    let sql = generate(&project).into_iter().find(|file| file.path == sql).unwrap().text();
    let digest = hex::encode(Sha256::digest(sql));
    assert_eq!(head["sql_sha256"], digest, "run tests/oracle/planner/run.py with --write: {file}");

    let is_it = |table: &str| table == "changes";
    let rules = project.rules.iter().find(|file| is_it(&file.rules.table.value.table)).unwrap();
    let mut job = job(&rules.rules, &project.environments.0[0]);
    let bytes = |text: &Json| text.as_str().map(|text| STANDARD.decode(text).unwrap());
    let (mut wrong, mut count, mut written) = (Vec::new(), 0, 0);
    for (offset, vector) in lines.enumerate() {
        let record = InputRecord {
            input: 0,
            partition: 0,
            offset: i64::try_from(offset).unwrap(),
            timestamp_ms: vector["kafka_ms"].as_i64().unwrap(),
            key: bytes(&vector["key"]),
            value: bytes(&vector["payload"]),
            headers: vec![header()],
        };
        let has_times = file == "flink_audit.jsonl";
        let mut kept = Kept { topic, has_times, records: Vec::new() };
        job.process(&record, &mut kept).unwrap();
        let found = kept.records.into_iter().next().unwrap_or(Json::Null);
        (count, written) = (count + 1, written + usize::from(!found.is_null()));
        if found != vector["flink"] {
            let payload = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
            wrong.push(format!("{payload}\n  Rust  {found}\n  Flink {}", vector["flink"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} records:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 400 && written > least, "{written} of {count}");
    job
}

/// Every record is counted once, and those that no agent wrote are told of.
fn counts(job: &impl Job, kinds: &[&str]) {
    let summary = job.report().summary;
    for what in kinds {
        assert!(summary[what].as_u64() > Some(0), "{what}: {summary}");
    }
    assert!(job.contradiction().unwrap().contains("no agent wrote"));
}

#[test]
fn flink_audits_alike() {
    let topic = ("onprem.audit.shop.changes", Spread::Key);
    let job = alike("flink_audit.jsonl", topic, AuditJob::new, 150);
    counts(&job, &["repeats", "heartbeats", "snapshot_rows", "tombstones", "strange"]);
}

/// Also versions that are ISO-8601, no numbers or too large, and keys that are no JSON.
#[test]
fn flink_hashes_alike() {
    let topic = ("onprem_hash_events", Spread::Partition(0));
    let job = alike("flink_hash.jsonl", topic, HashJob::new, 250);
    counts(&job, &["repeats", "heartbeats", "tombstones", "strange"]);
}
