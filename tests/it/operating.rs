//! The operator's commands, beside an agent that runs and in place of one that does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{agent, fixtures, json_lines, stderr, stdout};

mod awkward;
mod told;

/// A table of the segment that the agent is not told of, and its id.
const HIDDEN: (&str, &str) = ("accept_two", "a6x");

/// An agent's directories.
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
    /// Has it read its options anew.
    fn reload(&self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// Stops it as an operator does.
    fn stop(mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (from, raw) = (fixtures().join("4.1-acceptance"), dir.path().join("raw"));
        fs::create_dir(&raw).unwrap();
        for entry in from.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with("CommitLog-") {
                fs::copy(&path, raw.join(name)).unwrap();
            }
        }
        let mut rows: Value = serde_json::from_slice(&fs::read(from.join("schema.json")).unwrap()).unwrap();
        for kind in ["tables", "columns"] {
            let is_hidden = |row: &Value| {
                (&row["keyspace_name"], &row["table_name"]) == (&HIDDEN.0.into(), &HIDDEN.1.into())
            };
            rows[kind].as_array_mut().unwrap().retain(|row| !is_hidden(row));
        }
        fs::write(dir.path().join("schema.json"), rows.to_string()).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What every command is told: file and directories.
    fn options(&self) -> [String; 6] {
        let text = |name| self.path(name).to_str().unwrap().to_owned();
        ["--cdc-raw".into(), text("raw"), "--state-dir".into(), text("state"), "--out".into(), text("log")]
    }

    fn run(&self) -> Running {
        self.run_with(&[])
    }

    /// One with more options.
    fn run_with(&self, more: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
        command.arg("run").args(self.options()).arg("--schema").arg(self.path("schema.json")).args(more);
        command.args(["--http=false", "--finished-segments", "keep"]);
        let running = Running(command.stderr(Stdio::null()).spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(60);
        while self.status()["commits"]["events"].as_u64().is_none_or(|events| events == 0) {
            assert!(Instant::now() < until, "the agent has published nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// An agent that ends when everything is published.
    fn until_empty(&self, schema: &Path) -> Output {
        let schema = schema.to_str().unwrap();
        self.command(&["run", "--until-empty", "--http=false", "--schema", schema])
    }

    fn status(&self) -> Value {
        let output = agent(["status", "--json", "--state-dir", self.path("state").to_str().unwrap()]);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Until status ends with this code.
    fn wait_for_status(&self, wanted: i32) {
        let until = Instant::now() + Duration::from_secs(60);
        while code(&self.ask(&["status"])) != wanted {
            assert!(Instant::now() < until, "{}", stdout(&self.ask(&["status"])));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A command with all options.
    fn command(&self, words: &[&str]) -> Output {
        agent(words.iter().map(|word| (*word).to_owned()).chain(self.options()))
    }

    /// A command that only asks the agent.
    fn ask(&self, words: &[&str]) -> Output {
        agent(words.iter().chain(&["--state-dir", self.path("state").to_str().unwrap()]))
    }

    fn parked(&self) -> Vec<Value> {
        json_lines(&self.command(&["parked", "list", "--json"]))
    }

    fn checkpoint(&self) -> Value {
        json_lines(&self.command(&["checkpoint", "show", "--json"])).remove(0)["checkpoint"].take()
    }

    /// Values of the committed records of all topics whose names end so, in order.
    fn records(&self, topic: &str) -> Vec<Value> {
        let log = cdc_agent::sink::FileLogReader::open(&self.path("log")).unwrap();
        let topics: Vec<&str> = log.topics().filter(|name| name.contains(topic)).collect();
        let lines = topics.iter().flat_map(|topic| log.lines(topic, 0));
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }

    fn control(&self, kind: &str) -> Vec<Value> {
        let all = self.records("__control").into_iter().map(|mut line| line["value"].take());
        all.filter(|value| value["type"] == kind).collect()
    }

    fn event_ids(&self) -> Vec<String> {
        let records = self.records("local.cdc.accept");
        records
            .iter()
            .filter(|line| line["value"]["op"] != "m")
            .map(|line| line["headers"]["event_id"].to_string())
            .collect()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn place_of(item: &Value) -> &str {
    item["place"].as_str().unwrap()
}

#[test]
fn parked_mutations_are_listed_tried_again_and_given_up() {
    let place = Place::new();
    let running = place.run();
    let status = place.ask(&["status"]);
    assert_eq!(code(&status), 0, "{}", stderr(&status));
    assert!(stdout(&status).contains("2 parked mutations"), "{}", stdout(&status));
    let parked = place.parked();
    let id = parked[0]["table_id"].as_str().unwrap().to_owned();
    assert_eq!(parked.len(), 2);
    assert!(parked.iter().all(|item| item["reason"].as_str().unwrap().contains("not in the schema")));
    assert!(
        parked
            .iter()
            .all(|item| item["partitions"].as_array().unwrap().len() == 1 && item["since"].is_string())
    );
    assert_eq!(code(&place.ask(&["parked", "retry"])), 5);
    // Without --yes nothing is changed.
    let dry = place.ask(&["parked", "skip", place_of(&parked[0])]);
    assert!(code(&dry) == 0 && stdout(&dry).contains("nothing was changed"), "{}", stdout(&dry));
    assert_eq!(place.parked().len(), 2);
    assert_eq!(code(&place.ask(&["parked", "skip", place_of(&parked[0]), "--yes"])), 0);
    assert_eq!(place.parked().len(), 1);
    assert_eq!(code(&place.ask(&["parked", "skip", "--table", &id, "--yes"])), 0);
    assert!(place.parked().is_empty());
    assert_eq!(
        code(&place.ask(&["parked", "skip", place_of(&parked[0]), "--yes"])),
        6,
        "nothing is parked there"
    );
    let ledger = place.status()["ledger_counts"]["lost"]["entries"].as_u64();
    assert_eq!(ledger, Some(2));
    // It runs, and has nothing to read.
    fs::rename(place.path("raw"), place.path("away")).unwrap();
    place.wait_for_status(4);
    fs::rename(place.path("away"), place.path("raw")).unwrap();
    place.wait_for_status(0);
    running.stop();
    let told = place.control("given_up");
    let told: Vec<&str> = told.iter().map(|value| value["position"].as_str().unwrap()).collect();
    assert_eq!(told, parked.iter().map(place_of).collect::<Vec<_>>());
    let alone = place.ask(&["parked", "retry"]);
    assert!(code(&alone) == 6 && stderr(&alone).contains("no running agent"), "{}", stderr(&alone));
    assert_eq!(code(&place.ask(&["status", "--http-address", "127.0.0.1:1"])), 6);
}

#[test]
fn what_comes_again_after_going_back_has_the_same_ids() {
    let place = Place::new();
    let running = place.run();
    let held = place.command(&["checkpoint", "rewind", "--to", "1795366505458:0:0", "--yes"]);
    assert_eq!(code(&held), 7, "{}", stderr(&held));
    running.stop();
    let (before, checkpoint) = (place.event_ids(), place.checkpoint());
    for (wrong, word) in [("1795366505458:84:0", "begins at"), ("1795366505459:20:0", "not in cdc_raw")] {
        let refused = place.command(&["checkpoint", "rewind", "--to", wrong, "--yes"]);
        assert!(code(&refused) == 2 && stderr(&refused).contains(word), "{}", stderr(&refused));
    }
    let dry = place.command(&["checkpoint", "rewind", "--to", "1795366505458:0:0"]);
    assert!(code(&dry) == 0 && stdout(&dry).contains("nothing was changed"), "{}", stdout(&dry));
    assert_eq!(place.checkpoint(), checkpoint);
    assert_eq!(code(&place.command(&["checkpoint", "rewind", "--to", "1795366505458:0:0", "--yes"])), 0);
    assert_eq!(place.control("rewind")[0]["to"], "1795366505458:0:0");
    assert_eq!(place.checkpoint()["open"]["1795366505458"]["at"], "1795366505458:0:0");
    assert!(place.parked().is_empty());
    place.run().stop();
    let mut twice = before.clone();
    twice.extend(before);
    let mut after = place.event_ids();
    twice.sort();
    after.sort();
    assert_eq!(after, twice);
    assert_eq!(place.parked().len(), 2);
}

#[test]
fn a_segment_that_is_accepted_as_lost_does_not_come() {
    let place = Place::new();
    place.run().stop();
    let nothing = place.command(&["checkpoint", "accept-loss", "--segment", "17", "--yes"]);
    assert!(code(&nothing) == 2 && stderr(&nothing).contains("neither"), "{}", stderr(&nothing));
    assert_eq!(place.parked().len(), 2);
    // Cassandra still has it under a name of its own, and has not completed it.
    let (log, index) = ("CommitLog-7-1795366505458.log", "CommitLog-7-1795366505458_cdc.idx");
    fs::hard_link(place.path("raw").join(log), place.path(log)).unwrap();
    fs::rename(place.path("raw").join(index), place.path(index)).unwrap();
    let grows = place.command(&["checkpoint", "accept-loss", "--segment", "1795366505458", "--yes"]);
    assert!(code(&grows) == 2 && stderr(&grows).contains("still write"), "{}", stderr(&grows));
    fs::rename(place.path(index), place.path("raw").join(index)).unwrap();
    let words = ["checkpoint", "accept-loss", "--segment", "1795366505458"];
    let dry = place.command(&words);
    assert!(stdout(&dry).contains("2 parked mutations") && stdout(&dry).contains("nothing was changed"));
    assert_eq!(place.parked().len(), 2);
    assert_eq!(code(&place.command(&[&words[..], &["--yes"]].concat())), 0);
    assert!(place.parked().is_empty());
    assert_eq!(place.control("given_up").len(), 2);
    assert_eq!(place.control("gap")[0]["is_loss"], true);
    let again = place.command(&[&words[..], &["--yes"]].concat());
    assert!(code(&again) == 2 && stderr(&again).contains("nothing in it waits"), "{}", stderr(&again));
    assert!(!Path::new(&place.path("state").join("agent.sock")).exists());
}

/// Nothing that waits is taken for published when a node is taken out of service.
#[test]
fn an_agent_that_is_to_publish_everything_says_what_waits() {
    let place = Place::new();
    let waits = place.until_empty(&place.path("schema.json"));
    assert_eq!(code(&waits), 5, "{}", stderr(&waits));
    let parked = place.parked();
    let said = format!("2 mutations are parked, the first one at {}", place_of(&parked[0]));
    assert!(stderr(&waits).contains(&said), "{}", stderr(&waits));
    assert!(stderr(&waits).contains("cdc-agent parked list"), "{}", stderr(&waits));
    assert!(
        !stderr(&waits).contains("everything is published\n") || stderr(&waits).contains("not everything")
    );
    let done = place.until_empty(&fixtures().join("4.1-acceptance/schema.json"));
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    assert!(stderr(&done).contains("everything is published"), "{}", stderr(&done));
    assert_eq!(place.path("raw").read_dir().unwrap().count(), 0);
}

#[test]
fn a_segment_that_is_gone_with_what_is_parked_in_it_is_told_of_until_it_is_accepted() {
    let place = Place::new();
    assert_eq!(code(&place.until_empty(&place.path("schema.json"))), 5);
    let places: Vec<String> = place.parked().iter().map(|item| place_of(item).to_owned()).collect();
    let index = place.path("raw").join("CommitLog-7-1795366505458_cdc.idx");
    fs::rename(place.path("raw").join("CommitLog-7-1795366505458.log"), place.path("away")).unwrap();
    for _ in 0..2 {
        let gone = place.until_empty(&place.path("schema.json"));
        assert_eq!(code(&gone), 3, "{}", stderr(&gone));
        assert!(stderr(&gone).contains("checkpoint accept-loss --segment"), "{}", stderr(&gone));
        assert!(stderr(&gone).contains("2 mutations are parked"), "{}", stderr(&gone));
        assert!(index.exists(), "it is what proves the loss");
    }
    let gap = &place.control("gap")[0];
    assert_eq!(
        (&gap["first"], &gap["is_loss"], &gap["parked"]),
        (&"1795366505458".into(), &true.into(), &2.into())
    );
    assert_eq!(gap["parked_places"], Value::from(places));
    let words = ["checkpoint", "accept-loss", "--segment", "1795366505458", "--yes"];
    assert_eq!(code(&place.command(&words)), 0);
    assert!(place.parked().is_empty());
    let done = place.until_empty(&place.path("schema.json"));
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    assert!(!index.exists());
    assert_eq!(place.control("given_up").len(), 2);
}

#[test]
fn a_damaged_segment_is_not_published_and_not_deleted() {
    let place = Place::new();
    let log = place.path("raw").join("CommitLog-7-1795366505458.log");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        let damaged = place.until_empty(&fixtures().join("4.1-acceptance/schema.json"));
        assert_eq!(code(&damaged), 3, "{}", stderr(&damaged));
        assert!(stderr(&damaged).contains("cdc-agent verify"), "{}", stderr(&damaged));
        assert!(log.exists(), "{}", stderr(&damaged));
        told.push(place.control("damage").len());
    }
    assert!(told[0] > 0 && told[0] == told[1], "it is told of once: {told:?}");
    let words = ["checkpoint", "accept-loss", "--segment", "1795366505458", "--yes"];
    assert_eq!(code(&place.command(&words)), 0);
    let accepted = place.until_empty(&fixtures().join("4.1-acceptance/schema.json"));
    assert_eq!(code(&accepted), 0, "{}", stderr(&accepted));
    assert!(!log.exists());
}

/// An id that is used again says nothing of what is in the segment.
#[test]
fn another_segment_with_the_id_of_one_that_was_read_is_told_of() {
    let place = Place::new();
    place.run().stop();
    let before = place.event_ids().len();
    let log = place.path("raw").join("CommitLog-7-1795366505458.log");
    let mut bytes = fs::read(&log).unwrap();
    // In the first section.
    bytes[120] ^= 1;
    fs::remove_file(&log).unwrap();
    fs::write(&log, bytes).unwrap();
    let other = place.until_empty(&place.path("schema.json"));
    assert_eq!(code(&other), 3, "{}", stderr(&other));
    assert!(stderr(&other).contains("checkpoint rewind --to 1795366505458:0:0"), "{}", stderr(&other));
    assert!(log.exists(), "it is not deleted either");
    let gap = &place.control("gap")[0];
    assert!(gap["evidence"].as_str().unwrap().starts_with("another segment with this id"), "{gap}");
    assert_eq!(place.event_ids().len(), before);
}

#[test]
fn a_reload_takes_over_what_may_change_and_refuses_what_is_wrong() {
    let place = Place::new();
    let (config, log) = (place.path("agent.toml"), place.path("agent.log"));
    fs::write(&config, "undecodable = \"park\"\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    command.arg("run").args(place.options()).arg("--schema").arg(place.path("schema.json"));
    command.args(["--http=false", "--finished-segments", "keep", "--config"]).arg(&config);
    let running = Running(command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap());
    let said = |word: &str| fs::read_to_string(&log).unwrap().contains(word);
    let wait_for = |word: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while !said(word) {
            assert!(Instant::now() < until, "{word}: {}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let reload = |text: &str| {
        fs::write(&config, text).unwrap();
        running.reload();
    };
    wait_for("parked: ");
    reload("late_after = 5\n");
    wait_for("not taken over");
    // With the flag that keeps finished segments, no agent would start again.
    reload("spool_directory = \"spool\"\nlate_after_s = 6\n");
    wait_for("what is kept would fill the spool");
    reload("late_after_s = 5\ntopic_prefix = \"other\"\nlog_format = \"json\"\n");
    wait_for("need a restart: topic_prefix");
    assert!(said("changed: late_after_s, log_format") && said("{\"ts\":"));
    assert_eq!(place.parked().len(), 2, "it goes on where it was");
    let before = place.event_ids().len();
    running.stop();
    assert_eq!(place.event_ids().len(), before);
}

#[test]
fn a_reload_begins_and_ends_heartbeats() {
    let place = Place::new();
    // All tables: what is parked keeps watermarks back.
    fs::copy(fixtures().join("4.1-acceptance/schema.json"), place.path("schema.json")).unwrap();
    let config = place.path("agent.toml");
    let every_ms = |ms: u32| fs::write(&config, format!("heartbeat_interval_ms = {ms}\n")).unwrap();
    every_ms(0);
    let running = place.run_with(&["--config", config.to_str().unwrap()]);
    let heartbeats =
        || place.records("local.cdc.accept").iter().filter(|line| line["value"]["op"] == "m").count();
    let wait_until = |is_so: &dyn Fn() -> bool, what: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < until, "{what}");
        }
    };
    // Ten times as long as they take to come once they are asked for.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(heartbeats(), 0);
    let grows = || {
        let before = heartbeats();
        std::thread::sleep(Duration::from_millis(500));
        heartbeats() > before
    };
    every_ms(100);
    running.reload();
    wait_until(&grows, "there are no heartbeats");
    every_ms(0);
    running.reload();
    wait_until(&|| !grows(), "heartbeats do not end");
    running.stop();
}

#[test]
fn the_bytes_of_published_records_are_counted() {
    let place = Place::new();
    let _running = place.run();
    let log = || cdc_agent::sink::FileLogReader::open(&place.path("log")).unwrap();
    // Bytes of key and value of every change in the log, without heartbeats.
    let in_log = || {
        let log = log();
        let topics: Vec<&str> = log.topics().filter(|name| name.contains("local.cdc.accept")).collect();
        let lines = topics.iter().flat_map(|topic| log.lines(topic, 0)).map(Result::unwrap);
        let lengths = lines.filter(|line| !line.contains(r#""op":"m""#)).map(|line| {
            let key = line.find(r#""key":"#).unwrap() + 6;
            let value = line.find(r#","value":"#).unwrap();
            let headers = line.rfind(r#","headers":"#).unwrap();
            (value - key + headers - value - 9) as u64
        });
        let lengths: Vec<u64> = lengths.collect();
        (lengths.len() as u64, lengths.iter().sum::<u64>())
    };
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let commits = place.status()["commits"].take();
        let counted =
            [&commits["records"], &commits["bytes"]].map(|count| count.as_u64().unwrap_or_default());
        let (records, bytes) = in_log();
        if counted[0] == records && records > 0 {
            assert_eq!(counted[1], bytes);
            return;
        }
        assert!(Instant::now() < until, "{counted:?}, and {records} in the log");
        std::thread::sleep(Duration::from_millis(50));
    }
}
