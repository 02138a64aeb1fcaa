//! A1 to A9: rows, partitions, ranges, batches, several tables.

use serde_json::{Value, json};

use super::{CONNECTOR, FIXTURES, FLAT, cell, operations, replay, replay_with, text, values};
use crate::program::{agent, fixtures, stderr};

#[test]
fn a1_ten_inserts_are_ten_records() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.a1"], CONNECTOR);
        assert_eq!(records.len(), 10, "{fixture}");
        for (number, record) in records.iter().enumerate() {
            assert_eq!(record["topic"], "local.accept.a1");
            assert_eq!(record["key"], json!({"a": number}));
            let value = &record["value"];
            assert_eq!((&value["op"], &value["source"]["snapshot"]), (&json!("i"), &json!("false")));
            assert_eq!(
                (&value["source"]["keyspace"], &value["source"]["table"]),
                (&json!("accept"), &json!("a1"))
            );
            assert_eq!(values(record), json!({"a": number, "b": number}));
        }
    }
}

#[test]
fn a2_deletion_by_a_key_without_clustering() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.a2"], CONNECTOR);
        assert_eq!(operations(&records), ["i", "d"]);
        assert_eq!(records[1]["key"], json!({"a": 1}));
        let ts_us = &records[1]["value"]["source"]["ts_us"];
        assert_eq!(
            records[1]["value"]["after"]["b"],
            json!({"value": null, "deletion_ts": ts_us, "set": true})
        );
    }
}

#[test]
fn a3_deletion_of_a_partition_with_clustering() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.a3"], CONNECTOR);
        assert_eq!(operations(&records), ["i", "i", "d"]);
        assert_eq!(records[0]["key"], json!({"a": 1, "b": 1}));
        assert_eq!(records[1]["key"], json!({"a": 1, "b": 2}));
        assert_eq!(records[2]["key"], json!({"a": 1, "b": null}));
    }
}

#[test]
fn a4_range_deletion_with_its_bounds() {
    let int = "org.apache.cassandra.db.marshal.Int32Type";
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.a4"], CONNECTOR);
        assert_eq!(operations(&records), ["i", "i", "r"]);
        let after = &records[2]["value"]["after"];
        assert_eq!(after["a"], cell(1));
        assert_eq!((&after["b"], &after["e"]), (&Value::Null, &Value::Null));
        let b = json!({"name": "b", "value": "1", "type": int});
        let c = json!({"name": "c", "value": "2", "type": int});
        assert_eq!(after["_range_start"], json!({"method": "INCL_START_BOUND", "values": [b]}));
        assert_eq!(after["_range_end"], json!({"method": "INCL_END_BOUND", "values": [b, c]}));
    }
}

#[test]
fn a5_logged_batch_that_replaces_a_partition() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.a5"], CONNECTOR);
        assert_eq!(operations(&records), ["d", "i", "i", "i"]);
        let clustering: Vec<&Value> = records.iter().map(|record| &record["key"]["c1"]).collect();
        assert_eq!(clustering, [&Value::Null, &json!(""), &json!("c1value1"), &json!("c1value2")]);
        assert_eq!(records[0]["value"]["source"]["ts_us"], 1_683_810_323_861_i64);
        for record in &records[1..] {
            let after = &record["value"]["after"];
            assert_eq!(record["value"]["source"]["ts_us"], 1_683_810_323_862_i64);
            assert_eq!(after["amap"], cell(json!({"k": "v"})));
            // The expiry of the TTL: whole seconds after the write, as the node counted them.
            assert!(after["col1"]["deletion_ts"].as_i64().is_some_and(|micros| micros % 1_000_000 == 0));
            assert_eq!(after["col1"]["value"], "one");
        }
    }
}

#[test]
fn a6_several_tables_in_the_order_of_writing() {
    let tables = ["accept.a6x", "accept.a6y", "accept_two.a6x", "accept_two.a6y"];
    for fixture in FIXTURES {
        let records = replay(fixture, &tables, CONNECTOR);
        assert_eq!(operations(&records), ["i", "i", "i", "i", "d", "d", "d", "d"]);
        let topics: Vec<String> =
            records.iter().map(|record| record["topic"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<String> = tables.iter().map(|table| format!("local.{table}")).collect();
        assert_eq!(topics, [expected.clone(), expected].concat());
    }
}

#[test]
fn a7_a_column_that_is_added_between_two_inserts() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.a7"], CONNECTOR);
        assert_eq!(operations(&records), ["i", "i"]);
        assert_eq!(values(&records[0]), json!({"a": 1, "b": 2}));
        assert_eq!(records[0]["value"]["after"].get("c"), None, "the column did not exist yet");
        assert_eq!(values(&records[1]), json!({"a": 3, "b": 4, "c": 5}));
    }
}

#[test]
fn a8_batch_over_a_table_with_cdc_and_one_without() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.a8"], CONNECTOR);
        assert_eq!(operations(&records), ["i"]);
        assert_eq!(values(&records[0]), json!({"a": 1, "b": 1}));
        // Without --table the wanted tables are those with `cdc = true`.
        let all = replay(fixture, &[], FLAT);
        let tables = all.iter().map(|record| record["value"]["source"]["table"].as_str().unwrap());
        let of_case: Vec<&str> = tables.filter(|table| table.starts_with("a8")).collect();
        assert_eq!(of_case, ["a8"]);
    }
}

/// Read again, a segment gives nothing; told to, it gives everything once more.
#[test]
fn a9_reading_again() {
    let folder = fixtures().join(FIXTURES[0]);
    let (schema, out) = (folder.join("schema.json"), tempfile::tempdir().unwrap());
    let log = out.path().join("log");
    let run = |options: &[&str]| -> usize {
        let fixed =
            ["replay", "--quiet", "--allow-unknown", "--table", "accept.a9", "--schema", text(&schema)];
        let place = [text(&folder), "--out", text(&log)];
        let output = agent(fixed.into_iter().chain(place).chain(options.iter().copied()));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let partition = log.join("local.cdc.accept.a9").join("0");
        let files =
            partition.read_dir().unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        files.map(|content| content.lines().count()).sum()
    };
    assert_eq!(run(&[]), 5);
    assert_eq!(run(&[]), 5);
    assert_eq!(run(&["--again"]), 10);
}

/// The same with the schema of the day after: what the log changed since then changes nothing for these rows.
#[test]
fn rows_do_not_depend_on_the_age_of_the_schema() {
    for fixture in FIXTURES {
        for table in ["accept.a1", "accept.a4", "accept.a5", "accept.t"] {
            let early = replay(fixture, &[table], FLAT);
            let late = replay_with("schema.json", fixture, &[table], FLAT);
            let untimed = |records: &[Value]| -> Vec<Value> {
                let mut records = records.to_vec();
                records.iter_mut().for_each(|record| record["value"]["ts_ms"] = Value::Null);
                records
            };
            assert_eq!(untimed(&early), untimed(&late), "{table}");
        }
    }
}
