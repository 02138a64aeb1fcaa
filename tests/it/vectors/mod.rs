//! The library against the independent implementation and the texts of Cassandra, Kafka and the JDK in
//! `tests/oracle/vectors`. Every row travels the whole way: payload, mutation, event, record.

mod accepted;
mod bounds;
mod cassandra_json;
mod event_id;
mod numbers;
mod partition;
mod row_hash;
mod values;

use std::path::Path;

use serde_json::Value;

use crate::support::mutation_writer::{CellContent, CellData};
use crate::support::table::Udt;

/// The lines of a vector file.
fn lines(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no text {field}: {value}"))
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap_or_else(|| panic!("no hex: {value}"))).unwrap()
}

/// `{name: [[field, type], …]}`.
fn types(value: &Value) -> Vec<Udt> {
    let pair = |field: &Value| (field[0].as_str().unwrap().to_owned(), field[1].as_str().unwrap().to_owned());
    let fields = |fields: &Value| fields.as_array().unwrap().iter().map(pair).collect();
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), fields(value))).collect()
}

/// A live cell without TTL.
fn live(path: Option<Vec<u8>>, ts: i64, value: &[u8]) -> CellData {
    CellData { path, ts, value: CellContent::Live(value.to_vec(), None) }
}

/// The logged form of a partition key.
fn partition_key(values: &[Vec<u8>]) -> Vec<u8> {
    if let [only] = values {
        return only.clone();
    }
    let component =
        |value: &Vec<u8>| [&u16::try_from(value.len()).unwrap().to_be_bytes()[..], value, &[0]].concat();
    values.iter().flat_map(component).collect()
}
