//! Sections that are longer than a unit of work: several threads share them, and nothing shows it.

use std::path::Path;

use serde_json::Value;

use crate::program::{agent, json_lines, stderr};
use crate::support::mutation_writer::{ColumnData, Item, Row, Update, payload};
use crate::support::segment_writer::SegmentWriter;
use crate::support::table::Table;

const TS: i64 = 1_700_000_000_000_000;
/// A unit is half a MiB: a section of so many mutations has several.
const MUTATIONS: u32 = 5_000;

fn table() -> Table {
    Table::new([["p", "partition_key", "int"], ["c", "clustering", "int"], ["v", "regular", "blob"]])
}

/// An INSERT with this number as its key.
fn insert(number: u32) -> Vec<u8> {
    let row = Row {
        clustering: vec![Some(vec![0, 0, 0, 1])],
        liveness: Some((TS, None)),
        columns: vec![ColumnData::live("v", TS, &[7; 300])],
        ..Row::default()
    };
    let key = number.to_be_bytes().to_vec();
    payload(&table(), &Update { key, items: vec![Item::Row(row)], ..Update::default() })
}

/// Two segments of two sections.
fn write_segments(dir: &Path, is_lz4: bool) {
    std::fs::write(dir.join("schema.json"), table().schema_file().to_string()).unwrap();
    for segment in 0..2 {
        let mut writer = SegmentWriter::new(i64::from(segment) + 1, is_lz4);
        for section in 0..2 {
            let first = (segment * 2 + section) * MUTATIONS;
            writer.section((first..first + MUTATIONS).map(insert));
        }
        std::fs::write(dir.join(writer.name()), writer.finish()).unwrap();
    }
}

fn replay(dir: &Path, jobs: &str) -> (Option<i32>, Vec<Value>, Value) {
    let summary = dir.join("summary.json");
    let arguments = ["replay".as_ref(), dir.as_os_str(), "--schema".as_ref()];
    let output = agent(arguments.into_iter().chain([
        dir.join("schema.json").as_os_str(),
        "--summary".as_ref(),
        summary.as_os_str(),
        "--quiet".as_ref(),
        "--jobs".as_ref(),
        jobs.as_ref(),
    ]));
    let summary = std::fs::read(&summary).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    (output.status.code(), json_lines(&output), serde_json::from_slice(&summary).unwrap())
}

/// Partition key, place and `pos` of every record.
fn places(records: &[Value]) -> Vec<(u64, String)> {
    let place = |source: &Value| format!("{}:{}:{}", source["file"], source["pos"], source["entry"]);
    records
        .iter()
        .map(|record| (record["key"]["p"].as_u64().unwrap(), place(&record["value"]["source"])))
        .collect()
}

#[test]
fn threads_share_sections_and_keep_the_order() {
    for is_lz4 in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        write_segments(dir.path(), is_lz4);
        let (code, records, summary) = replay(dir.path(), "1");
        assert_eq!(code, Some(0));
        let alone = places(&records);
        assert!(alone.iter().map(|(number, _)| *number).eq(0..u64::from(4 * MUTATIONS)));
        assert_eq!((&summary["sections"], &summary["mutations"]), (&4.into(), &(4 * MUTATIONS).into()));
        let bytes = dir.path().read_dir().unwrap().map(|entry| entry.unwrap());
        let logs = bytes.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "log"));
        assert_eq!(summary["bytes"], logs.map(|log| log.metadata().unwrap().len()).sum::<u64>());
        let (_, records, several) = replay(dir.path(), "4");
        assert!(places(&records) == alone, "jobs change the records");
        assert_eq!(several["bytes"], summary["bytes"]);
    }
}

/// Frames with a wrong checksum in the middle of a unit, and at its ends.
#[test]
fn damaged_frames_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    write_segments(dir.path(), false);
    let frame = insert(0).len() + 12;
    // A unit ends behind the frame that fills it.
    let in_unit = (512_usize << 10).div_ceil(frame);
    let damaged = [0, 1, 700, in_unit - 1, in_unit, in_unit + 1, MUTATIONS as usize - 1];
    let path = dir.path().join("CommitLog-7-1.log");
    let mut bytes = std::fs::read(&path).unwrap();
    for number in damaged {
        bytes[20 + 8 + number * frame + 100] ^= 1;
    }
    std::fs::write(&path, bytes).unwrap();
    for jobs in ["1", "3"] {
        let (code, records, summary) = replay(dir.path(), jobs);
        assert_eq!(code, Some(3));
        let is_whole = |number: &u64| !damaged.iter().any(|damaged| *damaged as u64 == *number);
        let expected = (0..u64::from(4 * MUTATIONS)).filter(is_whole);
        assert!(places(&records).iter().map(|(number, _)| *number).eq(expected));
        let entry = |record: &Value| record["value"]["source"]["entry"].as_u64();
        assert_eq!(entry(&records[0]), Some(2), "damaged frames count as entries");
        assert_eq!(summary["damage"]["count"], damaged.len());
        assert_eq!(summary["damage"]["listed"][3]["kind"], "frame-checksum");
        assert_eq!(summary["lost"]["mutations"], damaged.len());
        assert_eq!(summary["lost"]["bytes"], damaged.len() * frame);
    }
}
