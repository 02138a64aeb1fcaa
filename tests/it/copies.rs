//! Several copies of one segment, some of them cut: the one that holds most is read, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use cdc_agent::commitlog::Segment;
use serde_json::Value;

use crate::program::{agent, fixtures, json_lines, segment, segments, stderr};
use crate::support::fixture_key;
use crate::support::segment_writer::SegmentWriter;
use crate::undecodable::{delete, schema_file, table};

fn replay(paths: &[&Path], schema: &Path) -> Output {
    let mut arguments: Vec<&std::ffi::OsStr> =
        vec!["replay".as_ref(), "--schema".as_ref(), schema.as_os_str()];
    arguments.extend(paths.iter().map(|path| path.as_os_str()));
    agent(arguments.into_iter().chain(["--quiet".as_ref()]))
}

/// Exit code and event ids.
fn events(output: &Output) -> (Option<i32>, Vec<Value>) {
    let ids = json_lines(output).iter().map(|record| record["headers"]["event_id"].clone()).collect();
    (output.status.code(), ids)
}

/// Offsets of the first section's begin and end in a file.
fn first_section(bytes: &[u8]) -> (usize, usize) {
    let segment = Segment::open(bytes, None, &fixture_key).unwrap();
    let (descriptor, first) = segment.head();
    (descriptor.len(), descriptor.len() + first.len())
}

/// A file with the name of `like` in a folder of its own.
fn put(dir: &Path, like: &Path, bytes: &[u8]) -> PathBuf {
    fs::create_dir_all(dir).unwrap();
    let path = dir.join(like.file_name().unwrap());
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_copy_that_was_cut_inside_its_first_section_is_the_shorter_one() {
    for folder in ["5.0-v8-direct", "4.1-lz4"] {
        let whole = segments(&fixtures().join(folder)).remove(0);
        let schema = fixtures().join(folder).join("schema.json");
        let bytes = fs::read(&whole).unwrap();
        let expected = events(&replay(&[&whole], &schema));
        assert!(expected.1.len() > 100);
        let dir = tempfile::tempdir().unwrap();
        let unnamed = dir.path().join("copy.log");
        fs::write(&unnamed, &bytes).unwrap();
        let (start, end) = first_section(&bytes);
        for cut in [start, start + 5, start + 8, start + 30, (start + end) / 2, end - 1, end] {
            let mut part = bytes[..cut].to_vec();
            for length in [cut, bytes.len()] {
                part.resize(length, 0);
                let part = put(&dir.path().join("part"), &whole, &part);
                for paths in [[&part, &whole], [&whole, &part], [&part, &unnamed], [&unnamed, &part]] {
                    let output = replay(&paths.map(PathBuf::as_path), &schema);
                    let said = format!("{folder} cut at {cut}, {length} bytes: {}", stderr(&output));
                    assert_eq!(events(&output), expected, "{said}");
                    assert!(said.contains("was given twice and is read once"), "{said}");
                }
            }
        }
    }
}

#[test]
fn a_copy_of_a_segment_that_is_not_synced_yet_is_the_shorter_one() {
    let whole = segment("demo");
    let bytes = fs::read(&whole).unwrap();
    let (start, _) = first_section(&bytes);
    let schema = fixtures().join("demo").join("schema.json");
    let dir = tempfile::tempdir().unwrap();
    // Mutations are there before the marker in front of them.
    let mut unsynced = bytes.clone();
    unsynced[start..start + 8].fill(0);
    unsynced[start + 200..].fill(0);
    let unsynced = put(dir.path(), &whole, &unsynced);
    let (code, ids) = events(&replay(&[&unsynced, &whole], &schema));
    assert_eq!((code, ids.len()), (Some(0), 13));
}

#[test]
fn another_segment_that_was_cut_is_refused() {
    let file = |keys: [u8; 2]| {
        let mut writer = SegmentWriter::new(7, false);
        writer.section(keys.map(delete));
        (PathBuf::from(writer.name()), writer.finish())
    };
    let dir = tempfile::tempdir().unwrap();
    let schema = dir.path().join("schema.json");
    fs::write(&schema, schema_file(&table("text"))).unwrap();
    let ((name, one), (_, other)) = (file([1, 2]), file([1, 3]));
    let differs = one.iter().zip(&other).position(|(a, b)| a != b).unwrap();
    let whole = put(&dir.path().join("whole"), &name, &one);
    for (first, second, expected) in [
        (one.len(), other.len() - 1, 2),
        (one.len(), differs + 1, 2),
        (one.len() - 1, differs + 1, 2),
        // Up to there nothing tells them apart.
        (one.len(), differs, 0),
    ] {
        let whole = put(whole.parent().unwrap(), &name, &one[..first]);
        let part = put(&dir.path().join("part"), &name, &other[..second]);
        let output = replay(&[&part, &whole], &schema);
        assert_eq!(output.status.code() == Some(2), expected == 2, "{second}: {}", stderr(&output));
        let said = stderr(&output).contains("another segment with id 7 was replayed before it");
        assert_eq!(said, expected == 2, "{second}: {}", stderr(&output));
    }
}
