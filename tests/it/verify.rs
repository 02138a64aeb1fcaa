//! `verify` on files that are not what they should be: what it says, and the exit code.
//!
//! Kinds and sizes follow from the format and from where the byte was changed: `demo` is one section of 24
//! mutations, compressed with LZ4, behind a descriptor of 83 bytes; `4.1-none` is uncompressed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{agent, json_lines, segment};
use crate::support::segment_writer::SegmentWriter;

/// Runs `verify --json` on bytes under a name; gives exit code and the segment's object.
fn verify(name: &str, bytes: &[u8]) -> (Option<i32>, Value) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join(name);
    fs::write(&path, bytes).expect("the file can be written");
    let output = agent(["verify".into(), "--json".into(), path.into_os_string()]);
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 2, "a segment and the total");
    (output.status.code(), lines[0].clone())
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn kinds(report: &Value) -> Vec<&str> {
    let damage = report["damage"].as_array().expect("a list");
    damage.iter().map(|damage| damage["kind"].as_str().expect("a kind")).collect()
}

/// A fixture with some bytes changed.
fn changed(folder: &str, change: impl Fn(&mut Vec<u8>)) -> (Option<i32>, Value) {
    let path = segment(folder);
    let mut bytes = fs::read(&path).expect("the segment exists");
    change(&mut bytes);
    verify(&name_of(&path), &bytes)
}

#[test]
fn whole_segments_are_clean() {
    for folder in ["demo", "4.1-none", "4.1-zstd", "5.0-v8-direct"] {
        let (exit, report) = changed(folder, |_| {});
        assert_eq!((exit, &report["outcome"]), (Some(0), &Value::from("clean")), "{folder}: {report}");
        assert_eq!(kinds(&report), [""; 0], "{folder}");
        assert_eq!(report["lost_bytes"], 0, "{folder}");
    }
}

#[test]
fn a_damaged_head_loses_the_file_and_a_wrong_name_nothing() {
    let (exit, report) = changed("demo", |bytes| bytes[30] ^= 1);
    assert_eq!((exit, kinds(&report)), (Some(3), vec!["descriptor-checksum"]), "{report}");
    assert_eq!(report["damage"][0]["lost_bytes"], 1320, "the whole file: {report}");

    let (exit, report) = changed("demo", |bytes| bytes.truncate(10));
    assert_eq!((exit, kinds(&report)), (Some(3), vec!["short-descriptor"]), "{report}");

    let bytes = fs::read(segment("demo")).expect("the segment exists");
    let (exit, report) = verify("CommitLog-7-1.log", &bytes);
    assert_eq!((exit, kinds(&report)), (Some(3), vec!["descriptor-mismatch"]), "{report}");
    assert_eq!(report["mutations"], 24, "{report}");
    let (exit, _) = verify("copy-of-a-segment.log", &bytes);
    assert_eq!(exit, Some(0), "a name that says nothing cannot be wrong");
}

#[test]
fn what_is_no_segment_is_unreadable() {
    let (exit, report) = changed("demo", |bytes| bytes[3] = 9);
    assert_eq!((exit, &report["outcome"]), (Some(4), &Value::from("unreadable")), "{report}");
    let reason = report["reason"].as_str().expect("a reason");
    assert!(reason.contains("version 9 is not supported"), "{reason}");

    let (exit, _) = verify("notes.txt", b"some text that is no segment at all");
    assert_eq!(exit, Some(4));
    let (exit, _) = verify("empty.log", b"");
    assert_eq!(exit, Some(4));
}

#[test]
fn an_unwritten_segment_is_clean() {
    let (exit, report) = verify("CommitLog-7-5.log", &[0; 4096]);
    assert_eq!((exit, &report["blank"]), (Some(0), &Value::from(true)), "{report}");
}

#[test]
fn a_damaged_section_counts_as_one_with_its_bytes() {
    // Inside the LZ4 block: what stands behind marker and plain length.
    let (exit, report) = changed("demo", |bytes| bytes[95..103].fill(0xff));
    assert_eq!((exit, kinds(&report)), (Some(3), vec!["section-body"]), "{report}");
    assert_eq!(report["sections"], 0);
    assert_eq!(report["sections_lost"], 1);
    assert_eq!(report["lost_bytes"], 1320 - 83, "from the marker to the end: {report}");
    assert_eq!(report["lost_mutations_all_known"], false, "{report}");
}

#[test]
fn a_changed_byte_of_a_mutation_loses_that_one() {
    // The last byte of the first mutation's payload, found by the frame's own length behind the first marker.
    let (exit, report) = changed("4.1-none", |bytes| {
        let length = usize::from(bytes[30]) << 8 | usize::from(bytes[31]);
        bytes[36 + length - 1] ^= 0x40;
    });
    assert_eq!((exit, kinds(&report)), (Some(3), vec!["frame-checksum"]), "{report}");
    let (_, whole) = changed("4.1-none", |_| {});
    let number = |report: &Value, field: &str| report[field].as_u64().expect("a number");
    assert_eq!(number(&report, "mutations") + 1, number(&whole, "mutations"));
    assert_eq!(number(&report, "lost_bytes") + number(&report, "good_bytes"), number(&whole, "good_bytes"));
    assert_eq!(report["damage"][0]["offset"], 28, "the frame behind descriptor and marker");
    assert_eq!(report["damage"][0]["lost_mutations"], 1);
}

#[test]
fn a_file_that_was_cut_has_lost_its_end() {
    let (exit, report) = changed("demo", |bytes| bytes.truncate(1300));
    assert_eq!((exit, kinds(&report)), (Some(3), vec!["truncated-section"]), "{report}");
    assert_eq!(report["lost_bytes"], 1300 - 83, "{report}");
}

#[test]
fn the_worst_segment_decides() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (good, bad) = (segment("4.1-none"), segment("demo"));
    fs::copy(&good, dir.path().join(name_of(&good))).expect("the file can be written");
    let mut bytes = fs::read(&bad).expect("the segment exists");
    bytes[30] ^= 1;
    fs::write(dir.path().join(name_of(&bad)), bytes).expect("the file can be written");
    let output = agent(["verify".into(), "--json".into(), dir.path().as_os_str().to_owned()]);
    assert_eq!(output.status.code(), Some(3));
    let lines = json_lines(&output);
    let total = lines.last().expect("a total");
    assert_eq!((&total["clean"], &total["damaged"]), (&Value::from(1), &Value::from(1)), "{total}");

    let empty = tempfile::tempdir().expect("a temporary folder");
    let output = agent(["verify".into(), empty.path().as_os_str().to_owned()]);
    assert_eq!(output.status.code(), Some(4), "a directory without segments");
}

/// Two sections, of which the file has as many as `sections`; the index speaks of both.
fn cut_at_a_section(sections: usize, is_lz4: bool) -> (Option<i32>, Value) {
    let mut writer = SegmentWriter::new(5, is_lz4);
    let payload = vec![0; 40];
    (0..sections).for_each(|_| writer.section([&payload]));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join(writer.name());
    fs::write(&path, writer.finish()).expect("the file can be written");
    // A frame is its payload and 12 bytes; a marker takes 8, in the writer's buffer too. The descriptor of an
    // uncompressed segment takes 20, of the other one what its marker says.
    let descriptor = if is_lz4 { 83 } else { 20 };
    let end = descriptor + 2 * (8 + 40 + 12);
    let index = dir.path().join("CommitLog-7-5_cdc.idx");
    fs::write(index, format!("{end}\nCOMPLETED")).expect("the file can be written");
    let output = agent(["verify".into(), "--json".into(), path.into_os_string()]);
    (output.status.code(), json_lines(&output)[0].clone())
}

#[test]
fn a_segment_that_ends_before_its_index_says_was_cut() {
    for is_lz4 in [false, true] {
        let (exit, report) = cut_at_a_section(2, is_lz4);
        assert_eq!(report["index"]["state"], "completed", "{report}");
        assert!(!kinds(&report).contains(&"truncated-section"), "{exit:?} {report}");
        let (exit, report) = cut_at_a_section(1, is_lz4);
        assert_eq!((exit, kinds(&report).contains(&"truncated-section")), (Some(3), true), "{report}");
        assert_eq!(report["lost_mutations_all_known"], false, "{report}");
    }
}
