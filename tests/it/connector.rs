//! Profile debezium-cassandra over the statements for which the JVM connector's records were measured.
//!
//! `tests/oracle/vectors/debezium_cassandra.jsonl` has the connector's record beside the one wanted here; they are
//! equal where `differs` is empty, and every reason stands in `docs/debezium-differences.md`.

use std::collections::HashSet;
use std::path::Path;

use cdc_agent::change::filter::TableFilter;
use cdc_agent::envelope::options::Profile;
use serde_json::Value;

use crate::support::records::{NOW_MS, OwnedRecord, config, records_of_segments};
use crate::support::{fixture, read, schema, segments};

/// The order of `source` in the connector's records.
const SOURCE: [&str; 14] = [
    "version",
    "connector",
    "name",
    "ts_ms",
    "snapshot",
    "db",
    "sequence",
    "ts_us",
    "ts_ns",
    "cluster",
    "file",
    "pos",
    "keyspace",
    "table",
];

fn measured() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/vectors/debezium_cassandra.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sales(name: &str) -> Vec<OwnedRecord> {
    let folder = fixture(name);
    let filter = TableFilter { keyspaces: HashSet::from(["sales".to_owned()]), ..TableFilter::default() };
    let schema = schema(&folder.join("schema.json"));
    records_of_segments(&segments(&folder), &schema, &filter, &config(Profile::DebeziumCassandra))
}

/// Puts words where the measured record has them: deletion times are `source.ts_us`, or an expiry.
fn with_words(mut after: Value, ts_us: i64) -> Value {
    for cell in after.as_object_mut().unwrap().values_mut() {
        let Some(time) = cell.get_mut("deletion_ts") else { continue };
        match time.as_i64() {
            Some(micros) if micros == ts_us => *time = "ts_us".into(),
            // The TTL of the statement is 3600; Cassandra counts from the second of the write.
            Some(micros) if (micros - ts_us - 3_600_000_000).abs() < 2_000_000 => *time = "expiry".into(),
            Some(micros) => panic!("deletion_ts {micros} at {ts_us}"),
            None => {}
        }
    }
    after
}

/// The order of elements in a set or map is a hash table's in the connector.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

fn check(record: &OwnedRecord, line: &Value) {
    let cql = &line["cql"];
    let value = record.json();
    let names: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(names, ["ts_ms", "op", "source", "after"], "{cql}");
    assert_eq!(value["ts_ms"], NOW_MS, "{cql}");
    let source = &value["source"];
    assert_eq!(source.as_object().unwrap().keys().collect::<Vec<_>>(), SOURCE, "{cql}");
    let ts_us = source["ts_us"].as_i64().unwrap();
    assert_eq!(source["ts_ms"], ts_us / 1000, "{cql}");
    assert_eq!(source["ts_ns"], ts_us * 1000, "{cql}");
    assert_eq!((&source["db"], &source["sequence"]), (&Value::from("NULL"), &Value::Null));
    let table =
        format!("local.{}.{}", source["keyspace"].as_str().unwrap(), source["table"].as_str().unwrap());
    assert_eq!(record.topic, table);
    let wanted = &line["record"];
    let after = with_words(value["after"].clone(), ts_us);
    // As text: the order of fields counts.
    assert_eq!(record.key, wanted["key"].to_string(), "{cql}");
    assert_eq!(value["op"], wanted["op"], "{cql}");
    assert_eq!(after.to_string(), wanted["after"].to_string(), "{cql}");
    if line["differs"].as_array().unwrap().is_empty() {
        let connector = &line["connector"];
        assert_eq!(record.key, connector["key"].to_string(), "{cql}");
        assert_eq!(value["op"], connector["op"], "{cql}");
        assert_eq!(sorted(&after), sorted(&connector["after"]), "{cql}");
        let order: Vec<&String> = connector["after"].as_object().unwrap().keys().collect();
        assert_eq!(after.as_object().unwrap().keys().collect::<Vec<_>>(), order, "{cql}");
    }
}

#[test]
fn records_equal_the_connectors_but_for_the_listed_differences() {
    let lines = measured();
    for name in ["4.1-none", "5.0-none"] {
        let records = sales(name);
        assert_eq!(records.len(), lines.len(), "{name}");
        for (record, line) in records.iter().zip(&lines) {
            check(record, line);
        }
    }
}

/// `source.pos` of the connector is the position that Cassandra's reader has after the mutation.
#[test]
fn positions_are_those_of_cassandras_reader() {
    let folder = fixture("4.1-none");
    let oracle = String::from_utf8(read(&folder.join("mutations.jsonl.gz"))).unwrap();
    let mutations = oracle.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let positions: Vec<u64> = mutations
        .filter(|line| {
            line["updates"].as_array().is_some_and(|updates| {
                updates.iter().any(|update| update["keyspace"] == "sales" && update["table"] != "audit")
            })
        })
        .map(|line| line["pos"].as_u64().unwrap())
        .collect();
    let mut found: Vec<u64> =
        sales("4.1-none").iter().map(|record| record.json()["source"]["pos"].as_u64().unwrap()).collect();
    // The static row and the row of one mutation share its position.
    found.dedup();
    assert_eq!(found, positions);
}
