//! Replays of a part of the log: what damage elsewhere has to do with them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::agent;
use crate::support::mutation_writer::{Deletion, Item, Row, Update, payload};
use crate::support::segment_writer::SegmentWriter;
use crate::support::table::Table;

fn table() -> Table {
    Table::new([["id", "partition_key", "int"], ["c", "clustering", "int"], ["v", "regular", "text"]])
}

fn delete(key: u8) -> Vec<u8> {
    let row = Row {
        clustering: vec![Some(vec![0, 0, 0, 1])],
        deletion: Some(Deletion(1, 1_700_000_000)),
        ..Row::default()
    };
    payload(&table(), &Update { key: vec![0, 0, 0, key], items: vec![Item::Row(row)], ..Update::default() })
}

/// Exit code, kinds of damage and number of records.
fn replay(folder: &Path, options: &[&str]) -> (Option<i32>, Vec<String>, u64) {
    let (schema, summary) = (folder.join("schema.json"), folder.join("summary.json"));
    fs::write(&schema, table().schema_file().to_string()).unwrap();
    let paths = [folder, &schema, &summary].map(|path| path.to_str().unwrap());
    let fixed = ["replay", paths[0], "--schema", paths[1], "--summary", paths[2], "--quiet"];
    let output = agent(fixed.into_iter().chain(options.iter().copied()));
    let summary: Value = serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap();
    let listed = summary["damage"]["listed"].as_array().unwrap();
    let kinds = listed.iter().map(|damage| damage["kind"].as_str().unwrap().to_owned());
    (output.status.code(), kinds.collect(), summary["records"].as_u64().unwrap())
}

/// Changed bytes, options, damage told of, mutations given out.
type Case<'c> = (&'c [usize], &'c [&'c str], &'c [&'c str], u64);

/// Entry 1, or 1 and 2, or the length of 1, of four mutations in the first section (behind 20 bytes of descriptor and 8
/// of marker) are damaged.
#[test]
fn damaged_mutations_outside_are_not_told_of() {
    let payloads: Vec<Vec<u8>> = (0..4).map(delete).collect();
    let frame = payloads[0].len() + 12;
    let checksum = "frame-checksum";
    let second = format!("7:{}:0", 28 + 4 * frame);
    let vectors: [Case<'_>; 11] = [
        (&[frame + 20], &[], &[checksum], 7),
        (&[frame + 20], &["--from", "7:20:2"], &[], 6),
        (&[frame + 20], &["--to", "7:20:1"], &[], 1),
        (&[frame + 20], &["--from", "7:20:1", "--to", "7:20:2"], &[checksum], 0),
        (&[frame + 20], &["--from", "8:20:0"], &[], 0),
        (&[frame + 20], &["--since", "2020-01-01T00:00:00Z"], &[checksum], 0),
        (&[frame + 20, 2 * frame + 20], &["--from", "7:20:2"], &[checksum], 5),
        (&[frame + 20, 2 * frame + 20], &["--from", "7:20:3"], &[], 5),
        // Behind it nothing of the section can be told apart.
        (&[frame + 5], &["--from", "7:20:3"], &["frame-length-checksum"], 4),
        (&[frame + 5], &["--to", "7:20:1"], &[], 1),
        (&[frame + 5], &["--from", &second], &[], 4),
    ];
    for (changed, options, expected, given_out) in vectors {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = SegmentWriter::new(7, false);
        writer.section(&payloads);
        writer.section(&payloads);
        let name = writer.name();
        let mut bytes = writer.finish();
        changed.iter().for_each(|at| bytes[28 + at] ^= 1);
        fs::write(dir.path().join(name), bytes).unwrap();
        let exit = if expected.is_empty() { 0 } else { 3 };
        let expected: Vec<String> = expected.iter().map(|kind| (*kind).to_owned()).collect();
        assert_eq!(replay(dir.path(), options), (Some(exit), expected, given_out), "{changed:?} {options:?}");
    }
}

#[test]
fn damaged_sections_and_heads_outside_are_not_told_of() {
    let payloads: Vec<Vec<u8>> = (0..4).map(delete).collect();
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SegmentWriter::new(7, true);
    writer.section(&payloads);
    let name = writer.name();
    let first = writer.finish();
    let mut writer = SegmentWriter::new(7, true);
    writer.section(&payloads);
    writer.section(&payloads);
    let mut bytes = writer.finish();
    let (marker, second) = (first.len() - (bytes.len() - first.len()), first.len());
    bytes[marker + 12..marker + 20].fill(0xff);
    fs::write(dir.path().join(name), &bytes).unwrap();
    let (from, to) = (format!("7:{second}:0"), format!("7:{marker}:0"));
    assert_eq!(replay(dir.path(), &[]), (Some(3), vec!["section-body".to_owned()], 4));
    assert_eq!(replay(dir.path(), &["--from", &from]), (Some(0), Vec::new(), 4));
    assert_eq!(replay(dir.path(), &["--to", &to]), (Some(0), Vec::new(), 0));
    assert_eq!(replay(dir.path(), &["--to", &from]), (Some(3), vec!["section-body".to_owned()], 0));

    // A segment before it whose descriptor is damaged.
    let mut head = first;
    head[11] = 6;
    fs::write(dir.path().join("CommitLog-7-6.log"), head).unwrap();
    assert_eq!(replay(dir.path(), &["--from", &from]).0, Some(0));
    assert_eq!(replay(dir.path(), &["--from", "6:0:0", "--to", &to]).0, Some(3));
}
