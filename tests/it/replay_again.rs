//! Replays into a file log that already holds a part: of a segment that has grown, or with a better schema.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{agent, fixtures, json_lines, segments, stderr};
use crate::support::mutation_writer::{Deletion, Item, Row, Update, payload};
use crate::support::segment_writer::{SegmentWriter, write_segment};
use crate::support::table::Table;

/// Runs `replay`, and gives the exit code.
fn replay(segment: &Path, schema: &Path, out: &Path, options: &[&str]) -> Option<i32> {
    let mut arguments = vec!["replay".as_ref(), segment.as_os_str(), "--schema".as_ref(), schema.as_os_str()];
    arguments.extend(["--quiet".as_ref(), "--out".as_ref(), out.as_os_str()]);
    arguments.extend(options.iter().map(std::ffi::OsStr::new));
    agent(arguments).status.code()
}

/// Topic → event ids in order, as the file log has them.
fn event_ids(log: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for topic in log.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(lines) = fs::read_to_string(topic.join("0").join("00000000000000000000.jsonl")) else {
            continue;
        };
        let id = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["headers"]["event_id"].as_str().unwrap().to_owned()
        };
        let topic = topic.file_name().unwrap().to_str().unwrap().to_owned();
        found.insert(topic, lines.lines().map(id).collect());
    }
    found
}

/// The first segment of a fixture in a folder of its own, without its index.
struct Copied {
    dir: TempDir,
    /// In the fixture.
    segment: PathBuf,
    schema: PathBuf,
    /// In `dir`.
    copy: PathBuf,
    bytes: Vec<u8>,
}

impl Copied {
    fn new(fixture: &str) -> Self {
        let folder = fixtures().join(fixture);
        let (segment, dir) = (segments(&folder).remove(0), tempfile::tempdir().unwrap());
        let (copy, bytes) = (dir.path().join(segment.file_name().unwrap()), fs::read(&segment).unwrap());
        fs::write(&copy, &bytes).unwrap();
        Self { dir, segment, schema: folder.join("schema.json"), copy, bytes }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn add_index(&self) {
        fs::copy(index(&self.segment), index(&self.copy)).unwrap();
    }
}

/// The index that stands beside a segment.
fn index(segment: &Path) -> PathBuf {
    segment.to_str().unwrap().replace(".log", "_cdc.idx").into()
}

/// Replays the segment cut, then whole, into one log; each must give what one replay of the whole gives.
fn grows(fixture: &str, schema: &str, is_held: bool) {
    let schema = fixtures().join(fixture).join(schema);
    let copied = Copied::new(fixture);
    let (copy, bytes) = (&copied.copy, &copied.bytes);
    if is_held {
        fs::hard_link(copy, copied.path("held")).unwrap();
    }
    replay(copy, &schema, &copied.path("whole"), &[]);
    let expected = event_ids(&copied.path("whole"));
    assert!(expected.values().map(Vec::len).sum::<usize>() > 100);
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    for cut in (1..6).map(|part| used * part / 6 + part) {
        let out = copied.path(&format!("out-{cut}"));
        for length in [cut, bytes.len()] {
            // Written in place: the link count stays.
            fs::write(copy, &bytes[..length]).unwrap();
            replay(copy, &schema, &out, &[]);
        }
        assert_eq!(event_ids(&out), expected, "{fixture} cut at {cut}");
    }
}

#[test]
fn a_segment_that_was_cut_inside_a_section_is_gone_on_with_there() {
    grows("5.0-v8-direct", "schema.json", true);
    grows("4.1-lz4", "schema.json", true);
}

#[test]
fn a_copy_of_a_growing_segment_is_not_taken_for_final() {
    grows("5.0-v8-direct", "schema.json", false);
}

#[test]
fn schema_changes_before_the_place_to_go_on_from_are_followed() {
    grows("4.1-lz4", "schema-before.json", true);
}

/// Replays a file that was cut at `cut` and filled with zeros up to `length`, then the whole one, with a completed
/// index beside it, into one log: the first says that something is missing, and the second gives it.
fn is_made_good(cut: usize, length: Option<usize>) {
    let copied = Copied::new("4.1-lz4");
    copied.add_index();
    let Copied { schema, copy, bytes, .. } = &copied;
    let (whole, out) = (copied.path("whole"), copied.path("out"));
    assert_eq!(replay(copy, schema, &whole, &[]), Some(0));
    let mut cut_bytes = bytes[..cut].to_vec();
    cut_bytes.resize(length.unwrap_or(cut), 0);
    fs::write(copy, &cut_bytes).unwrap();
    assert_eq!(replay(copy, schema, &out, &[]), Some(3), "cut at {cut}, {length:?} bytes");
    fs::write(copy, bytes).unwrap();
    assert_eq!(replay(copy, schema, &out, &[]), Some(0), "cut at {cut}, {length:?} bytes");
    assert_eq!(event_ids(&out), event_ids(&whole), "cut at {cut}, {length:?} bytes");
}

#[test]
fn a_copy_that_ends_before_its_completed_index_is_not_done() {
    let whole = Copied::new("4.1-lz4").bytes.len();
    // At a section boundary, and inside a section: by itself, and in a file of the whole length.
    for cut in [11_669, 11_900] {
        is_made_good(cut, None);
        is_made_good(cut, Some(whole));
    }
}

#[test]
fn a_segment_that_is_completed_after_it_was_read_is_done() {
    let copied = Copied::new("4.1-lz4");
    let out = copied.path("out");
    let is_done = || {
        let commit: Value = serde_json::from_slice(&fs::read(out.join("commit.json")).unwrap()).unwrap();
        commit.to_string().contains("\"done\":{\"")
    };
    replay(&copied.copy, &copied.schema, &out, &[]);
    assert!(!is_done());
    let events = event_ids(&out);
    copied.add_index();
    assert_eq!(replay(&copied.copy, &copied.schema, &out, &[]), Some(0));
    assert!(is_done());
    assert_eq!(event_ids(&out), events);
}

/// The schema of a fixture without a table.
fn without(schema: &Path, keyspace: &str, table: &str) -> String {
    let mut rows: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    for kind in ["tables", "columns"] {
        let of_table = |row: &Value| row["keyspace_name"] == keyspace && row["table_name"] == table;
        rows[kind].as_array_mut().unwrap().retain(|row| !of_table(row));
    }
    rows.to_string()
}

#[test]
fn parked_mutations_are_delivered_once_with_a_better_schema() {
    let folder = fixtures().join("4.1-none");
    let (segment, schema) = (segments(&folder).remove(0), folder.join("schema.json"));
    let dir = tempfile::tempdir().unwrap();
    let (whole, out, poor) = (dir.path().join("whole"), dir.path().join("out"), dir.path().join("poor.json"));
    fs::write(&poor, without(&schema, "rows", "simple")).unwrap();
    assert_eq!(replay(&segment, &schema, &whole, &[]), Some(0));
    let expected = event_ids(&whole);
    for jobs in ["1", "3"] {
        let _ = fs::remove_dir_all(&out);
        assert_eq!(replay(&segment, &poor, &out, &["--jobs", jobs]), Some(5));
        // Only the unknown table waits: partitions of other tables with the same key bytes do not.
        let mut but_one = expected.clone();
        let simple = but_one.remove("local.cdc.rows.simple").unwrap();
        assert_eq!(event_ids(&out), but_one);
        for _ in 0..2 {
            assert_eq!(replay(&segment, &schema, &out, &["--jobs", jobs]), Some(0));
            assert_eq!(event_ids(&out), expected);
        }
        let lines =
            fs::read_to_string(out.join("local.cdc.rows.simple/0/00000000000000000000.jsonl")).unwrap();
        assert_eq!(lines.matches("\"late\":true").count(), simple.len());
    }
}

#[test]
fn a_segment_given_twice_is_read_once_and_another_one_of_its_id_is_refused() {
    let copied = Copied::new("demo");
    let Copied { segment, schema, copy, .. } = &copied;
    let arguments = |paths: [&Path; 2]| {
        let options = ["--schema", schema.to_str().unwrap(), "--quiet"].map(str::to_owned);
        let paths = paths.map(|path| path.to_str().unwrap().to_owned());
        ["replay".to_owned()].into_iter().chain(paths).chain(options).collect::<Vec<_>>()
    };
    let twice = agent(arguments([segment, copy]));
    assert_eq!(twice.status.code(), Some(0), "{}", stderr(&twice));
    let once = json_lines(&agent(arguments([segment, segment]))).len();
    assert_eq!((json_lines(&twice).len(), once), (13, 13));
    // Another segment with the same id: its first section differs.
    let other = copied.path("other.log");
    let mut bytes = copied.bytes.clone();
    bytes[100] ^= 1;
    fs::write(&other, bytes).unwrap();
    let clash = agent(arguments([segment, &other]));
    assert_eq!(clash.status.code(), Some(2), "{}", stderr(&clash));
}

#[test]
fn a_file_log_is_continued_with_the_partitions_that_it_has() {
    let copied = Copied::new("demo");
    let Copied { copy, schema, .. } = &copied;
    let out = copied.path("out");
    for options in [&["--partitions", "3"][..], &[], &["--partitions", "3"]] {
        assert_eq!(replay(copy, schema, &out, options), Some(0));
    }
    let other = ["replay", copy.to_str().unwrap(), "--schema", schema.to_str().unwrap(), "--quiet"];
    let other = agent(other.into_iter().chain(["--partitions", "2", "--out", out.to_str().unwrap()]));
    assert_eq!(other.status.code(), Some(2));
    assert!(stderr(&other).contains("has 3 partitions a topic, and 2 were asked for"), "{}", stderr(&other));
    assert_eq!(replay(copy, schema, &copied.path("none"), &["--partitions", "65536"]), Some(2));
}

#[test]
fn a_prefix_that_kafka_does_not_take_is_wrong_usage() {
    let copied = Copied::new("demo");
    let out = copied.path("out");
    for prefix in ["a b", "", "a/b", &"x".repeat(239)] {
        assert_eq!(replay(&copied.copy, &copied.schema, &out, &["--prefix", prefix]), Some(2), "{prefix}");
        assert!(!out.exists(), "{prefix}");
    }
}

/// A folder with a segment of `shop.t` that is not complete yet, its schema and a file log.
struct Growing {
    dir: TempDir,
    segment: PathBuf,
}

impl Growing {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("schema.json"), table().schema_file().to_string()).unwrap();
        let segment = dir.path().join("CommitLog-7-7.log");
        Self { dir, segment }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    /// Writes the segment: a section for each list, with a delete for each key.
    fn write(&self, sections: &[&[u8]]) {
        let table = table();
        let delete = |key: &u8| {
            let row = Row {
                clustering: vec![Some(vec![0, 0, 0, 1])],
                deletion: Some(Deletion(i64::from(*key), 1_700_000_000)),
                ..Row::default()
            };
            let items = vec![Item::Row(row)];
            payload(&table, &Update { key: vec![0, 0, 0, *key], items, ..Update::default() })
        };
        let mut writer = SegmentWriter::new(7, false);
        sections.iter().for_each(|keys| writer.section(keys.iter().map(delete)));
        fs::write(&self.segment, writer.finish()).unwrap();
    }

    fn replay(&self, options: &[&str]) -> Option<i32> {
        replay(&self.segment, &self.dir.path().join("schema.json"), &self.out(), options)
    }
}

fn table() -> Table {
    Table::new([["id", "partition_key", "int"], ["c", "clustering", "int"], ["v", "regular", "text"]])
}

#[test]
fn another_segment_with_the_id_of_a_partly_done_one_is_refused() {
    let growing = Growing::new();
    growing.write(&[&[1, 2]]);
    assert_eq!(growing.replay(&[]), Some(0));
    let before = event_ids(&growing.out());
    growing.write(&[&[1, 3], &[4]]);
    for options in [&[][..], &["--again"]] {
        assert_eq!(growing.replay(options), Some(2));
        assert_eq!(event_ids(&growing.out()), before);
    }
    growing.write(&[&[1, 2], &[4]]);
    assert_eq!(growing.replay(&[]), Some(0));
    assert_eq!(event_ids(&growing.out())["local.cdc.shop.t"].len(), 3);
}

/// `commit.json` as it was before open segments had fingerprints.
#[test]
fn a_file_log_with_a_checkpoint_of_version_1_is_continued() {
    let growing = Growing::new();
    growing.write(&[&[1, 2]]);
    assert_eq!(growing.replay(&[]), Some(0));
    let commit = growing.out().join("commit.json");
    let mut stored: Value = serde_json::from_slice(&fs::read(&commit).unwrap()).unwrap();
    let reached = stored["checkpoint"]["open"]["7"]["at"].clone();
    stored["checkpoint"] =
        json!({"version": 1, "generation": 2, "open": {"7": reached}, "done": {}, "parked": []});
    stored.as_object_mut().unwrap().remove("crc32");
    fs::write(&commit, stored.to_string()).unwrap();
    growing.write(&[&[1, 2], &[4]]);
    assert_eq!(growing.replay(&[]), Some(0));
    assert_eq!(event_ids(&growing.out())["local.cdc.shop.t"].len(), 3);
    let stored: Value = serde_json::from_slice(&fs::read(&commit).unwrap()).unwrap();
    assert_eq!(stored["checkpoint"]["version"], 4);
    assert_eq!(stored["checkpoint"]["scope"]["profile"], "flat", "it has the scope of this replay");
    assert_eq!(stored["checkpoint"]["open"]["7"]["fingerprint"].as_str().unwrap().len(), 32);
}

/// A commit syncs every topic that got a record: small segments share one.
#[test]
fn small_segments_are_committed_together() {
    let dir = tempfile::tempdir().unwrap();
    let table =
        Table::new([["id", "partition_key", "int"], ["c", "clustering", "int"], ["v", "regular", "int"]]);
    let schema = dir.path().join("schema.json");
    fs::write(&schema, table.schema_file().to_string()).unwrap();
    let raw = dir.path().join("cdc_raw");
    fs::create_dir(&raw).unwrap();
    for id in 1..=40 {
        let row = Row {
            clustering: vec![Some(vec![0, 0, 0, 1])],
            liveness: Some((1_700_000_000_000_000, None)),
            ..Row::default()
        };
        let update = Update { key: vec![0, 0, 0, 1], items: vec![Item::Row(row)], ..Update::default() };
        write_segment(&raw, id, &[&[payload(&table, &update)]]);
    }
    let out = dir.path().join("out");
    assert_eq!(replay(&raw, &schema, &out, &[]), Some(0));
    assert_eq!(event_ids(&out).values().map(Vec::len).sum::<usize>(), 40);
    let commit: Value = serde_json::from_slice(&fs::read(out.join("commit.json")).unwrap()).unwrap();
    assert_eq!(commit["checkpoint"]["done"].as_object().unwrap().len(), 40);
    let commits = commit["checkpoint"]["generation"].as_u64().unwrap();
    assert!((1..20).contains(&commits), "{commits} commits of 40 segments with a record each");
}
