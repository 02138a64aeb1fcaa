//! The audit trail: what Flink writes of records (tests/oracle/planner/run.py audits wrote the vectors), and what this
//! engine does.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::agent::exit::Exit;
use crate::jobs::check::check;
use crate::jobs::engine::audit::AuditJob;
use crate::jobs::engine::{EngineError, Header, InputRecord, Job, Output, OutputRecord, Spread, TableRow};
use crate::jobs::flink_sql::generate;

fn oracle(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(file)
}

/// Keeps what a job writes, in the form of the vectors.
#[derive(Default)]
struct Kept(Vec<Json>);

impl Output for Kept {
    fn record(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError> {
        assert_eq!((record.topic, record.spread), ("onprem.audit.shop.changes", Spread::Key));
        assert_eq!(record.headers, [header()]);
        let entry = std::str::from_utf8(record.value.unwrap()).unwrap();
        let key = record.key.map(|key| STANDARD.encode(key));
        self.0.push(json!({ "key": key, "ms": record.timestamp_ms, "entry": entry }));
        Ok(())
    }

    fn row(&mut self, _: TableRow) -> Result<(), EngineError> {
        Err(EngineError::new(Exit::Bug, "a trail is no table"))
    }
}

fn header() -> Header {
    Header { name: "n".to_owned(), value: Some(b"1".to_vec()) }
}

#[test]
fn flink_audits_alike() {
    let (project, found) = check(&oracle("planner/jobs"), None);
    assert_eq!(found, []);
    let vectors = std::fs::read_to_string(oracle("vectors/flink_audit.jsonl")).unwrap();
    let mut lines = vectors.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let head = lines.next().unwrap();
    let sql = format!("{}/06_audit.sql", head["job"].as_str().unwrap());
    let sql = generate(&project).into_iter().find(|file| file.path == sql).unwrap().text();
    let digest = hex::encode(Sha256::digest(sql));
    assert_eq!(head["audit_sql_sha256"], digest, "run tests/oracle/planner/run.py audits --write");

    let is_it = |table: &str| table == "changes";
    let file = project.rules.iter().find(|file| is_it(&file.rules.table.value.table)).unwrap();
    let mut job = AuditJob::new(&file.rules, &project.environments.0[0]);
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
        let mut kept = Kept::default();
        job.process(&record, &mut kept).unwrap();
        let found = kept.0.into_iter().next().unwrap_or(Json::Null);
        (count, written) = (count + 1, written + usize::from(!found.is_null()));
        if found != vector["flink"] {
            let payload = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
            wrong.push(format!("{payload}\n  Rust  {found}\n  Flink {}", vector["flink"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} records:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 400 && written > 150, "{written} of {count}");
    let summary = job.report().summary;
    for what in ["repeats", "heartbeats", "snapshot_rows", "tombstones", "strange"] {
        assert!(summary[what].as_u64() > Some(0), "{what}: {summary}");
    }
    // Every record is counted once, and those that no agent wrote are told of.
    assert!(job.contradiction().unwrap().contains("no agent wrote"));
}
