//! Mutations of tables that the schema does not have: parked, counted as those of dropped tables, or the end.

use std::fs;

use serde_json::{Value, json};

use crate::program::{agent, stderr};
use crate::undecodable::{OTHER, Place, delete, of_other, record, schema_file, table, write};

fn poor() -> String {
    table("text").schema_file().to_string()
}

fn rich() -> String {
    schema_file(&table("text"))
}

/// Replays the segment into the file log; exit code and summary.
fn replay(place: &Place, schema: &str, options: &[&str]) -> (Option<i32>, Value) {
    let paths = ["CommitLog-7-7.log", "schema.json", "out", "summary.json"].map(|name| place.path(name));
    fs::write(&paths[1], schema).unwrap();
    let [segment, schema, out, summary] = paths.each_ref().map(|path| path.to_str().unwrap());
    let fixed = ["replay", segment, "--schema", schema, "--out", out, "--summary", summary, "--quiet"];
    let output = agent(fixed.iter().chain(options));
    let told = fs::read(summary).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (output.status.code(), serde_json::from_slice(&told).unwrap())
}

fn log() -> [Vec<u8>; 3] {
    [of_other(write(1, b"ab")), delete(1), of_other(delete(2))]
}

/// Payloads of a log's first and third mutation.
fn unknown(log: &[Vec<u8>; 3]) -> Value {
    json!({OTHER: {"mutations": 2, "bytes": log[0].len() + log[2].len()}})
}

#[test]
fn they_are_parked_by_default() {
    let place = Place::new(&log());
    for options in [&[][..], &["--allow-unknown", "--unknown-table=park"]] {
        let (code, summary) = replay(&place, &poor(), options);
        assert_eq!(code, Some(if options.is_empty() { 5 } else { 0 }), "{summary}");
        assert_eq!(summary["unknown_tables"], unknown(&log()), "{summary}");
        assert_eq!(summary["parked"]["count"], 2, "{summary}");
    }
    assert_eq!(place.checkpoint()["parked"].as_array().unwrap().len(), 2);
    assert_eq!(replay(&place, &rich(), &[]).0, Some(0));
    assert_eq!(place.records("other"), [record("u", 1, true), record("d", 2, true)]);
}

#[test]
fn a_ledger_counts_them_and_parks_nothing() {
    let ledger = "--unknown-table=ledger";
    for (options, expected) in [(&[ledger][..], 5), (&[ledger, "--allow-unknown"], 0)] {
        let place = Place::new(&log());
        let (code, summary) = replay(&place, &poor(), options);
        assert_eq!(code, Some(expected), "{summary}");
        assert_eq!(summary["unknown_tables"], unknown(&log()), "{summary}");
        assert_eq!((&summary["parked"]["count"], &summary["given_up"]["count"]), (&json!(0), &json!(0)));
        assert_eq!((place.checkpoint()["parked"].clone(), place.records("t").len()), (json!([]), 1));
    }
    // Those of earlier replays, too.
    let place = Place::new(&log());
    assert_eq!(replay(&place, &poor(), &[]).0, Some(5));
    let (code, summary) = replay(&place, &poor(), &[ledger]);
    assert_eq!((code, &summary["unknown_tables"]), (Some(5), &unknown(&log())), "{summary}");
    assert_eq!(place.checkpoint()["parked"], json!([]));
    assert_eq!((replay(&place, &rich(), &[]).0, place.records("other").len()), (Some(0), 0));
}

/// The other table is perhaps a wanted one.
#[test]
fn a_mutation_of_several_tables_is_parked_or_given_up() {
    let batch = [&[2], &of_other(delete(1))[1..], &delete(1)[1..]].concat();
    let place = Place::new(&[batch]);
    let (code, summary) = replay(&place, &poor(), &["--unknown-table=ledger", "--allow-unknown"]);
    assert_eq!((code, &summary["parked"]["count"]), (Some(0), &json!(1)), "{summary}");
    let (code, summary) = replay(&place, &poor(), &["--unknown-table=ledger", "--undecodable=ledger"]);
    assert_eq!((code, &summary["given_up"]["count"]), (Some(3), &json!(1)), "{summary}");
    assert_eq!(place.checkpoint()["parked"], json!([]));
}

#[test]
fn a_block_stops_at_the_first() {
    let place = Place::new(&log());
    assert_eq!(replay(&place, &poor(), &["--unknown-table=block"]).0, Some(5));
    assert_eq!((place.records("t"), place.checkpoint()["open"].clone()), (vec![], json!({})));
}
