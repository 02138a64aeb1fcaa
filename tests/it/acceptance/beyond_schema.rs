//! B14 to B16, B19, B22, B25 to B27: schema changes, damage, stored forms of segments, values, sizes.

use std::collections::BTreeMap;

use cdc_agent::envelope::options::Profile;
use serde_json::{Value, json};

use super::{CONNECTOR, FIXTURES, FLAT, replay, replay_with, text, values};
use crate::program::{agent, fixtures, json_lines, segment, segments, stderr};
use crate::support::mutation_writer::{ColumnData, Item, Row, Update, payload};
use crate::support::records::{config, records_of_payload};
use crate::support::table::Table;

/// B14: with the schema of before the log follows its own changes; with that of after, the log lags behind it.
#[test]
fn b14_columns_added_and_dropped() {
    for fixture in FIXTURES {
        for schema in ["schema-before.json", "schema.json"] {
            let records = replay_with(schema, fixture, &["accept.b14"], FLAT);
            assert_eq!(records[0]["value"]["after"], json!({"id": 1, "a": "before", "b": 2}), "{schema}");
            assert_eq!(records[1]["value"]["after"], json!({"id": 2, "a": "after", "d": 3}), "{schema}");
            let connector = replay_with(schema, fixture, &["accept.b14"], CONNECTOR);
            assert_eq!(values(&connector[0]), json!({"id": 1, "a": "before", "b": 2}), "{schema}");
            assert_eq!(connector[1]["value"]["after"].get("b"), None, "a dropped column that no cell names");
        }
    }
}

#[test]
fn b15_a_user_defined_type_that_grows() {
    for fixture in FIXTURES {
        let early = replay(fixture, &["accept.b15"], FLAT);
        let old = json!({"one": 1});
        let first = json!({"id": 1, "f": old, "l": [old], "u": old});
        assert_eq!(early[0]["value"]["after"], first, "the type has one field");
        let late = replay_with("schema.json", fixture, &["accept.b15"], FLAT);
        let old = json!({"one": 1, "two": null});
        let first = json!({"id": 1, "f": old, "l": [old], "u": old});
        assert_eq!(late[0]["value"]["after"], first, "values from before have the field null");
        let new = json!({"one": 2, "two": "b"});
        let second = json!({"id": 2, "f": new, "l": [{"one": null, "two": "b"}], "u": new});
        for records in [early, late] {
            assert_eq!(records[1]["value"]["after"], second);
        }
    }
}

/// Only the log knows the table when the schema is that of before.
#[test]
fn b16_a_table_with_a_new_type_made_while_running() {
    for fixture in FIXTURES {
        let all = replay(fixture, &[], FLAT);
        let records: Vec<&Value> =
            all.iter().filter(|record| record["topic"] == "local.cdc.accept.b16").collect();
        let value = json!({"one": 1, "two": "a"});
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["value"]["after"], json!({"id": 1, "f": value, "u": value}));
    }
}

/// A flipped byte loses one mutation, or the segment's head, and never what stands elsewhere.
#[test]
fn b19_flipped_bytes_and_a_cut_segment() {
    let (original, dir) = (segment("4.1-none"), tempfile::tempdir().unwrap());
    let bytes = std::fs::read(&original).unwrap();
    let damaged = dir.path().join(original.file_name().unwrap());
    let schema = fixtures().join("4.1-none/schema.json");
    let run = |bytes: &[u8]| {
        std::fs::write(&damaged, bytes).unwrap();
        let output =
            agent(["replay", "--quiet", "--allow-unknown", "--schema", text(&schema), text(&damaged)]);
        (output.status.code(), json_lines(&output), stderr(&output))
    };
    let (code, whole, _) = run(&bytes);
    assert_eq!(code, Some(0));
    let flipped = |at: usize| {
        let mut copy = bytes.clone();
        copy[at] ^= 0x40;
        copy
    };
    let ids = |records: &[Value]| -> Vec<String> {
        records.iter().map(|record| record["headers"]["event_id"].to_string()).collect()
    };
    // In a mutation: that one is lost.
    let inside = bytes.windows(6).position(|window| window == b"S2-TTL").unwrap();
    let (code, rest, message) = run(&flipped(inside));
    assert_eq!(code, Some(3), "{message}");
    let lost = whole.iter().position(|record| record["key"] == json!({"event_id": "S2-TTL"})).unwrap();
    assert_eq!(ids(&rest), [&ids(&whole)[..lost], &ids(&whole)[lost + 1..]].concat());
    // In the head: nothing can be believed.
    let (code, rest, message) = run(&flipped(8));
    assert_eq!((code, rest.len()), (Some(3), 0), "{message}");
    // Cut off: what stands before is delivered.
    let (code, rest, message) = run(&bytes[..inside]);
    assert_eq!(code, Some(3), "{message}");
    assert_eq!(ids(&rest), ids(&whole)[..lost]);
}

/// The same workload through every form of storage: equal numbers of records by table and operation.
#[test]
fn b22_compressed_and_encrypted_segments() {
    let key = fixtures().join("keys/aes128.key.hex");
    let count = |name: &str| -> BTreeMap<String, usize> {
        let folder = fixtures().join(name);
        let schema = folder.join("schema.json");
        let fixed = ["replay", "--quiet", "--allow-unknown", "--schema", text(&schema), text(&folder)];
        let output = agent(fixed.into_iter().chain(["--commitlog-key-hex-file", text(&key)]));
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        let mut counts = BTreeMap::new();
        for record in json_lines(&output) {
            *counts.entry(format!("{} {}", record["topic"], record["value"]["op"])).or_default() += 1;
        }
        counts
    };
    let expected = count("4.1-deflate");
    assert!(expected.len() > 20, "{expected:?}");
    for name in ["4.1-snappy", "4.1-zstd", "4.1-encrypted"] {
        assert_eq!(count(name), expected, "{name}");
    }
    for name in ["4.1-lz4", "5.0-v8-lz4"] {
        assert!(segments(&fixtures().join(name)).len() > 1 && count(name).len() > expected.len(), "{name}");
    }
    assert!(count("5.0-v8-encrypted").len() > 20);
}

#[test]
fn b25_empty_values_nested_collections_a_blob_in_a_composite_key() {
    for fixture in FIXTURES {
        let flat = replay(fixture, &["accept.b25"], FLAT);
        let deep = json!({"k": [[-1, 17946], []]});
        let after = json!({"k": "AP8Q", "n": 1, "deep": deep, "i": null, "t": "", "ts": null});
        assert_eq!(flat[0]["value"]["after"], after);
        assert_eq!(flat[0]["value"]["cells"], json!({"i": {"empty": true}, "ts": {"empty": true}}));
        assert_eq!(flat[0]["key"], json!({"k": "AP8Q", "n": 1}));
        let connector = replay(fixture, &["accept.b25"], CONNECTOR);
        assert_eq!(values(&connector[0]), after);
    }
    let vectors = replay("5.0-acceptance", &["accept.b25v"], CONNECTOR);
    assert_eq!(values(&vectors[0]), json!({"id": 1, "v": [1.5, 2.5, -3.0], "w": ["a", ""]}));
}

#[test]
fn b26_null_decimals_and_varints_in_every_form() {
    for fixture in FIXTURES {
        for form in ["string", "precise", "double"] {
            let varint = if form == "double" { "long" } else { form };
            let options = [CONNECTOR, &["--decimal-handling", form, "--varint-handling", varint]].concat();
            let records = replay(fixture, &["accept.b26"], &options);
            assert_eq!(values(&records[0]), json!({"id": 1, "d": null, "v": null}), "{form}");
            let (d, v) = match form {
                "string" => (json!("3.141592653589793"), json!("8")),
                "precise" => (json!({"scale": 15, "value": "CylDCiVtIQ=="}), json!("CA==")),
                _ => (json!(std::f64::consts::PI), json!(8)),
            };
            assert_eq!(values(&records[1]), json!({"id": 2, "d": d, "v": v}), "{form}");
        }
    }
}

/// A cell of a megabyte, a row of 63 columns.
#[test]
fn b27_large_cells_and_wide_rows() {
    let names: Vec<String> = (0..63).map(|number| format!("c{number:02}")).collect();
    let mut columns = vec![["id", "partition_key", "int"]];
    columns.extend(names.iter().map(|name| [name.as_str(), "regular", "text"]));
    let table = Table::new(columns);
    let large = "ü\"".repeat(350_000);
    let data = names.iter().map(|name| ColumnData::live(name, 1, large.as_bytes()));
    let row = Row { columns: data.collect(), ..Row::default() };
    let update = Update { key: vec![0, 0, 0, 7], items: vec![Item::Row(row)], ..Update::default() };
    for profile in [Profile::Flat, Profile::DebeziumCassandra, Profile::Debezium] {
        let records =
            records_of_payload(&table.schema(), &config(profile), &payload(&table, &update)).unwrap();
        let after = &records[0].json()["after"];
        let last = if profile == Profile::DebeziumCassandra { &after["c62"]["value"] } else { &after["c62"] };
        assert_eq!(last.as_str().unwrap(), large);
        // Profile debezium has the whole row, so it is not an update to the side topic.
        assert!(!records[0].topic.ends_with(".flat"));
    }
}
