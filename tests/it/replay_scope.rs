//! Replays into a file log with other options than those before.

use serde_json::json;

use crate::undecodable::{Place, delete, log, of_other, record, table, write};

#[test]
fn what_filters_leave_out_stays_parked() {
    let place = Place::new(&log());
    let right = table("text");
    assert_eq!(place.replay(&table("int"), &[]).0, Some(5));
    let parked = place.checkpoint()["parked"].clone();
    assert_eq!(parked.as_array().unwrap().len(), 2);
    for filter in [["--exclude-table", "shop.t"], ["--table", "shop.other"]] {
        let (code, summary) = place.replay(&right, &filter);
        assert_eq!((code, &summary["parked_unasked"]), (Some(0), &json!(2)), "{summary}");
        assert_eq!(place.checkpoint()["parked"], parked);
    }
    let (code, summary) = place.replay(&right, &[]);
    assert_eq!((code, &summary["parked_unasked"]), (Some(0), &json!(0)), "{summary}");
    assert_eq!(place.checkpoint()["parked"], json!([]));
    assert_eq!(place.records("t").len(), 4);
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
    for _ in 0..2 {
        let (code, summary) = place.replay(&right, &["--exclude-table", "shop.other"]);
        assert_eq!((code, &summary["parked"]["count"]), (Some(5), &json!(1)), "{summary}");
        assert_eq!((&summary["records"], &summary["events"]), (&json!(0), &json!({})), "{summary}");
        assert_eq!(place.records("t"), []);
    }
    assert_eq!(place.replay(&right, &[]).0, Some(0));
    assert_eq!((place.records("t"), place.records("other")), (
        vec![record("u", 1, true)],
        vec![record("d", 1, true)]
    ));
    assert_eq!(place.checkpoint()["parked"], json!([]));
}
