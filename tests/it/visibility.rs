//! What records say of whether they are on disk: by the index beside the segment.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{agent, fixtures, json_lines, segment, stderr};
use crate::support::mutation_writer::{Deletion, Item, Row, Update, payload};
use crate::support::segment_writer::SegmentWriter;
use crate::support::table::Table;
use crate::support::{fixture, segments};

fn table() -> Table {
    Table::new([["id", "partition_key", "int"], ["c", "clustering", "int"], ["v", "regular", "text"]])
}

fn delete(key: u8) -> Vec<u8> {
    let deletion = Some(Deletion(1, 1_700_000_000));
    let row = Row { clustering: vec![Some(vec![0, 0, 0, 1])], deletion, ..Row::default() };
    payload(&table(), &Update { key: vec![0, 0, 0, key], items: vec![Item::Row(row)], ..Update::default() })
}

/// `visibility` of every record, in order.
fn replay(segment: &Path, schema: &Path, options: &[&str]) -> Vec<String> {
    let paths = [segment, schema].map(|path| path.to_str().unwrap());
    let fixed = ["replay", paths[0], "--schema", paths[1], "--quiet"];
    let output = agent(fixed.into_iter().chain(options.iter().copied()));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let visibility = |line: &Value| {
        let value = &line["value"];
        value["source"]["visibility"].as_str().unwrap().to_owned()
    };
    json_lines(&output).iter().map(visibility).collect()
}

/// Two sections of two mutations. The offset counts plain bytes and eight for a marker, in compressed segments too.
#[test]
fn what_ends_before_the_offset_of_the_index_is_synced() {
    let frame = delete(1).len() + 12;
    for is_lz4 in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = SegmentWriter::new(7, is_lz4);
        let segment = dir.path().join(writer.name());
        let head = SegmentWriter::new(7, is_lz4).finish().len();
        writer.section([delete(1), delete(2)]);
        writer.section([delete(3), delete(4)]);
        fs::write(&segment, writer.finish()).unwrap();
        let schema = dir.path().join("schema.json");
        fs::write(&schema, table().schema_file().to_string()).unwrap();
        let index = dir.path().join("CommitLog-7-7_cdc.idx");
        let first_end = head + 8 + 2 * frame;
        let cases = [
            (None, 0),
            (Some(String::new()), 0),
            (Some(head.to_string()), 0),
            (Some((head + 8 + frame).to_string()), 1),
            (Some(first_end.to_string()), 2),
            (Some((first_end + 8 + frame - 1).to_string()), 2),
            (Some((first_end + 8 + 2 * frame).to_string()), 4),
            (Some("1\nCOMPLETED".to_owned()), 4),
        ];
        for (text, synced) in cases {
            let _ = fs::remove_file(&index);
            if let Some(text) = &text {
                fs::write(&index, text).unwrap();
            }
            let expected = [vec!["synced"; synced], vec!["marked"; 4 - synced]].concat();
            for jobs in ["1", "2"] {
                let found = replay(&segment, &schema, &["--jobs", jobs]);
                assert_eq!(found, expected, "{text:?}, LZ4: {is_lz4}");
            }
        }
    }
}

/// The state after a `kill -9`: an offset, and sections behind it.
#[test]
fn a_real_segment_that_was_never_closed_is_synced_in_part() {
    let folder = fixture("4.1-kill9");
    let dir = tempfile::tempdir().unwrap();
    let (name, bytes) = segments(&folder).remove(0);
    let copy = dir.path().join(&name);
    fs::write(&copy, bytes).unwrap();
    let index = name.replace(".log", "_cdc.idx");
    fs::copy(folder.join(&index), dir.path().join(&index)).unwrap();
    let found = replay(&copy, &folder.join("schema.json"), &[]);
    let synced = found.iter().filter(|it| *it == "synced").count();
    assert!(found[..synced].iter().all(|it| it == "synced"), "{found:?}");
    assert!(found[synced..].iter().all(|it| it == "marked"), "{found:?}");
    assert!(0 < synced && synced < found.len(), "{synced} of {}", found.len());
    let closed = replay(&segment("4.1-none"), &fixtures().join("4.1-none/schema.json"), &[]);
    assert!(closed.iter().all(|it| it == "synced"));
}
