//! `cdc-jobs run drift` over two file logs: the verdicts of tests/oracle/drift, and those alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const RULES: &str = "\
table: shop.orders
source: {kind: cdc}
sink: none
columns:
  cust: {type: text}
  id: {type: int}
  a: {type: int}
  b: {type: text}
  st: {type: text}
  tags: {type: 'set<text>'}
key: [cust, id]
version: write_time
hash: {kind: v1}
drift:
  onprem: {environment: onprem, hosts: any}
  cloud: {environment: cloud, hosts: any}
  mode: MODE
  tolerance: 60s
  grace: 30s
  silence: 120s
  partition_key: [cust]
  write_matches: true
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("tests/oracle/drift/vectors.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A case whose hosts are any, as host ids in rules files are UUIDs.
fn case() -> Value {
    let cases = cases();
    let fits = |case: &Value| {
        let is_any = |side: &str| case["options"]["hosts"][side] == "any";
        let has_alarm = case["verdicts"].to_string().contains("MISSING");
        is_any("onprem") && is_any("cloud") && has_alarm
    };
    cases.into_iter().find(fits).unwrap()
}

/// Writes the records of a side as a file log; their order in the case is their timestamp.
fn file_log(case: &Value, side: &str, dir: &Path) {
    let mut topics: BTreeMap<(String, u64), Vec<String>> = BTreeMap::new();
    for partition in 0..case["options"]["partitions"][side].as_u64().unwrap() {
        topics.insert((format!("{side}.cdc.shop.orders"), partition), Vec::new());
    }
    // The first thing that an agent says.
    let start =
        json!({"offset": 0, "ts_ms": 0, "key": {}, "value": {"type": "start", "ts_ms": 0}, "headers": {}});
    let truncate = |offset: u64, table: &str| {
        let value = json!({"type": "truncate", "ts_ms": 0, "keyspace": "shop", "table": table});
        json!({"offset": offset, "ts_ms": 0, "key": {}, "value": value, "headers": {}})
    };
    let told = [start, truncate(1, "orders"), truncate(2, "others")].map(|line| line.to_string() + "\n");
    topics.insert((format!("{side}.cdc.__control"), 0), told.to_vec());
    for (number, record) in case["records"].as_array().unwrap().iter().enumerate() {
        if record["side"] != side {
            continue;
        }
        let suffix = if record["topic"] == "control" { "__control" } else { "shop.orders" };
        let topic = (format!("{side}.cdc.{suffix}"), record["partition"].as_u64().unwrap());
        let lines = topics.get_mut(&topic).unwrap();
        let line = json!({
            "offset": lines.len(), "ts_ms": number, "key": {"number": number}, "value": record["value"], "headers": {},
        });
        lines.push(line.to_string() + "\n");
    }
    let mut committed = json!({});
    for ((topic, partition), lines) in topics {
        let folder = dir.join(&topic).join(partition.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let text = lines.concat();
        std::fs::write(folder.join("00000000000000000000.jsonl"), &text).unwrap();
        committed[topic][partition.to_string()] =
            json!([{"first_offset": 0, "next_offset": lines.len(), "bytes": text.len()}]);
    }
    let partitions = case["options"]["partitions"][side].clone();
    let checkpoint = json!({"version": 4, "generation": 1, "open": {}, "done": {}, "parked": []});
    let commit =
        json!({"version": 1, "partitions": partitions, "checkpoint": checkpoint, "topics": committed});
    std::fs::write(dir.join("commit.json"), commit.to_string()).unwrap();
}

#[test]
fn only_finished_file_logs_are_decided_at_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let case = case();
    write_jobs(&case, folder.path());
    for side in ["onprem", "cloud"] {
        file_log(&case, side, &folder.path().join(side));
    }
    let finished = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-jobs"));
        command.args(["run", "drift", "--env", "onprem", "--table", "shop.orders", "--finished"]);
        command.args(["--jobs", "jobs", "--out", "finished"]).args(more).current_dir(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (exit, why) = finished(&["--from", "onprem", "--other-from", "cloud"]);
    assert_eq!(exit, Some(0), "{why}");
    let (exit, why) = finished(&["--from", "kafka", "--other-from", "cloud"]);
    assert!(exit == Some(2) && why.contains("brokers"), "{exit:?}: {why}");
    let path = folder.path().join("cloud/commit.json");
    let parked = std::fs::read_to_string(&path).unwrap();
    let parked = parked.replace(r#""parked":[]"#, r#""parked":["7:90:17 5dc1a799c4ca4238"]"#);
    std::fs::write(&path, parked).unwrap();
    let (exit, why) = finished(&["--from", "onprem", "--other-from", "cloud"]);
    assert!(exit == Some(2) && why.contains("1 mutations are parked"), "{exit:?}: {why}");
}

fn write_jobs(case: &Value, folder: &Path) {
    std::fs::create_dir_all(folder.join("jobs/rules")).unwrap();
    std::fs::copy(root().join("jobs/environments.yaml"), folder.join("jobs/environments.yaml")).unwrap();
    let mut rules = RULES.replace("MODE", case["options"]["mode"].as_str().unwrap());
    if let Some(version) = case["table"].get("version") {
        let column = version["column"].as_str().unwrap();
        rules = rules
            .replace(
                "  st: {type: text}\n  tags: {type: 'set<text>'}\n",
                &format!("  {column}: {{type: timestamp}}\n"),
            )
            .replace("version: write_time", &format!("version: {{column: {column}}}"))
            .replace("  grace: 30s\n", "  grace: 30s\n  old_writes: incomparable\n");
    }
    std::fs::write(folder.join("jobs/rules/shop.orders.yaml"), rules).unwrap();
}

fn run(folder: &Path) -> Output {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-jobs"));
    command.args(["run", "drift", "--env", "onprem", "--table", "shop.orders", "--until-end", "--jobs"]);
    command.args([
        path("jobs"),
        "--from".to_owned(),
        path("onprem"),
        "--other-from".to_owned(),
        path("cloud"),
    ]);
    command.args(["--out".to_owned(), path("out"), "--format".to_owned(), "json".to_owned()]);
    command.output().unwrap()
}

/// The values of a topic of the job's file log.
fn written(folder: &Path, topic: &str) -> Vec<Value> {
    let partition: PathBuf = folder.join("out").join(topic).join("0");
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(partition).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    lines
}

fn line(verdict: &Value) -> String {
    let of = |name: &str| verdict[name].clone();
    json!([of("decided_us"), of("key"), of("version_us"), of("status")]).to_string()
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

#[test]
fn the_verdicts_of_two_file_logs() {
    has_its_verdicts(&case());
}

/// Some nodes write the version as ISO-8601, others as a number, and each side writes a row at a time of its own.
#[test]
fn versions_in_both_forms_of_timestamps() {
    let is_one = |case: &Value| {
        case["table"]["version"]["column"] == "v" && case["verdicts"].to_string().contains("DRIFT")
    };
    let case = cases().into_iter().find(is_one).unwrap();
    assert!(case["records"].to_string().contains("\"v\":\"2023-"), "a text");
    has_its_verdicts(&case);
}

fn has_its_verdicts(case: &Value) {
    let folder = tempfile::tempdir().unwrap();
    write_jobs(case, folder.path());
    for side in ["onprem", "cloud"] {
        file_log(case, side, &folder.path().join(side));
    }
    let output = run(folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["counts"]["truncations"], json!({"onprem": 1, "cloud": 1}));
    let audit = written(folder.path(), "dq_reconciliation_audit");
    let expected = sorted(case["verdicts"].as_array().unwrap().iter().map(line));
    assert_eq!(sorted(audit.iter().map(|record| line(&record["value"]))), expected);
    // The compacted topic holds the rows of which a verdict still holds.
    let mut current = BTreeMap::new();
    for record in written(folder.path(), "dq_reconciliation_current") {
        current.insert(record["key"].to_string(), record["value"].clone());
    }
    current.retain(|_, value| !value.is_null());
    let mut open = BTreeMap::new();
    for record in &audit {
        let (key, verdict) = (record["key"].to_string(), &record["value"]);
        match verdict["status"].as_str().unwrap() {
            "MATCH" => {}
            "RESOLVED" => drop(open.remove(&(key, verdict["version_us"].to_string()))),
            _ => drop(open.insert((key, verdict["version_us"].to_string()), ())),
        }
    }
    let mut rows: Vec<String> = open.into_keys().map(|(key, _)| key).collect();
    rows.dedup();
    assert_eq!(current.into_keys().collect::<Vec<_>>(), rows);
    // Nothing is left to do, and nothing is said twice.
    assert!(run(folder.path()).status.success());
    assert_eq!(written(folder.path(), "dq_reconciliation_audit"), audit);
}

/// A record that no agent wrote says nothing of its row: whoever reads the verdicts must know.
#[test]
fn what_no_agent_wrote_is_an_alarm() {
    let (case, folder) = (case(), tempfile::tempdir().unwrap());
    write_jobs(&case, folder.path());
    for side in ["onprem", "cloud"] {
        let mut case = case.clone();
        let records = case["records"].as_array_mut().unwrap();
        if side == "cloud" {
            records.iter_mut().rev().find(|record| record["side"] == side).unwrap()["value"] =
                json!({"op": "x"});
        }
        file_log(&case, side, &folder.path().join(side));
    }
    let output = run(folder.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("records that no agent wrote"), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["counts"]["strange"], 1);
}
