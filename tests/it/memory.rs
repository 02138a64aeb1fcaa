//! `replay` keeps within its memory, on input that tries to make it take more.
//!
//! The limit is set with `ulimit -d`, so that a run which needs more fails, every time. The system counts private
//! writable memory by it, touched or not, stacks of threads included: rather more than `RssAnon`, which
//! `tests/bench/replay.py` measures.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::stderr;
use crate::support::mutation_writer::{ColumnData, Item, Row, Update, payload};
use crate::support::segment_writer::SegmentWriter;
use crate::support::table::Table;

const MIB: usize = 1 << 20;
/// What `replay` may take, beyond one decompressed section.
const MOST_BYTES: usize = 64 * MIB;
const TS: i64 = 1_700_000_000_000_000;

struct Case {
    dir: TempDir,
    segments: PathBuf,
}

impl Case {
    /// A folder with the schema of [`table`].
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let id = Table::id();
        let cql = format!(
            "CREATE TABLE shop.t (p blob, c int, v blob, PRIMARY KEY (p, c)) WITH ID = {id} AND cdc = true;"
        );
        std::fs::write(dir.path().join("schema.cql"), cql).unwrap();
        let segments = dir.path().join("cdc_raw");
        std::fs::create_dir(&segments).unwrap();
        Self { dir, segments }
    }

    fn add(&self, writer: SegmentWriter) -> PathBuf {
        let path = self.segments.join(writer.name());
        std::fs::write(&path, writer.finish()).unwrap();
        // What was written just now is not mapped.
        let before = SystemTime::now() - Duration::from_secs(60);
        File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
        path
    }

    /// Replays with so much memory, and gives the summary.
    fn replay(&self, most_bytes: usize, options: &[&str]) -> (Output, Value) {
        let summary = self.dir.path().join("summary.json");
        let output = Command::new("sh")
            .args(["-c", "ulimit -d \"$1\" && shift && exec \"$@\"", "sh"])
            .arg((most_bytes / 1024).to_string())
            .arg(env!("CARGO_BIN_EXE_cdc-agent"))
            .arg("replay")
            .arg(&self.segments)
            .arg("--schema")
            .arg(self.dir.path().join("schema.cql"))
            .arg("--summary")
            .arg(&summary)
            .args(["--quiet", "--allow-unknown"])
            .args(options)
            .output()
            .unwrap();
        let text = std::fs::read_to_string(&summary);
        let text = text.unwrap_or_else(|_| panic!("{options:?}: {:?} {}", output.status, stderr(&output)));
        (output, serde_json::from_str(&text).unwrap())
    }
}

fn table() -> Table {
    Table::new([["p", "partition_key", "blob"], ["c", "clustering", "int"], ["v", "regular", "blob"]])
}

/// An INSERT of a value of `length` bytes that does not compress well.
fn insert(number: u32, length: usize) -> Vec<u8> {
    let mut state = number;
    let value: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect();
    let row = Row {
        clustering: vec![Some(number.to_be_bytes().to_vec())],
        liveness: Some((TS, None)),
        columns: vec![ColumnData::live("v", TS, &value)],
        ..Row::default()
    };
    payload(&table(), &Update { key: b"key".to_vec(), items: vec![Item::Row(row)], ..Update::default() })
}

fn out(case: &Case, jobs: &str) -> String {
    path_text(&case.dir.path().join(format!("out-{jobs}")))
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn one_restored_section_at_a_time_when_they_are_large() {
    let case = Case::new();
    let section = 28 * MIB;
    let mut writer = SegmentWriter::new(1, true);
    for part in 0..3 {
        writer.section((0..28 * 128).map(|number| insert(part * 10_000 + number, 8 << 10)));
    }
    case.add(writer);
    for jobs in ["1", "3"] {
        let out = out(&case, jobs);
        let (output, summary) = case.replay(MOST_BYTES + section, &["--jobs", jobs, "--out", &out]);
        assert_eq!(output.status.code(), Some(0), "{} {summary}", stderr(&output));
        assert_eq!(summary["records"], 3 * 28 * 128);
    }
}

#[test]
fn many_workers_share_the_memory_for_records() {
    let case = Case::new();
    for id in 1..=3 {
        let mut writer = SegmentWriter::new(id, false);
        writer.section((0..15_000).map(|number| insert(number, 40)));
        writer.section((0..300).map(|number| insert(number, 20 << 10)));
        case.add(writer);
    }
    for options in [["--jobs", "3", "--dry-run"], ["--jobs", "100", "--quiet"]] {
        let out = out(&case, options[1]);
        let mut options = options.to_vec();
        if options[2] == "--quiet" {
            options.truncate(2);
            options.extend(["--out", &out]);
        }
        let (output, summary) = case.replay(MOST_BYTES, &options);
        assert_eq!(output.status.code(), Some(0), "{} {summary}", stderr(&output));
        assert_eq!(summary["records"], 3 * 15_300);
    }
}

/// Segments that Cassandra still holds are copied into memory; to find the schema of an unknown table all that
/// are left are looked at.
#[test]
fn one_copied_segment_at_a_time() {
    let case = Case::new();
    for id in 1..=4 {
        let mut unknown = insert(0, 100);
        unknown[1] ^= 1;
        let mut writer = SegmentWriter::new(id, false);
        writer.section([unknown]);
        writer.section((0..24 * 16).map(|number| insert(number, 64 << 10)));
        let path = case.add(writer);
        std::fs::hard_link(&path, case.dir.path().join(id.to_string())).unwrap();
    }
    for jobs in ["1", "3"] {
        let (output, summary) = case.replay(MOST_BYTES, &["--jobs", jobs, "--dry-run"]);
        assert_eq!(output.status.code(), Some(0), "{} {summary}", stderr(&output));
        assert_eq!(summary["parked"]["count"], 4, "{summary}");
        assert_eq!(summary["records"], 4 * 24 * 16);
    }
}

/// A section that declares far more than it should is refused before memory is taken for it.
#[test]
fn a_section_of_gigabytes_is_refused() {
    let case = Case::new();
    let mut writer = SegmentWriter::new(1, true);
    let mut body = 0x7fff_ffff_u32.to_be_bytes().to_vec();
    body.extend(0x7fff_ffff_u32.to_le_bytes());
    body.extend(std::iter::repeat_n(0xff, 9 * MIB));
    writer.body(&body);
    writer.section([insert(1, 10)]);
    case.add(writer);
    let (output, summary) = case.replay(MOST_BYTES, &["--dry-run"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(summary["damage"]["listed"][0]["kind"], "section-too-large");
    assert_eq!(summary["records"], 1);
}

/// A mutation of rows of three bytes.
fn many_rows(rows: usize) -> Vec<u8> {
    let mut bytes = payload(&table(), &Update { key: b"key".to_vec(), ..Update::default() });
    bytes.pop();
    for _ in 0..rows {
        // A timestamp and all columns, of which this update has none; an empty clustering value.
        bytes.extend([0x24, 0x01, 0x00]);
    }
    bytes.push(0x01);
    bytes
}

/// A mutation of rows of three bytes: decoded it is forty times as large, and its records three hundred times.
#[test]
fn a_large_mutation_is_worked_off_in_parts() {
    let case = Case::new();
    let rows = 150_000;
    let large = many_rows(rows);
    let mut writer = SegmentWriter::new(1, false);
    writer.section([insert(1, 10), large, insert(2, 10)]);
    case.add(writer);
    for jobs in ["1", "3"] {
        let out = out(&case, jobs);
        let (output, summary) = case.replay(MOST_BYTES, &["--jobs", jobs, "--out", &out]);
        assert_eq!(output.status.code(), Some(0), "{} {summary}", stderr(&output));
        assert_eq!(summary["events"]["shop.t"]["c"], rows + 2);
        assert_eq!(summary["records"], rows + 2);
    }
}

/// It waits as a whole behind a parked mutation of its partition, and counts as one.
#[test]
fn a_large_mutation_waits_as_one() {
    let case = Case::new();
    let mut unfit = insert(1, 10);
    unfit.pop();
    let mut writer = SegmentWriter::new(1, false);
    writer.section([insert(1, 10), unfit, many_rows(20_000)]);
    case.add(writer);
    let out = out(&case, "1");
    for _ in 0..2 {
        let (output, summary) = case.replay(MOST_BYTES, &["--out", &out]);
        assert_eq!(output.status.code(), Some(5), "{} {summary}", stderr(&output));
        assert_eq!(summary["parked"]["count"], 2, "{summary}");
        let parked: Vec<&Value> = summary["parked"]["listed"].as_array().unwrap().iter().collect();
        assert_eq!((&parked[0]["position"], &parked[1]["position"]), (&"1:20:1".into(), &"1:20:2".into()));
    }
    let lines = std::fs::read_to_string(
        Path::new(&out).join("local.cdc.shop.t").join("0").join("00000000000000000000.jsonl"),
    );
    assert_eq!(lines.unwrap().lines().count(), 1);
}

/// Several of them in one run of mutations wait one by one, each as a whole.
#[test]
fn large_mutations_that_follow_each_other_wait_one_by_one() {
    let case = Case::new();
    let mut unfit = insert(1, 10);
    unfit.pop();
    let mut writer = SegmentWriter::new(1, false);
    writer.section([insert(1, 10), unfit, many_rows(20_000), many_rows(20_001), insert(2, 10)]);
    case.add(writer);
    let out = out(&case, "1");
    let (output, summary) = case.replay(MOST_BYTES, &["--out", &out]);
    assert_eq!(output.status.code(), Some(5), "{} {summary}", stderr(&output));
    assert_eq!(summary["mutations"], 5, "{summary}");
    assert_eq!(summary["with_events"], 1, "{summary}");
    assert_eq!(summary["parked"]["count"], 4, "{summary}");
    let parked = summary["parked"]["listed"].as_array().unwrap().iter();
    let places: Vec<&Value> = parked.map(|parked| &parked["position"]).collect();
    assert_eq!(places, ["1:20:1", "1:20:2", "1:20:3", "1:20:4"]);
}
