//! Segments that are replayed after newer ones: the order of changes would be another one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{agent, stderr};
use crate::support::segment_writer::{SegmentWriter, write_segment};
use crate::undecodable::{Place, delete, record, schema_file, table};

/// The segment of this id, with a delete of this key.
fn segment(place: &Place, id: i64, key: u8) -> PathBuf {
    write_segment(&place.path(""), id, &[&[delete(key)]])
}

fn replay(place: &Place, segments: &[&Path], options: &[&str]) -> Option<i32> {
    place.replay_all(segments, &table("text"), options).0
}

/// What a replay into the file log tells on standard error.
fn told(place: &Place, segments: &[&Path]) -> String {
    let schema = place.path("schema.json");
    fs::write(&schema, schema_file(&table("text"))).unwrap();
    let mut arguments = vec!["replay".into(), "--quiet".into(), "--schema".into(), schema.into_os_string()];
    arguments.extend(["--out".into(), place.path("out").into_os_string()]);
    arguments.extend(segments.iter().map(|segment| segment.as_os_str().to_owned()));
    stderr(&agent(arguments))
}

#[test]
fn an_older_segment_is_refused_and_told_of() {
    let place = Place::new(&[]);
    let [old, new, newest] = [(5, 1), (6, 2), (8, 3)].map(|(id, key)| segment(&place, id, key));
    assert_eq!(replay(&place, &[&new], &[]), Some(0));
    for segments in [&[old.as_path()][..], &[&old, &new, &newest]] {
        assert_eq!(replay(&place, segments, &[]), Some(2));
        let told = told(&place, segments);
        assert!(
            told.contains("CommitLog-7-5.log: segment 5 is older than segment 6, which is in the"),
            "{told}"
        );
        assert!(told.contains("another directory") && told.contains("--allow-out-of-order"), "{told}");
        assert_eq!(place.records("t"), [record("d", 2, false)]);
    }
    assert_eq!(replay(&place, &[&old, &new, &newest], &["--allow-out-of-order"]), Some(0));
    let expected = [record("d", 2, false), record("d", 1, true), record("d", 3, false)];
    for _ in 0..2 {
        assert_eq!(place.records("t"), expected);
        assert_eq!(replay(&place, &[&old, &new, &newest], &[]), Some(0));
    }
}

#[test]
fn a_folder_that_grows_is_gone_on_with() {
    let place = Place::new(&[]);
    let mut segments = vec![segment(&place, 5, 1)];
    for key in 2..6 {
        let all: Vec<_> = segments.iter().map(PathBuf::as_path).collect();
        assert_eq!(replay(&place, &all, &[]), Some(0));
        segments.push(segment(&place, 4 + i64::from(key), key));
    }
    assert_eq!(place.records("t"), [1, 2, 3, 4].map(|key| record("d", key, false)));
}

/// What holds nothing that could be given out leaves no trace in the checkpoint.
#[test]
fn an_older_segment_without_sections_is_no_reason_to_stop() {
    let place = Place::new(&[]);
    let (head, lost) = (place.path("CommitLog-7-4.log"), place.path("CommitLog-7-5.log"));
    fs::write(&head, SegmentWriter::new(4, false).finish()).unwrap();
    let mut damaged = SegmentWriter::new(5, true);
    damaged.body(&[9; 40]);
    fs::write(&lost, damaged.finish()).unwrap();
    let new = segment(&place, 6, 1);
    for _ in 0..2 {
        assert_eq!(replay(&place, &[&head, &lost, &new], &[]), Some(3));
        assert_eq!(place.records("t"), [record("d", 1, false)]);
    }
}

#[test]
fn an_older_segment_out_of_bounds_is_no_reason_to_stop() {
    let place = Place::new(&[]);
    let [old, new] = [(5, 1), (6, 2)].map(|(id, key)| segment(&place, id, key));
    assert_eq!(replay(&place, &[&new], &["--from", "6:0:0"]), Some(0));
    assert_eq!(replay(&place, &[&old, &new], &["--from", "6:0:0"]), Some(0));
    assert_eq!(place.records("t"), [record("d", 2, false)]);
}

/// A copy that was cut, and a newer segment: the rest comes behind it.
#[test]
fn the_rest_of_a_segment_that_was_read_before_a_newer_one_is_late() {
    let place = Place::new(&[]);
    let old = place.path("CommitLog-7-5.log");
    let grown = |keys: &[u8]| {
        let mut writer = SegmentWriter::new(5, false);
        keys.iter().for_each(|key| writer.section([delete(*key)]));
        fs::write(&old, writer.finish()).unwrap();
    };
    let new = segment(&place, 6, 9);
    grown(&[1]);
    assert_eq!(replay(&place, &[&old, &new], &[]), Some(0));
    grown(&[1, 2]);
    assert_eq!(replay(&place, &[&old, &new], &[]), Some(0));
    assert_eq!(place.records("t"), [record("d", 1, false), record("d", 9, false), record("d", 2, true)]);
}

/// Without names they are read as they are given.
#[test]
fn files_of_other_names_must_come_in_order() {
    let place = Place::new(&[]);
    let [old, new] = [(5, 1), (6, 2)].map(|(id, key)| {
        let other = place.path(&format!("copy-{id}"));
        fs::rename(segment(&place, id, key), &other).unwrap();
        other
    });
    let refused = told(&place, &[&new, &old]);
    assert!(refused.contains("segment 5 is older than segment 6, which was read before it"), "{refused}");
    assert_eq!(replay(&place, &[&new, &old], &["--allow-out-of-order"]), Some(0));
    assert_eq!(place.records("t"), [record("d", 2, false), record("d", 1, true)]);
    let other = Place::new(&[]);
    assert_eq!(replay(&other, &[&old, &new], &[]), Some(0));
}

#[test]
fn what_is_written_once_more_may_be_older() {
    let place = Place::new(&[]);
    let [old, new] = [(5, 1), (6, 2)].map(|(id, key)| segment(&place, id, key));
    assert_eq!(replay(&place, &[&old, &new], &[]), Some(0));
    assert_eq!(replay(&place, &[&old], &["--again"]), Some(0));
    assert_eq!(place.records("t"), [1, 2, 1].map(|key| record("d", key, false)));
}
