//! The cases of the tests of Debezium's Cassandra connector (A, T), and cases that it has no test for (B), over
//! segments that real nodes wrote: `cdc_fixtures/*-acceptance`, made of `cdc_fixtures/workload/acceptance.py`.
//!
//! Each case is named by its id in those lists. Cases about snapshots, offsets, tailing and the connector's process
//! need a live node and are not here.

mod beyond_ranges;
mod beyond_rows;
mod beyond_schema;
mod connector_cases;
mod type_cases;

use std::path::Path;

use serde_json::{Value, json};

use crate::program::{agent, fixtures, json_lines, stderr};

const FIXTURES: [&str; 2] = ["4.1-acceptance", "5.0-acceptance"];

const CONNECTOR: &[&str] = &["--profile", "debezium-cassandra"];
const FLAT: &[&str] = &["--profile", "flat"];

/// The records of some tables, with the schema as it was before the first statement.
fn replay(fixture: &str, tables: &[&str], options: &[&str]) -> Vec<Value> {
    replay_with("schema-before.json", fixture, tables, options)
}

fn replay_with(schema: &str, fixture: &str, tables: &[&str], options: &[&str]) -> Vec<Value> {
    let folder = fixtures().join(fixture);
    let schema = folder.join(schema);
    let tables = tables.iter().flat_map(|table| ["--table", table]);
    let fixed = ["replay", "--quiet", "--schema", text(&schema), text(&folder)];
    // Tables that come and go in the workload (`filler.last`, the tables of other cases) are not looked at.
    let output =
        agent(fixed.into_iter().chain(["--allow-unknown"]).chain(tables).chain(options.iter().copied()));
    assert_eq!(output.status.code(), Some(0), "{fixture} {options:?}: {}", stderr(&output));
    json_lines(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

fn operations(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["value"]["op"].as_str().expect("an op")).collect()
}

/// A cell of the connector with a value.
fn cell(value: impl Into<Value>) -> Value {
    json!({"value": value.into(), "deletion_ts": null, "set": true})
}

/// The values in `after` of a connector's record, of the columns that it sets.
fn values(record: &Value) -> Value {
    let after = record["value"]["after"].as_object().expect("an after");
    let set = after.iter().filter(|(name, cell)| !name.starts_with("_range") && !cell.is_null());
    Value::Object(set.map(|(name, cell)| (name.clone(), cell["value"].clone())).collect())
}
