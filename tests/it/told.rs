//! What an agent says on the control topic of itself and of its node: once, whatever happens to it in between.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::segments;
use crate::support::{fixture, read};

/// The directories of an agent beside a node.
struct Place(tempfile::TempDir);

/// An agent that runs.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Stops it as an operator does.
    fn stop(mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < until, "not within two minutes: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Place {
    /// With the segments of a set and their indexes, as of a node that has dropped them.
    fn new(set: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("raw")).unwrap();
        for segment in segments(&fixture(set)) {
            let index = segment.to_str().unwrap().replace(".log", "_cdc.idx");
            for path in [segment, PathBuf::from(index)] {
                fs::copy(&path, place.path("raw").join(path.file_name().unwrap())).unwrap();
            }
        }
        fs::copy(fixture(set).join("schema.json"), place.path("schema.json")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn files(&self) -> Vec<PathBuf> {
        segments(&self.path("raw"))
    }

    /// Gives the segments the look of ones that are written still: a second name, and no index.
    fn reopen(&self) {
        fs::create_dir(self.path("commitlog")).unwrap();
        for segment in self.files() {
            fs::hard_link(&segment, self.path("commitlog").join(segment.file_name().unwrap())).unwrap();
            fs::remove_file(segment.to_str().unwrap().replace(".log", "_cdc.idx")).unwrap();
        }
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
        command.arg("run").arg("--cdc-raw").arg(self.path("raw")).arg("--state-dir").arg(self.path("state"));
        command.arg("--schema").arg(self.path("schema.json"));
        command.args(["--http=false", "--finished-segments", "keep"]).args(more);
        command
    }

    /// Runs an agent into the file log until `is_enough`, and stops it.
    fn run(&self, more: &[&str], what: &str, is_enough: impl Fn(&Self) -> bool) {
        let mut command = self.command(more);
        command.arg("--out").arg(self.path("log")).stderr(Stdio::null());
        let running = Running(command.spawn().unwrap());
        wait_until(what, || is_enough(self));
        running.stop();
    }

    /// The committed control records of a type.
    fn control(&self, kind: &str) -> Vec<Value> {
        let Ok(log) = cdc_agent::sink::FileLogReader::open(&self.path("log")) else { return Vec::new() };
        let topics: Vec<&str> = log.topics().filter(|name| name.ends_with("__control")).collect();
        let lines = topics.iter().flat_map(|topic| log.lines(topic, 0));
        let values = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["value"].take());
        values.filter(|value| value["type"] == kind).collect()
    }
}

/// What Cassandra's own reader found of truncations in a set: table id, and segment, offset and time in hex.
fn truncations(set: &str) -> Vec<(String, String)> {
    let text = String::from_utf8(read(&fixture(set).join("system-mutations.jsonl.gz"))).unwrap();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| line.contains("truncated_at")) {
        let line: Value = serde_json::from_str(line).unwrap();
        let cells = &line["updates"][0]["unfiltereds"][0]["columns"][0]["cells"];
        let text = |cell: &Value, key: &str| cell[key].as_str().unwrap().to_owned();
        found.extend(cells.as_array().unwrap().iter().map(|cell| (text(cell, "path"), text(cell, "value"))));
    }
    found
}

fn number(hex: &str) -> i64 {
    i64::from_str_radix(hex, 16).unwrap()
}

/// `TRUNCATE evolve.created` of the workload, on nodes of both lines, in segments that are final and in ones that grow.
#[test]
fn a_truncation_is_told_of_once() {
    for (set, is_growing) in
        [("4.1-none", false), ("4.1-none", true), ("5.0-none", false), ("5.0-none", true)]
    {
        let expected = truncations(set);
        assert_eq!(expected.len(), 1, "{set}");
        let (table, blob) = &expected[0];
        let place = Place::new(set);
        if is_growing {
            place.reopen();
        }
        place.run(&[], "truncate", |place| !place.control("truncate").is_empty());
        // What was committed is not told of again.
        place.run(&[], "a second start", |place| place.control("start").len() == 2);
        let told = place.control("truncate");
        assert_eq!(told.len(), 1, "{set}");
        let told = &told[0];
        assert_eq!(told["table_id"].as_str().unwrap().replace('-', ""), *table);
        assert_eq!((&told["keyspace"], &told["table"]), (&json!("evolve"), &json!("created")));
        assert_eq!(told["log_segment"], number(blob.get(..16).unwrap()).to_string());
        assert_eq!(told["log_offset"], number(blob.get(16..24).unwrap()));
        assert_eq!(told["truncated_at_ms"], number(blob.get(24..).unwrap()));
        let name = place.files()[0].file_name().unwrap().to_str().unwrap().to_owned();
        let segment = told["position"].as_str().unwrap().split(':').next().unwrap().to_owned();
        assert!(name.ends_with(&format!("-{segment}.log")), "{told} is in {name}");
    }
}

/// Nobody hears of tables that are not published.
#[test]
fn a_truncation_of_another_table_is_not_told_of() {
    let place = Place::new("4.1-none");
    place.run(&["--exclude-table", "evolve.created"], "done", |place| {
        !place.control("start").is_empty() && place.control("schema_change").len() > 3
    });
    assert_eq!(place.control("truncate"), [Value::Null; 0]);
}

#[test]
fn consumers_are_told_when_changes_are_delivered_in_another_way() {
    let place = Place::new("demo");
    let starts = |count: usize| move |place: &Place| place.control("start").len() == count;
    place.run(&[], "a start", starts(1));
    place.run(&[], "the same again", starts(2));
    assert_eq!(place.control("mode_change"), [Value::Null; 0]);
    place.run(&["--visibility", "synced"], "another visibility", starts(3));
    place.run(&["--visibility", "synced"], "the same again", starts(4));
    let before = json!({"delivery": "file log", "visibility": "marked", "ownership": "all"});
    let after = json!({"delivery": "file log", "visibility": "synced", "ownership": "all"});
    let told = place.control("mode_change");
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["before"], &told[0]["after"]), (&before, &after));
    assert!(place.control("start").iter().all(|start| start["delivery"] == "file log"));
    // The state of an agent that kept nothing of it.
    fs::remove_file(place.path("state/modes.json")).unwrap();
    place.run(&[], "after an upgrade", starts(5));
    assert_eq!(place.control("mode_change").len(), 1);
}

/// Flips a bit in the checksum of the descriptor.
fn damage(segment: &Path) {
    let mut bytes = fs::read(segment).unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
    bytes[14 + length] ^= 1;
    fs::write(segment, bytes).unwrap();
}

#[test]
fn a_damaged_segment_that_stays_is_told_of_once() {
    let place = Place::new("demo");
    let segment = place.files().remove(0);
    damage(&segment);
    place.run(&[], "damage", |place| place.control("damaged_segment").len() == 1);
    place.run(&[], "another start", |place| place.control("start").len() == 2);
    place.run(&[], "a third one", |place| place.control("start").len() == 3);
    assert_eq!(place.control("damaged_segment").len(), 1);
    // Another file of that name is looked at.
    damage(&segment);
    place.run(&[], "its events", |place| !place.control("start").is_empty() && has_events(place));
    assert_eq!(place.control("damaged_segment").len(), 1);
}

fn has_events(place: &Place) -> bool {
    let log = cdc_agent::sink::FileLogReader::open(&place.path("log")).unwrap();
    let topics: Vec<&str> = log.topics().filter(|topic| !topic.contains("__")).collect();
    let mut lines = topics.iter().flat_map(|topic| log.lines(topic, 0));
    lines.any(|line| !line.unwrap().contains("\"op\":\"m\""))
}

/// Brokers that are not there are waited for; a signal ends that at once.
#[cfg(feature = "kafka")]
#[test]
fn an_agent_waits_for_kafka_and_can_be_stopped_meanwhile() {
    use std::io::{BufRead, BufReader};

    let place = Place::new("demo");
    let mut command = place.command(&[
        "--out",
        "kafka",
        // Nobody listens there.
        "--bootstrap-servers",
        "127.0.0.1:1",
        "--host-id",
        "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47",
    ]);
    let mut running = Running(command.stderr(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
    let mut said = lines.map(|line| line.unwrap());
    let line = said.find(|line| line.contains("waiting for Kafka")).expect("it waits");
    assert!(line.contains("127.0.0.1:1"), "{line}");
    let status = crate::program::agent([
        "status".into(),
        "--json".into(),
        "--state-dir".into(),
        place.path("state").into_os_string(),
    ]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["phase"], "waiting_for_kafka", "{status}");
    let asked = Instant::now();
    running.stop();
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}
