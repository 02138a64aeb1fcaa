//! State and file logs that earlier versions left (`cdc_fixtures/state-<version>`, made by `cdc_fixtures/state.py`): this
//! version goes on from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cdc_agent::sink::FileLogReader;
use serde_json::Value;

use crate::program::{agent, fixtures, stderr};

/// The segment of which the earlier agent saw the first part.
const SEGMENT: &str = "4.1-none";

#[test]
fn an_agent_goes_on_from_what_each_earlier_version_left() {
    let mut versions = 0;
    for entry in fixtures().read_dir().unwrap() {
        let left = entry.unwrap().path();
        if left.file_name().unwrap().to_str().unwrap().starts_with("state-") {
            goes_on_from(&left);
            versions += 1;
        }
    }
    assert!(versions > 0);
}

fn goes_on_from(left: &Path) {
    let place = tempfile::tempdir().unwrap();
    copy(left, place.path());
    let before = records(place.path());
    let expected = tempfile::tempdir().unwrap();
    for folder in [place.path(), expected.path()] {
        publish_all(folder);
    }
    let after = records(place.path());
    assert_eq!(events(&after), events(&records(expected.path())), "{}", left.display());
    for (topic, lines) in &before {
        assert!(lines.len() > 1, "{topic} has not begun: nothing is tested");
        assert!(after[topic].starts_with(lines), "{}: {topic} is not continued", left.display());
    }
    assert!(after.values().map(Vec::len).sum::<usize>() > before.values().map(Vec::len).sum());
    // What was parked came with the schema.
    let simple = "local.cdc.rows.simple";
    assert!(!before.contains_key(simple) && after[simple].len() > 12, "{}", left.display());
}

/// Runs this version on the whole segment, with the whole schema.
fn publish_all(folder: &Path) {
    let raw = folder.join("raw");
    fs::create_dir(&raw).unwrap();
    for entry in fixtures().join(SEGMENT).read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("CommitLog-") {
            fs::copy(&path, raw.join(name)).unwrap();
        }
    }
    let schema = fixtures().join(SEGMENT).join("schema.json");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let output = agent([
        "run".to_owned(),
        "--cdc-raw".to_owned(),
        text(&raw),
        "--state-dir".to_owned(),
        text(&folder.join("state")),
        "--out".to_owned(),
        text(&folder.join("log")),
        "--schema".to_owned(),
        text(&schema),
        "--keyspace=rows".to_owned(),
        "--keyspace=colls".to_owned(),
        "--http=false".to_owned(),
        "--finished-segments=keep".to_owned(),
        "--until-empty".to_owned(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// Topic → values of the records of changes, in order.
fn records(folder: &Path) -> BTreeMap<String, Vec<Value>> {
    let log = FileLogReader::open(&folder.join("log")).unwrap();
    let topics = log.topics().filter(|topic| !topic.contains("__"));
    let values = |topic: &str| {
        let lines = log.lines(topic, 0).map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        lines.map(|mut line| line["value"].take()).filter(|value| value["op"] != "m").collect()
    };
    topics.map(|topic| (topic.to_owned(), values(topic))).collect()
}

/// Topic → places and content identities, sorted: parked mutations come later than others.
fn events(records: &BTreeMap<String, Vec<Value>>) -> BTreeMap<&str, Vec<String>> {
    let event = |value: &Value| {
        let source = &value["source"];
        format!("{}:{}:{} {}", source["pos"], source["entry"], source["row"], value["event_id"])
    };
    let sorted = |values: &Vec<Value>| {
        let mut events: Vec<String> = values.iter().map(event).collect();
        events.sort();
        events
    };
    records.iter().map(|(topic, values)| (topic.as_str(), sorted(values))).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}
