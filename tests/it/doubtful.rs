//! Lost parts of the log may have held schema changes: the summary says from where on the schema is doubtful.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{agent, stderr};
use crate::support::segment_writer::SegmentWriter;
use crate::undecodable::{alter, delete, schema_file, table, write};

/// A compressed segment with a section for each list, and where the markers of the sections stand.
fn segment(dir: &Path, id: i64, sections: &[&[Vec<u8>]], is_lz4: bool) -> (Vec<u8>, Vec<usize>) {
    let markers = (0..=sections.len()).map(|count| {
        let mut writer = SegmentWriter::new(id, is_lz4);
        sections[..count].iter().for_each(|payloads| writer.section(*payloads));
        writer.finish().len()
    });
    let mut writer = SegmentWriter::new(id, is_lz4);
    sections.iter().for_each(|payloads| writer.section(*payloads));
    let path = dir.join(writer.name());
    let bytes = writer.finish();
    fs::write(path, &bytes).unwrap();
    (bytes, markers.collect())
}

/// Replays all of a folder; exit code, doubtful places with their reasons, and what is said.
fn replay(dir: &Path, options: &[&str]) -> (Option<i32>, Vec<(String, String)>, String) {
    let (schema, summary) = (dir.join("schema.json"), dir.join("summary.json"));
    fs::write(&schema, schema_file(&table("text"))).unwrap();
    let paths = [dir, &schema, &summary].map(|path| path.to_str().unwrap());
    let fixed = ["replay", paths[0], "--schema", paths[1], "--summary", paths[2]];
    let output = agent(fixed.into_iter().chain(options.iter().copied()));
    let said = stderr(&output);
    let summary: Value = serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap();
    let doubtful = &summary["schema_doubtful"];
    let listed = doubtful["listed"].as_array().unwrap_or_else(|| panic!("{summary}"));
    assert_eq!(doubtful["count"], listed.len());
    assert_eq!(doubtful["next"].is_string() && doubtful["meaning"].is_string(), !listed.is_empty());
    assert_eq!(said.contains("(--schema)"), !listed.is_empty(), "{said}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = listed.iter().map(|doubt| (text(&doubt["from"]), text(&doubt["reason"]))).collect();
    (output.status.code(), listed, said)
}

fn places(dir: &Path, options: &[&str]) -> Vec<String> {
    replay(dir, options).1.into_iter().map(|(from, _)| from).collect()
}

#[test]
fn behind_a_lost_section_the_schema_is_doubtful() {
    let (one, change) = ([write(1, b"ab")], [alter()]);
    let sections: [&[Vec<u8>]; 4] = [&one, &change, &one, &one];
    for jobs in ["1", "2"] {
        let dir = tempfile::tempdir().unwrap();
        let (whole, markers) = segment(dir.path(), 7, &sections, true);
        assert_eq!(replay(dir.path(), &["--jobs", jobs]).1, [], "nothing is lost");
        let damage = |lost: &[usize]| {
            let mut bytes = whole.clone();
            lost.iter().for_each(|section| bytes[markers[*section] + 12..markers[*section] + 20].fill(0xff));
            fs::write(dir.path().join("CommitLog-7-7.log"), bytes).unwrap();
        };
        let at = |section: usize| format!("7:{}:0", markers[section]);

        damage(&[1, 2]);
        let (code, doubtful, said) = replay(dir.path(), &["--jobs", jobs]);
        assert_eq!(code, Some(3));
        assert_eq!(doubtful.len(), 1, "once for the segment: {said}");
        let expected = "mutations are lost (section-body), and a schema change may be among them";
        assert_eq!(doubtful[0], (at(1), expected.to_owned()));
        assert_eq!(said.matches("schema change may be among them").count(), 1, "{said}");
        assert!(said.contains(&format!("from {} on", at(1))), "{said}");

        // Only where something that is asked for stands behind it.
        assert_eq!(places(dir.path(), &["--to", &at(1)]), [""; 0]);
        assert_eq!(places(dir.path(), &["--from", &at(3)]), [at(1)]);
        damage(&[3]);
        assert_eq!(places(dir.path(), &["--jobs", jobs]), [""; 0]);
        // In another segment, too.
        segment(dir.path(), 9, &[&one], true);
        assert_eq!(places(dir.path(), &["--jobs", jobs]), [at(3)]);
        assert_eq!(places(dir.path(), &["--table", "shop.other"]), [""; 0], "no mutation of that table");
    }
}

#[test]
fn a_missing_segment_id_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let one = [write(1, b"ab")];
    segment(dir.path(), 7, &[&one], true);
    segment(dir.path(), 9, &[&one], true);
    assert_eq!(replay(dir.path(), &[]).1, []);
    // One that is there and cannot be read does.
    fs::write(dir.path().join("CommitLog-7-8.log"), b"\0\0\0\x07 damaged").unwrap();
    let (code, doubtful, _) = replay(dir.path(), &[]);
    let reason = "CommitLog-7-8.log could not be read, and may hold a schema change";
    assert_eq!((code, doubtful), (Some(3), vec![("8:0:0".to_owned(), reason.to_owned())]));
}

/// A damaged frame still names its table.
#[test]
fn a_lost_mutation_matters_where_it_may_be_a_schema_change() {
    let payloads = [delete(1), alter(), delete(2)];
    for (entry, at, expected) in [
        (0, 30, None),
        (1, 60, Some("a change of system_schema is damaged and lost")),
        // The table id itself is damaged.
        (0, 12, Some("mutations are lost (frame-checksum), and a schema change may be among them")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (mut bytes, _) = segment(dir.path(), 7, &[&payloads], false);
        let frame: usize = payloads[..entry].iter().map(|payload| payload.len() + 12).sum();
        bytes[28 + frame + at] ^= 1;
        fs::write(dir.path().join("CommitLog-7-7.log"), bytes).unwrap();
        let (code, doubtful, said) = replay(dir.path(), &[]);
        let expected: Vec<_> =
            expected.into_iter().map(|reason| (format!("7:20:{entry}"), reason.to_owned())).collect();
        assert_eq!((code, doubtful), (Some(3), expected), "{said}");
    }
}

#[test]
fn a_schema_change_that_cannot_be_decoded_makes_it_doubtful() {
    let dir = tempfile::tempdir().unwrap();
    let mut change = alter();
    change.truncate(change.len() - 5);
    segment(dir.path(), 7, &[&[change, write(1, b"ab")]], false);
    let (code, doubtful, said) = replay(dir.path(), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(doubtful.len(), 1, "{said}");
    let (from, reason) = &doubtful[0];
    assert_eq!(from, "7:20:1", "behind it");
    assert!(reason.starts_with("a change of system_schema cannot be decoded"), "{reason}");
}

/// The schema is followed through what was done before, and so are the doubts.
#[test]
fn a_resumed_replay_says_it_of_its_own_records() {
    let dir = tempfile::tempdir().unwrap();
    let one = [write(1, b"ab")];
    let (mut bytes, markers) = segment(dir.path(), 7, &[&one, &one, &one], true);
    bytes[markers[0] + 12..markers[0] + 20].fill(0xff);
    let index = format!("{}\nCOMPLETED\n", bytes.len());
    fs::write(dir.path().join("CommitLog-7-7.log"), bytes).unwrap();
    fs::write(dir.path().join("CommitLog-7-7_cdc.idx"), index).unwrap();
    let out = dir.path().join("out");
    let options = ["--out", out.to_str().unwrap()];
    let from = format!("7:{}:0", markers[0]);
    assert_eq!(places(dir.path(), &options), std::slice::from_ref(&from));
    assert_eq!(places(dir.path(), &options), [""; 0], "nothing is given out");
    let commit: Value = serde_json::from_slice(&fs::read(out.join("commit.json")).unwrap()).unwrap();
    assert_ne!(commit["checkpoint"]["done"], json!({}), "{commit}");
    segment(dir.path(), 8, &[&one], true);
    assert_eq!(places(dir.path(), &options), [from]);
}
