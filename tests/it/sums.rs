//! The sums of a replay's summary: each mutation is counted once, each event and record too.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::program::{agent, fixtures, json_lines, segments, stderr};
use crate::support::mutation_writer::{Row, Update, payload};
use crate::support::segment_writer::{SegmentWriter, write_segment};
use crate::undecodable::{delete, of_other, schema_file, table, write};

/// A folder with segments and a schema.
struct Log {
    dir: tempfile::TempDir,
    schema: PathBuf,
}

/// The sum of a number, or of all numbers of an object.
fn sum(value: &Value) -> u64 {
    match value {
        Value::Object(fields) => fields.values().map(sum).sum(),
        number => number.as_u64().unwrap_or_else(|| panic!("{number}")),
    }
}

impl Log {
    /// The segments of a fixture, in which `damage` was done to the first.
    fn of(fixture: &str, damage: impl Fn(&mut [u8])) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (number, segment) in segments(&fixtures().join(fixture)).into_iter().enumerate() {
            let mut bytes = fs::read(&segment).unwrap();
            if number == 0 {
                damage(&mut bytes);
            }
            fs::write(dir.path().join(segment.file_name().unwrap()), bytes).unwrap();
        }
        Self { schema: fixtures().join(fixture).join("schema.json"), dir }
    }

    fn segments(&self) -> Vec<PathBuf> {
        segments(self.dir.path())
    }

    /// Runs a replay into a file log; exit code and summary.
    fn run(&self, out: &Path, schema: &Path, options: &[&str]) -> (Option<i32>, Value) {
        let summary = self.dir.path().join("summary.json");
        let _ = fs::remove_file(&summary);
        let paths = [self.dir.path(), schema, &summary, out].map(|path| path.to_str().unwrap());
        let fixed =
            ["replay", paths[0], "--schema", paths[1], "--summary", paths[2], "--out", paths[3], "--quiet"];
        let output = agent(fixed.into_iter().chain(options.iter().copied()));
        let text = fs::read(&summary).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (output.status.code(), serde_json::from_slice(&text).unwrap())
    }

    /// Replays with one thread and with two, checks the sums, and gives the summary.
    fn check(&self, schema: &Path, options: &[&str]) -> Value {
        let run = |jobs| {
            let out = tempfile::tempdir().unwrap();
            let options = [options, &["--jobs", jobs]].concat();
            let (_, mut summary) = self.run(out.path(), schema, &options);
            let said = format!("{} {options:?}: {summary:#}", self.dir.path().display());
            check_sums(&summary, &said);
            check_records(&summary, out.path(), &said);
            let read: u64 = self.segments().iter().map(|segment| frames(segment)).sum();
            assert_eq!(summary["mutations"], read, "{said}");
            summary["seconds"] = Value::Null;
            summary
        };
        let alone = run("1");
        assert_eq!(run("2"), alone);
        alone
    }
}

/// What `docs/commands.md` says of the fields.
fn check_sums(summary: &Value, said: &str) {
    let mutations = sum(&summary["with_events"])
        + sum(&summary["skipped"])
        + sum(&summary["parked"]["count"])
        + sum(&summary["undecodable"]);
    assert_eq!(summary["mutations"], mutations, "{said}");
    assert_eq!(summary["records"], sum(&summary["events"]) + sum(&summary["tombstones"]), "{said}");
    assert!(sum(&summary["with_events"]) <= sum(&summary["events"]), "{said}");
    let given_up = sum(&summary["given_up"]["count"]);
    assert!(given_up <= sum(&summary["undecodable"]), "{said}");
    assert!(sum(&summary["undecodable"]) <= sum(&summary["lost"]["mutations"]), "{said}");
    assert_eq!((&summary["failed"], &summary["uncommitted_records"]), (&json!(false), &json!(0)), "{said}");
}

/// The file log holds the events that are counted, by table and operation, and the tombstones.
fn check_records(summary: &Value, out: &Path, said: &str) {
    let mut tombstones = 0;
    let mut found = json!({});
    for topic in out.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in topic.join("0").read_dir().unwrap() {
            for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
                let value = serde_json::from_str::<Value>(line).unwrap()["value"].take();
                if value.is_null() {
                    tombstones += 1;
                    continue;
                }
                let text = |field: &Value| field.as_str().unwrap().to_owned();
                let source = &value["source"];
                let table = format!("{}.{}", text(&source["keyspace"]), text(&source["table"]));
                let count = &mut found[table][text(&value["op"])];
                *count = json!(count.as_u64().unwrap_or(0) + 1);
            }
        }
    }
    assert_eq!(summary["tombstones"], tombstones, "{said}");
    assert_eq!(summary["events"], found, "{said}");
}

/// The mutations with right checksums in a segment.
fn frames(segment: &Path) -> u64 {
    let lines = json_lines(&agent(["inspect", "--json", segment.to_str().unwrap()]));
    lines.iter().filter(|line| line["type"] == "end").map(|end| sum(&end["mutations"])).sum()
}

fn intact(_: &mut [u8]) {}

/// Bytes are changed all over the file.
fn damaged(bytes: &mut [u8]) {
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    (1..6).for_each(|part| bytes[used * part / 6] ^= 0x41);
}

/// Where the second and the last third of the mutations begin, behind the first event of a mutation.
fn thirds(log: &Log) -> [String; 2] {
    let lines = json_lines(&agent(["inspect", "--json", log.segments()[0].to_str().unwrap()]));
    let mutations: Vec<&Value> = lines.iter().filter(|line| line["type"] == "mutation").collect();
    [1, 2].map(|third| {
        let position = mutations[mutations.len() * third / 3]["position"].as_str().unwrap();
        format!("{position}:1")
    })
}

#[test]
fn each_mutation_event_and_record_is_counted_once() {
    for (fixture, damage) in [
        ("4.1-none", intact as fn(&mut [u8])),
        ("4.1-none", damaged),
        ("5.0-v8-lz4", intact),
        ("5.0-v8-lz4", damaged),
    ] {
        let log = Log::of(fixture, damage);
        let all = log.check(&log.schema, &[]);
        assert!(sum(&all["with_events"]) > 100 && sum(&all["skipped"]) > 10, "{all:#}");
        let tombstones = log.check(&log.schema, &["--tombstones-on-delete"]);
        assert!(sum(&tombstones["tombstones"]) > 5, "{tombstones:#}");
        assert_eq!(tombstones["events"], all["events"]);
        let one = log.check(&log.schema, &["--table", "rows.simple"]);
        assert!(sum(&one["skipped"]["unwanted_table"]) > 100, "{one:#}");
        let [from, to] = thirds(&log);
        let part = log.check(&log.schema, &["--from", &from, "--to", &to]);
        assert!(sum(&part["skipped"]["outside_range"]) > 100, "{part:#}");
        assert!(0 < sum(&part["events"]) && sum(&part["events"]) < sum(&all["events"]), "{part:#}");
        let late = log.check(&log.schema, &["--since", "2100-01-01T00:00:00Z"]);
        let left_out = sum(&late["events_left_out"]["outside_time"]);
        assert_eq!(sum(&late["events"]) + left_out, sum(&all["events"]), "{late:#}");
        assert!(left_out > 100 && sum(&late["skipped"]["outside_time"]) > 100, "{late:#}");

        let mut poor: Value = serde_json::from_slice(&fs::read(&log.schema).unwrap()).unwrap();
        for kind in ["tables", "columns"] {
            poor[kind].as_array_mut().unwrap().retain(|row| row["table_name"] != "simple");
        }
        for row in poor["columns"].as_array_mut().unwrap() {
            if row["type"] == "text" && row["kind"] == "regular" {
                row["type"] = json!("int");
            }
        }
        let path = log.dir.path().join("poor.json");
        fs::write(&path, poor.to_string()).unwrap();
        let parked = log.check(&path, &[]);
        assert!(sum(&parked["parked"]["count"]) > 20, "{parked:#}");
        let given_up = log.check(&path, &["--undecodable", "ledger", "--unknown-table", "ledger"]);
        assert!(sum(&given_up["skipped"]["unknown_table"]) > 5, "{given_up:#}");
        assert!(sum(&given_up["undecodable"]) > 20, "{given_up:#}");
        assert_eq!(given_up["parked"]["count"], 0, "{given_up:#}");
    }
}

/// `shop.t` and `shop.other`.
fn shop(payloads: &[&[Vec<u8>]]) -> Log {
    let dir = tempfile::tempdir().unwrap();
    for (id, payloads) in (7..).zip(payloads) {
        write_segment(dir.path(), id, &[*payloads]);
    }
    let schema = dir.path().join("schema.json");
    fs::write(&schema, schema_file(&table("text"))).unwrap();
    Log { dir, schema }
}

#[test]
fn a_mutation_without_an_event_is_counted() {
    let empty = payload(&table("text"), &Update { key: vec![0, 0, 0, 1], ..Update::default() });
    let static_row = Update { key: vec![0, 0, 0, 1], static_row: Some(Row::default()), ..Update::default() };
    let log = shop(&[&[empty, payload(&table("text"), &static_row), delete(1), of_other(delete(1))]]);
    let summary = log.check(&log.schema, &["--table", "shop.t"]);
    assert_eq!(summary["mutations"], 4, "{summary:#}");
    assert_eq!(summary["with_events"], 1, "{summary:#}");
    assert_eq!(summary["skipped"], json!({"no_event": 2, "unwanted_table": 1}), "{summary:#}");
}

#[test]
fn what_waits_behind_a_parked_mutation_is_parked() {
    let log = shop(&[&[write(1, b"ab"), delete(1), delete(2)], &[delete(1)]]);
    let wrong = log.dir.path().join("wrong.json");
    fs::write(&wrong, schema_file(&table("uuid"))).unwrap();
    let summary = log.check(&wrong, &["--tombstones-on-delete"]);
    let counts = ["mutations", "with_events", "records", "tombstones"].map(|field| sum(&summary[field]));
    assert_eq!((counts, sum(&summary["parked"]["count"])), ([4, 1, 2, 1], 3), "{summary:#}");
}

/// Once more, after the first replay parked: mutations that are tried again are counted, what was done is not.
#[test]
fn a_resumed_replay_counts_what_it_did() {
    let log = shop(&[&[write(1, b"ab"), delete(1), delete(2)], &[delete(1)]]);
    let wrong = log.dir.path().join("wrong.json");
    fs::write(&wrong, schema_file(&table("uuid"))).unwrap();
    let out = log.dir.path().join("out");
    assert_eq!(log.run(&out, &wrong, &[]).0, Some(5));
    let (code, summary) = log.run(&out, &log.schema, &[]);
    check_sums(&summary, &summary.to_string());
    let counts = ["mutations", "with_events", "records"].map(|field| sum(&summary[field]));
    assert_eq!((code, counts), (Some(0), [3, 3, 3]), "{summary:#}");
}

/// What was handed over is not counted when it was not committed.
#[test]
fn a_failed_replay_counts_what_is_committed() {
    let mut unknown = delete(1);
    unknown[16] = 9;
    let log = shop(&[&[delete(1), delete(2), delete(3)], &[delete(4), unknown]]);
    for jobs in ["1", "2"] {
        let out = log.dir.path().join(format!("out-{jobs}"));
        let (code, summary) = log.run(&out, &log.schema, &["--unknown-table", "block", "--jobs", jobs]);
        assert_eq!((code, &summary["failed"]), (Some(5), &json!(true)), "{summary:#}");
        let committed = fs::read(out.join("commit.json"))
            .map_or(json!({}), |commit| serde_json::from_slice::<Value>(&commit).unwrap()["topics"].take());
        let offset =
            |topic: &Value| topic["0"].as_array().and_then(|files| Some(sum(&files.last()?["next_offset"])));
        let committed: u64 = committed.as_object().unwrap().values().filter_map(offset).sum();
        assert_eq!(
            (&summary["records"], sum(&summary["events"])),
            (&json!(committed), committed),
            "{summary:#}"
        );
        let handed_over = committed + sum(&summary["uncommitted_records"]);
        // A thread that fails stops the one that writes.
        let least = if jobs == "1" { 3 } else { 0 };
        assert!((least..=3).contains(&handed_over), "{summary:#}");
    }
}

/// A section that cannot be restored is one. Behind a wrong marker nobody knows how many there are: only the bytes
/// count.
#[test]
fn a_loss_is_counted_as_verify_counts_it() {
    let segment = |sections: u8| {
        let mut writer = SegmentWriter::new(7, true);
        (0..sections).for_each(|key| writer.section([delete(key)]));
        writer.finish()
    };
    let starts: Vec<usize> = (0..4).map(|before| segment(before).len()).collect();
    let mut bytes = segment(4);
    bytes[starts[1] + 4] ^= 1; // the checksum of a marker
    bytes[starts[2] + 12] ^= 1; // the plain length of an LZ4 block
    let log = shop(&[]);
    fs::write(log.dir.path().join("CommitLog-7-7.log"), bytes).unwrap();

    let lines = json_lines(&agent(["verify", "--json", log.segments()[0].to_str().unwrap()]));
    let verified = ["sections_lost", "lost_bytes", "lost_mutations"].map(|field| sum(&lines[0][field]));
    let (code, summary) = log.run(&log.dir.path().join("out"), &log.schema, &[]);
    let replayed = ["sections", "bytes", "mutations"].map(|field| sum(&summary["lost"][field]));
    let bytes = (starts[3] - starts[1]) as u64;
    assert_eq!((verified, replayed, code), ([1, bytes, 0], [1, bytes, 0], Some(3)), "{summary:#}");
}
