//! The machine beside the oracle of tests/oracle/drift, which derives the same verdicts the slow way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::record::{Layout, Read, change, control, dead_letter};
use super::{
    Both, Hosts, KeyOrder, KeyType, Machine, Mode, Options, Output, Side, SideOptions, State, Status,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/drift")
}

fn side(value: &Value) -> Side {
    match value.as_str() {
        Some("onprem") => Side::Onprem,
        Some("cloud") => Side::Cloud,
        other => panic!("{other:?}"),
    }
}

fn layout(table: &Value) -> Layout {
    let texts = |name: &str| -> Vec<String> { serde_json::from_value(table[name].clone()).unwrap() };
    let columns = table["columns"].as_object().unwrap();
    Layout {
        table: table["table"].as_str().unwrap().to_owned(),
        key: texts("key"),
        partition_key: usize::try_from(table["partition_key"].as_u64().unwrap()).unwrap(),
        columns: columns
            .iter()
            .map(|(name, kind)| (name.clone(), kind.as_str().unwrap().to_owned()))
            .collect(),
        version: table.get("version").map(|version| {
            (version["column"].as_str().unwrap().to_owned(), version["unit_us"].as_i64().unwrap())
        }),
        clustering: vec![KeyOrder { kind: KeyType::Number, descending: false }],
        timestamps: table.get("timestamps").map(|_| texts("timestamps")).unwrap_or_default(),
    }
}

fn options(case: &Value) -> Options {
    let given = &case["options"];
    let us = |name: &str| given[name].as_i64().unwrap();
    let of_side = |name: &str| SideOptions {
        hosts: match &given["hosts"][name] {
            Value::String(_) => Hosts::Any,
            names => Hosts::These(serde_json::from_value(names.clone()).unwrap()),
        },
        partitions: i32::try_from(given["partitions"][name].as_i64().unwrap()).unwrap(),
    };
    Options {
        mode: serde_json::from_value::<Mode>(given["mode"].clone()).unwrap(),
        sides: Both { onprem: of_side("onprem"), cloud: of_side("cloud") },
        tolerance_us: us("tolerance_us"),
        grace_us: us("grace_us"),
        silence_us: us("silence_us"),
        retention_us: 86_400_000_000,
        max_rows: 1000,
        max_event_ids: 10_000,
        max_waiting: 10_000,
        old_is_incomparable: true,
        write_matches: true,
        clustering: layout(&case["table"]).clustering,
    }
}

/// What a machine says of a case; it is written down and taken up again after every so many records.
fn outputs(case: &Value, restart_every: usize) -> Vec<Output> {
    outputs_of(case, case["records"].as_array().unwrap().iter(), restart_every)
}

fn outputs_of<'c>(
    case: &'c Value,
    records: impl Iterator<Item = &'c Value>,
    restart_every: usize,
) -> Vec<Output> {
    let layout = layout(&case["table"]);
    let mut machine = Machine::new(options(case), State::default());
    let mut outputs = Vec::new();
    for (number, record) in records.enumerate() {
        let value = &record["value"];
        let read = Read {
            side: side(&record["side"]),
            topic: record["topic"].as_str().unwrap().to_owned(),
            partition: i32::try_from(record["partition"].as_i64().unwrap()).unwrap(),
            offset: 0,
            timestamp_ms: value["ts_ms"].as_i64().unwrap(),
        };
        let input = match record["topic"].as_str() {
            Some("control") => control(value, &layout.table, &read),
            Some("dead letters") => {
                let topic = format!("{}.cdc.{}", read.side.name(), layout.table);
                let key = record["key"].to_string();
                dead_letter(value, Some(key.as_bytes()), (&topic, &layout), &read).unwrap()
            }
            _ => change(value, &layout, &read).unwrap(),
        };
        machine.take(input.unwrap(), &mut outputs);
        if restart_every > 0 && number % restart_every == 0 {
            let saved = serde_json::to_vec(machine.state()).unwrap();
            machine = Machine::new(options(case), serde_json::from_slice(&saved).unwrap());
        }
    }
    outputs
}

/// Verdicts in a form that both sides can be sorted in.
fn told(outputs: &[Output]) -> Vec<String> {
    let verdict = |output: &Output| match output {
        Output::Verdict(verdict) => {
            let json = verdict.to_json("shop.orders");
            let columns = json["evidence"]["columns"].as_array().cloned().unwrap_or_default();
            Some(line(&json, json!(columns)))
        }
        Output::Current { .. } => None,
    };
    sorted(outputs.iter().filter_map(verdict))
}

fn line(verdict: &Value, columns: Value) -> String {
    let of = |name: &str| verdict[name].clone();
    json!([of("decided_us"), of("key"), of("version_us"), of("status"), columns]).to_string()
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn expected(case: &Value) -> Vec<String> {
    sorted(
        case["verdicts"].as_array().unwrap().iter().map(|verdict| line(verdict, verdict["columns"].clone())),
    )
}

/// What is wrong with the machine's verdicts of a case.
fn differs(case: &Value) -> Option<String> {
    let (outputs, expected) = (outputs(case, 0), expected(case));
    let said = told(&outputs);
    if said != expected {
        let missing: Vec<_> = expected.iter().filter(|line| !said.contains(line)).collect();
        let extra: Vec<_> = said.iter().filter(|line| !expected.contains(line)).collect();
        return Some(format!("{}\n  missing {missing:#?}\n  extra {extra:#?}", case["name"]));
    }
    if self::outputs(case, 7) != outputs {
        return Some(format!("{}: other outputs with restarts", case["name"]));
    }
    if in_order(&outputs_of(case, other_turns(case).into_iter(), 0)) != in_order(&outputs) {
        return Some(format!("{}: other outputs when topics take other turns", case["name"]));
    }
    current_differs(&outputs).map(|what| format!("{}: {what}", case["name"]))
}

/// The records of a case, those between two heartbeats in another order: each partition keeps its own.
fn other_turns(case: &Value) -> Vec<&Value> {
    let records = case["records"].as_array().unwrap();
    let place = |record: &&Value| {
        std::cmp::Reverse([&record["side"], &record["topic"], &record["partition"]].map(Value::to_string))
    };
    let is_beat = |record: &Value| record["value"]["op"] == "m";
    let mut turns = Vec::new();
    for stretch in records.chunk_by(|one, two| !is_beat(one) && !is_beat(two)) {
        let mut stretch: Vec<&Value> = stretch.iter().collect();
        stretch.sort_by_key(place);
        turns.extend(stretch);
    }
    turns
}

/// What is said, without regard to which row comes first.
fn in_order(outputs: &[Output]) -> Vec<String> {
    sorted(outputs.iter().map(|output| format!("{output:?}")))
}

/// The compacted topic must hold exactly the rows of which a verdict still holds, each with one that does.
fn current_differs(outputs: &[Output]) -> Option<String> {
    let (mut open, mut current) = (BTreeMap::<_, BTreeMap<_, _>>::new(), BTreeMap::new());
    for output in outputs {
        match output {
            Output::Verdict(verdict) => {
                let versions = open.entry(verdict.key.clone()).or_default();
                match verdict.status {
                    Status::Match => {}
                    Status::Resolved => _ = versions.remove(&verdict.version_us),
                    status => _ = versions.insert(verdict.version_us, status),
                }
            }
            Output::Current { key, verdict: Some(verdict) } => {
                current.insert(key.clone(), (verdict.version_us, verdict.status));
            }
            Output::Current { key, verdict: None } => _ = current.remove(key),
        }
    }
    open.retain(|_, versions| !versions.is_empty());
    let holds = |(key, (version, status)): (&_, &(_, _))| {
        open.get(key).is_some_and(|versions| versions.get(version) == Some(status))
    };
    let is_right = open.len() == current.len() && current.iter().all(holds);
    (!is_right).then(|| format!("open {open:?}, current {current:?}"))
}

fn check(cases: impl Iterator<Item = String>) -> usize {
    let (mut count, mut wrong) = (0, Vec::new());
    for case in cases {
        wrong.extend(differs(&serde_json::from_str(&case).unwrap()));
        count += 1;
    }
    let shown: Vec<&str> = wrong.iter().take(3).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), shown.join("\n"));
    count
}

#[test]
fn vectors() {
    let text = std::fs::read_to_string(folder().join("vectors.jsonl")).unwrap();
    assert_eq!(check(text.lines().map(str::to_owned)), 45);
}

/// The records of a case, one a line.
fn records(case: &Value) -> String {
    let line = |output: &Output| match output {
        Output::Verdict(verdict) => {
            format!("audit\t{}\t{}\n", verdict.record_key("shop.orders"), verdict.to_json("shop.orders"))
        }
        Output::Current { key, verdict } => {
            let key = key.as_ref().map(|key| serde_json::from_str::<Value>(key).unwrap());
            let key = json!({"table": "shop.orders", "key": key});
            let value = verdict.as_ref().map(|verdict| verdict.to_json("shop.orders"));
            format!("current\t{key}\t{}\n", value.unwrap_or_default())
        }
    };
    outputs(case, 0).iter().map(line).collect()
}

/// The operator on Flink writes the same bytes (HistoriesTest in flink/). `DRIFT_RECORDS=write` writes the file anew.
#[test]
fn bytes_of_records() {
    let text = std::fs::read_to_string(folder().join("vectors.jsonl")).unwrap();
    let digest = |line: &str| {
        let case: Value = serde_json::from_str(line).unwrap();
        let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(records(&case)));
        format!("{digest}  {}\n", case["name"].as_str().unwrap())
    };
    let digests: String = text.lines().map(digest).collect();
    let path = folder().join("records.sha256");
    if std::env::var_os("DRIFT_RECORDS").is_some() {
        std::fs::write(&path, &digests).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), digests);
}

/// Random histories beside the oracle; `DRIFT_HISTORIES=5000` asks for more of them.
#[test]
fn random_histories() {
    let count = std::env::var("DRIFT_HISTORIES").unwrap_or_else(|_| "200".to_owned());
    let mut oracle = Command::new("python3")
        .arg(folder().join("histories.py"))
        .args(["--seed", "1000", "--count", &count])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(oracle.stdout.take().unwrap()).lines();
    assert_eq!(check(lines.map(Result::unwrap)).to_string(), count);
    assert!(oracle.wait().unwrap().success());
}
