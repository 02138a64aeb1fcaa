//! Replays into a file log with other options than those before: what is done is done as the options said.

use std::fs;

use serde_json::{Value, json};

use crate::program::{agent, stderr};
use crate::support::segment_writer::{SegmentWriter, write_segment};
use crate::undecodable::{Place, delete, log, of_other, record, table, write};

/// Makes the checkpoint one of version 2, which had no scope.
fn forget_scope(place: &Place) {
    let path = place.path("out/commit.json");
    let mut commit: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let checkpoint = commit["checkpoint"].as_object_mut().unwrap();
    checkpoint.insert("version".to_owned(), json!(2));
    checkpoint.remove("scope");
    checkpoint.remove("parked_in_other_scopes");
    commit.as_object_mut().unwrap().remove("crc32");
    fs::write(&path, commit.to_string()).unwrap();
}

/// Number of records of both tables.
fn counts(place: &Place) -> (usize, usize) {
    (place.records("t").len(), place.records("other").len())
}

fn parked(place: &Place) -> Vec<String> {
    let checkpoint = place.checkpoint();
    let parked = checkpoint["parked"].as_array().unwrap().iter();
    parked.map(|parked| parked.as_str().unwrap().split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn what_filters_leave_out_stays_parked() {
    for filter in [["--exclude-table", "shop.t"], ["--table", "shop.other"], ["--to", "7:20:1"]] {
        let place = Place::new(&log());
        let right = table("text");
        assert_eq!(place.replay(&table("int"), &[]).0, Some(5));
        assert_eq!(parked(&place), ["7:20:1", "7:20:2"]);
        forget_scope(&place);
        for _ in 0..2 {
            let (code, summary) = place.replay(&right, &filter);
            assert_eq!((code, &summary["parked_unasked"]), (Some(0), &json!(2)), "{summary}");
            assert_eq!(parked(&place), ["7:20:1", "7:20:2"]);
        }
        forget_scope(&place);
        let (code, summary) = place.replay(&right, &[]);
        assert_eq!((code, &summary["parked_unasked"]), (Some(0), &json!(0)), "{summary}");
        assert_eq!((parked(&place), counts(&place)), (vec![], (4, 1)));
    }
}

/// One mutation of both tables.
fn batch(of_t: &[u8], of_other: &[u8]) -> Vec<u8> {
    [&[2], &of_t[1..], &of_other[1..]].concat()
}

/// What was given out of it would be given out again with the rest.
#[test]
fn what_filters_leave_out_in_part_stays_parked_as_a_whole() {
    let place = Place::new(&[batch(&write(1, b"ab"), &of_other(delete(1)))]);
    let right = table("text");
    assert_eq!(place.replay(&table("int"), &[]).0, Some(5));
    forget_scope(&place);
    for _ in 0..2 {
        let (code, summary) = place.replay(&right, &["--exclude-table", "shop.other"]);
        assert_eq!((code, &summary["parked"]["count"]), (Some(5), &json!(1)), "{summary}");
        assert_eq!((&summary["records"], &summary["events"]), (&json!(0), &json!({})), "{summary}");
        assert_eq!(counts(&place), (0, 0));
    }
    forget_scope(&place);
    assert_eq!(place.replay(&right, &[]).0, Some(0));
    let records = (place.records("t"), place.records("other"));
    assert_eq!(records, (vec![record("u", 1, true)], vec![record("d", 1, true)]));
    assert_eq!(parked(&place), [""; 0]);
}

/// In the scope in which it was parked the filters were known: nobody waits for what they leave out.
#[test]
fn what_the_scope_leaves_out_is_done() {
    let later = ["--since", "2030-01-01T00:00:00Z"];
    let place = Place::new(&log());
    assert_eq!(place.replay(&table("int"), &later).0, Some(5));
    assert_eq!(parked(&place), ["7:20:1"]);
    assert_eq!(place.replay(&table("text"), &later).0, Some(0));
    assert_eq!((parked(&place), counts(&place)), (vec![], (0, 0)));
    // Of a mutation of two tables the part that is asked for.
    let one = ["--exclude-table", "shop.other"];
    let place = Place::new(&[batch(&write(1, b"ab"), &of_other(delete(1)))]);
    assert_eq!(place.replay(&table("int"), &one).0, Some(5));
    assert_eq!(place.replay(&table("text"), &one).0, Some(0));
    assert_eq!((parked(&place), counts(&place)), (vec![], (1, 0)));
}

#[test]
fn another_scope_is_refused_and_again_takes_it_over() {
    let place = Place::new(&log());
    let right = table("text");
    let other = ["--table", "shop.other"];
    assert_eq!(place.replay(&right, &other).0, Some(0));
    for options in [&[][..], &["--table", "shop.t"], &["--table=shop.other", "--to=7:20:3"]] {
        assert_eq!(place.replay(&right, options).0, Some(2), "{options:?}");
        assert_eq!(counts(&place), (0, 1), "{options:?}");
    }
    // What is no part of it.
    let same = ["--table=shop.other", "--jobs=3", "--allow-unknown", "--cells=when_differs"];
    assert_eq!(place.replay(&right, &same).0, Some(0));
    assert_eq!(counts(&place), (0, 1));

    assert_eq!(place.replay(&right, &["--again"]).0, Some(0));
    assert_eq!(counts(&place), (4, 2));
    assert_eq!(place.replay(&right, &[]).0, Some(0));
    assert_eq!(counts(&place), (4, 2));
    assert_eq!(place.replay(&right, &other).0, Some(2));
}

#[test]
fn the_option_that_differs_is_named() {
    let place = Place::new(&log());
    assert_eq!(place.replay(&table("text"), &["--mask-column", "shop.t.v"]).0, Some(0));
    let (out, schema) = (place.path("out"), place.path("schema.json"));
    let paths = [place.path("CommitLog-7-7.log"), schema, out].map(|path| path.to_str().unwrap().to_owned());
    let refused = agent(["replay", &paths[0], "--schema", &paths[1], "--out", &paths[2]]);
    let told = stderr(&refused);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("options: --mask-column: shop.t.v before, none now\n"), "{told}");
    assert!(told.contains("another directory") && told.contains("--again"), "{told}");
}

/// What is done in one scope is not done in the next, whether its segment was given or not.
#[test]
fn a_scope_that_is_taken_over_starts_with_nothing_done() {
    let place = Place::new(&log());
    let right = table("text");
    let next = write_segment(place.path("").as_path(), 8, &[&[delete(3), of_other(delete(3))]]);
    let both = [place.path("CommitLog-7-7.log"), next.clone()];
    let both = [both[0].as_path(), both[1].as_path()];
    assert_eq!(place.replay_all(&both, &right, &["--table", "shop.other"]).0, Some(0));
    assert_eq!(counts(&place), (0, 2));
    assert_eq!(place.replay_all(&[&next], &right, &["--again"]).0, Some(0));
    assert_eq!(counts(&place), (1, 3));
    assert_eq!(place.replay_all(&both, &right, &["--allow-out-of-order"]).0, Some(0));
    assert_eq!(counts(&place), (5, 4));
    assert_eq!(place.replay_all(&both, &right, &[]).0, Some(0));
    assert_eq!(counts(&place), (5, 4));
}

#[test]
fn a_part_of_the_log_is_written_once() {
    for (part, of_t) in [("--from=7:20:2", 2), ("--to=7:20:2", 2), ("--until=2030-01-01T00:00:00Z", 4)] {
        let place = Place::new(&log());
        for _ in 0..3 {
            assert_eq!(place.replay(&table("text"), &[part]).0, Some(0));
            assert_eq!(place.records("t").len(), of_t, "{part}");
        }
        assert_eq!(place.replay(&table("text"), &[]).0, Some(2));
    }
}

/// The segment grows; its index says so.
#[test]
fn a_part_of_the_log_is_gone_on_with() {
    let place = Place::new(&[]);
    let bounds = ["--from", "7:20:1", "--since", "1970-01-01T00:00:00Z"];
    let sections = [vec![delete(1), delete(2)], vec![delete(3)], vec![write(4, b"ab")]];
    fs::remove_file(place.path("CommitLog-7-7_cdc.idx")).unwrap();
    for (sections, expected) in
        [(&sections[..1], 1), (&sections[..2], 2), (&sections[..2], 2), (&sections, 3)]
    {
        let mut writer = SegmentWriter::new(7, false);
        sections.iter().for_each(|section| writer.section(section));
        fs::write(place.path("CommitLog-7-7.log"), writer.finish()).unwrap();
        assert_eq!(place.replay(&table("text"), &bounds).0, Some(0));
        assert_eq!(place.records("t").len(), expected);
    }
}
