//! `cdc-jobs remediate` over file logs, as far as it goes without Cassandra: proposals, evidence, approval, what would be
//! written.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const RULES: &str = "\
table: shop.orders
source: {kind: cdc}
sink: none
columns:
  id: {type: int}
  note: {type: text}
key: [id]
version: write_time
hash: {kind: v1}
drift:
  onprem: {environment: onprem, hosts: any}
  cloud: {environment: cloud, hosts: any}
  mode: merge
remediate:
  max_age: 3650d
";

const CHANGES: &str = "onprem.cdc.shop.orders";
const CURRENT: &str = "dq_reconciliation_current";
const STEPS: &str = "dq_remediation_audit";

/// A file log of one topic; its records are keys and values.
fn file_log(dir: &Path, topic: &str, records: &[(Value, Value)]) {
    let line = |(offset, (key, value)): (usize, &(Value, Value))| {
        json!({ "offset": offset, "ts_ms": 1, "key": key, "value": value, "headers": {} }).to_string() + "\n"
    };
    let text: String = records.iter().enumerate().map(line).collect();
    let folder = dir.join(topic).join("0");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("00000000000000000000.jsonl"), &text).unwrap();
    let file = json!([{ "first_offset": 0, "next_offset": records.len(), "bytes": text.len() }]);
    let checkpoint = json!({ "version": 4, "generation": 1, "open": {}, "done": {}, "parked": [] });
    let commit = json!({ "version": 1, "partitions": 1, "checkpoint": checkpoint, "topics": { topic: { "0": file } } });
    std::fs::write(dir.join("commit.json"), commit.to_string()).unwrap();
}

/// Jobs, the log of a side that wrote a row, and the verdict that the other side lacks it; behind it what was said of
/// the job as a whole.
fn world(folder: &Path, of_the_job: &[Value]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(folder.join("jobs/rules")).unwrap();
    std::fs::copy(root.join("jobs/environments.yaml"), folder.join("jobs/environments.yaml")).unwrap();
    std::fs::write(folder.join("jobs/rules/shop.orders.yaml"), RULES).unwrap();
    let heartbeat = json!({ "op": "m", "ts_ms": 1, "wm_us": 1, "source": { "host_id": "h" } });
    let change = json!({
        "op": "c", "ts_ms": 1, "before": null, "after": { "id": 7, "note": "secret" }, "event_id": "e1",
        "source": { "ts_us": 1_700_000_000_000_000_i64, "host_id": "h" },
    });
    file_log(&folder.join("onprem"), CHANGES, &[(json!({}), heartbeat), (json!({ "id": 7 }), change)]);
    let verdict = json!({
        "table": "shop.orders", "key": { "id": 7 }, "version_us": 1_700_000_000_000_000_i64, "status": "MISSING_CLOUD",
        "onprem_hash": "0a", "cloud_hash": null, "onprem_event_id": "e1", "cloud_event_id": null, "hash_def": null,
        "first_seen_us": 1_700_000_000_100_000_i64, "decided_us": 1_700_000_100_000_000_i64,
        "evidence": {
            "onprem": { "op": "c", "topic": CHANGES, "partition": 0, "offset": 1, "file": null, "pos": null },
            "columns": ["note"],
        },
    });
    let mut verdicts = vec![(json!({ "table": "shop.orders", "key": { "id": 7 } }), verdict)];
    let of_the_job = of_the_job.iter().cloned();
    verdicts.extend(of_the_job.map(|value| (json!({ "table": "shop.orders", "key": null }), value)));
    file_log(&folder.join("drift"), CURRENT, &verdicts);
}

/// The verdict that a node is silent (docs/drift.md, 1).
fn unknown() -> Value {
    json!({
        "table": "shop.orders", "key": null, "version_us": null, "status": "UNKNOWN", "onprem_hash": null,
        "cloud_hash": null, "onprem_event_id": null, "cloud_event_id": null, "hash_def": null,
        "first_seen_us": 1_700_000_200_000_000_i64, "decided_us": 1_700_000_200_000_000_i64,
        "evidence": { "reason": "silent", "silent": [{ "side": "cloud", "host_id": "h", "wm_us": 1 }] },
    })
}

/// The steps that were taken.
fn steps(folder: &Path) -> Vec<Value> {
    let file = folder.join("drift").join(STEPS).join("0/00000000000000000000.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn remediate(folder: &Path, words: &[&str], from: bool) -> Output {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-jobs"));
    command.arg("remediate").args(words).args(["--env", "onprem", "--table", "shop.orders"]);
    command.args(["--jobs".to_owned(), path("jobs"), "--verdicts".to_owned(), path("drift")]);
    if from {
        command.args(["--from".to_owned(), path("onprem"), "--other-from".to_owned(), path("cloud")]);
    }
    command.output().unwrap()
}

fn json_of(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn from_a_verdict_to_what_would_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    world(folder, &[]);
    let call = |words: &[&str]| remediate(folder, words, false);
    let list = || json_of(&call(&["list", "--format", "json"]));
    assert_eq!(list(), json!([]));
    let found = json_of(&remediate(folder, &["propose", "--format", "json"], true));
    let id = found["proposed"][0].as_str().unwrap().to_owned();
    assert_eq!((&found["escalated"], &found["node_is_silent"]), (&json!([]), &json!(false)), "{found}");
    let again = json_of(&remediate(folder, &["propose", "--format", "json"], true));
    assert_eq!((&again["proposed"], &again["known"]), (&json!([]), &json!(1)), "{again}");

    let shown = call(&["show", &id]);
    let text = String::from_utf8(shown.stdout).unwrap();
    for word in [
        "MISSING_CLOUD, it stands",
        "{\"id\":7}",
        "event e1  hash 0a",
        "onprem.cdc.shop.orders[0]@1",
        "PROPOSED",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }

    let apply = |more: &[&str]| {
        let words: Vec<&str> =
            ["apply", "--target", "cloud", "--format", "json"].iter().chain(more).copied().collect();
        remediate(folder, &words, true)
    };
    let refused = apply(&[&id, "--execute", "--by", "ada"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("is PROPOSED, not approved: nothing was written"), "{told}");
    assert_eq!(call(&["approve", &id]).status.code(), Some(2), "by whom?");
    assert_eq!(call(&["approve", &id, "none", "--by", "ada"]).status.code(), Some(2));
    assert_eq!(list()[0]["state"], "PROPOSED", "one that is not there, and none is approved");
    for by in ["", " ", "policy nightly 1a2b3c4d", "Policy x", "cdc-jobs", "CDC-Jobs", "a\u{1b}[31m", "a\nb"]
    {
        assert_eq!(call(&["approve", &id, "--by", by]).status.code(), Some(2), "{by:?}");
        assert_eq!(call(&["reject", &id, "--by", by]).status.code(), Some(2), "{by:?}");
        assert_eq!(apply(&[&id, "--by", by]).status.code(), Some(2), "{by:?}");
    }
    assert_eq!(call(&["approve", &id, "--by", "ada", "--reason", "a\nb"]).status.code(), Some(2));
    assert_eq!(list()[0]["state"], "PROPOSED");
    assert_eq!(call(&["approve", &id, &id, "--by", "ada"]).status.code(), Some(0));
    let wrong_side = remediate(folder, &["apply", &id, "--target", "onprem"], true);
    assert_eq!(wrong_side.status.code(), Some(2));

    let dry = json_of(&apply(&[]));
    let write = json!([{ "statement": "INSERT", "columns": ["note"], "timestamp_us": 1_700_000_000_000_000_i64, "ttl_s": 0 }]);
    let outcome = json!([{ "id": id, "outcome": "would_apply", "writes": write }]);
    assert_eq!((&dry["outcomes"], &dry["executed"]), (&outcome, &json!(false)));
    let listed = list();
    assert_eq!((&listed[0]["state"], &listed[0]["by"]), (&json!("APPROVED"), &json!("ada")));

    let steps = steps(folder);
    let kinds: Vec<&str> = steps.iter().map(|step| step["value"]["step"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["PROPOSED", "APPROVED"], "a dry run and a refusal are no steps");
    assert!(!format!("{steps:?}{text}{dry}").contains("secret"), "no value of a column is told");
}

#[test]
fn nothing_is_proposed_while_a_node_is_silent() {
    let propose = |of_the_job: &[Value]| {
        let folder = tempfile::tempdir().unwrap();
        world(folder.path(), of_the_job);
        let output = remediate(folder.path(), &["propose", "--format", "json"], true);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = told["proposed"].as_array().unwrap().len();
        (output.status.code(), told["node_is_silent"].clone(), count, steps(folder.path()).len())
    };
    assert_eq!(propose(&[unknown()]), (Some(3), json!(true), 0, 0));
    assert_eq!(propose(&[unknown(), Value::Null]), (Some(0), json!(false), 1, 1), "it is heard again");
}
