//! Which events a mutation becomes, in which order, with which time and range: from what Cassandra's own reader finds in a fixture
//! (`mutations.jsonl.gz`) by the rules of docs/envelope.md 2 and 5, compared with the records.

use std::path::Path;

use super::json::Json;
use super::records;
use super::types::{self, Column, Table, Tables, Type};
use crate::support::{fixture, read};

/// Its tables change in the log, where Cassandra's reader has one schema only.
const CHANGING: &str = "evolve";

/// `op`, table, time and range, and the key where [`value_text`] knows its types.
fn event(op: &str, table: &str, ts_us: i64, detail: &str) -> String {
    format!("{op} {table} {ts_us} {detail}")
}

/// The events of the records.
fn found(tables: &Tables, records: &[Json]) -> Vec<String> {
    let mut events = Vec::new();
    for value in records.iter().map(|record| record.at("value")) {
        let source = value.at("source");
        let name = format!("{}.{}", source.at("keyspace").text(), source.at("table").text());
        if source.at("keyspace").text() == CHANGING {
            continue;
        }
        let table = &tables[&name];
        let op = value.at("op").text();
        let columns = if matches!(op, "d" | "rt") { value.at("before") } else { value.at("after") };
        let key = table.partition_key.iter().map(|column| json_text(column, columns.at(&column.name)));
        let mut detail = key.collect::<String>();
        if let Some(range) = value.get("range") {
            detail +=
                &format!("{}..{}", json_bound(table, range.at("start")), json_bound(table, range.at("end")));
        } else {
            let clustering =
                table.clustering.iter().filter_map(|(column, _)| Some((column, columns.get(&column.name)?)));
            detail += &clustering.map(|(column, json)| json_text(column, json)).collect::<String>();
        }
        events.push(event(op, &name, source.at("ts_us").integer(), &detail));
    }
    events
}

fn json_bound(table: &Table, bound: &Json) -> String {
    if *bound == Json::Null {
        return "open".to_owned();
    }
    let values = table.clustering.iter().zip(bound.at("values").fields());
    let values = values.map(|((column, _), (name, json))| {
        assert_eq!(*name, column.name);
        json_text(column, json)
    });
    format!("{}{}", values.collect::<String>(), bound.at("inclusive"))
}

fn json_text(column: &Column, json: &Json) -> String {
    match &column.cql_type {
        Type::Native(name) if matches!(name.as_str(), "int" | "text") => format!("[{json}]"),
        _ => "[?]".to_owned(),
    }
}

/// The same text from the bytes in hex. In a record a zero-length `int` is null, and so is the clustering that a row of a
/// COMPACT STORAGE table can lack.
fn value_text(column: &Column, bytes: &Json) -> String {
    if *bytes == Json::Null {
        return json_text(column, bytes);
    }
    let bytes = hex::decode(bytes.text()).unwrap();
    match &column.cql_type {
        Type::Native(name) if name == "int" => match <[u8; 4]>::try_from(bytes.as_slice()) {
            Ok(four) => format!("[{}]", i32::from_be_bytes(four)),
            Err(_) => "[null]".to_owned(),
        },
        Type::Native(name) if name == "text" => format!("[{:?}]", String::from_utf8(bytes).unwrap()),
        _ => "[?]".to_owned(),
    }
}

fn key_text(table: &Table, update: &Json) -> String {
    match table.partition_key.as_slice() {
        [column] => value_text(column, update.at("key")),
        parts => {
            // Each part: two bytes of length, the value, a zero.
            let mut rest = update.at("key").text();
            let part = |column: &Column| {
                let (length, after) = rest.split_at(4);
                let (value, after) = after.split_at(2 * usize::from_str_radix(length, 16).unwrap());
                rest = &after[2..];
                value_text(column, &Json::Text(value.to_owned()))
            };
            parts.iter().map(part).collect()
        }
    }
}

/// The events that the rules make of an update.
fn expected(name: &str, table: &Table, update: &Json) -> Vec<String> {
    let key = key_text(table, update);
    let mut events = Vec::new();
    if let Some(deletion) = update.get("deletion") {
        let ts_us = deletion.at("ts").integer();
        events.push(match table.clustering.is_empty() {
            true => event("d", name, ts_us, &key),
            false => event("rt", name, ts_us, &format!("{key}open..open")),
        });
    }
    if let Some(ts_us) = update.get("static").and_then(newest) {
        events.push(event("u", name, ts_us, &key));
    }
    let mut open: Option<(String, i64, usize)> = None;
    for item in update.at("unfiltereds").items() {
        let Some(kind) = item.get("kind") else {
            events.extend(row_events(name, table, &key, item));
            continue;
        };
        let values = item.at("clustering").items().iter().zip(&table.clustering);
        let values: String = values.map(|(bytes, (column, _))| value_text(column, bytes)).collect();
        let bound = |is_inclusive: bool| {
            if values.is_empty() { "open".to_owned() } else { format!("{values}{is_inclusive}") }
        };
        let kind = kind.text();
        let deletion =
            |boundary: &str| item.get("deletion").unwrap_or_else(|| item.at(boundary)).at("ts").integer();
        if let Some((start, ts_us, at)) = open.take_if(|_| kind.contains("END")) {
            // An end stands before a start in the name of a boundary.
            let end = bound(kind.starts_with("INCL_END"));
            assert_eq!(ts_us, deletion("end"));
            // Two open bounds would be the partition: a range over all rows has bounds that let all in.
            let range = if start == end && start == "open" {
                "true..true".to_owned()
            } else {
                format!("{start}..{end}")
            };
            events[at] = event("rt", name, ts_us, &format!("{key}{range}"));
        }
        if kind.contains("START") {
            let start = bound(kind.ends_with("INCL_START_BOUND") || kind.ends_with("INCL_START_BOUNDARY"));
            open = Some((start, deletion("start"), events.len()));
            events.push(String::new());
        }
    }
    assert!(open.is_none(), "{update}");
    events
}

/// `d` first, then what is newer.
fn row_events(name: &str, table: &Table, key: &str, row: &Json) -> Vec<String> {
    let values = row.at("clustering").items().iter().zip(&table.clustering);
    let clustering: String = values.map(|(bytes, (column, _))| value_text(column, bytes)).collect();
    let detail = format!("{key}{clustering}");
    let deletion = row.get("deletion").map(|deletion| event("d", name, deletion.at("ts").integer(), &detail));
    let op = if row.get("liveness").is_some() { "c" } else { "u" };
    let content = newest(row).map(|ts_us| event(op, name, ts_us, &detail));
    deletion.into_iter().chain(content).collect()
}

/// The newest time in a row; none when it holds nothing.
fn newest(row: &Json) -> Option<i64> {
    let mut times: Vec<i64> =
        row.get("liveness").map(|liveness| liveness.at("ts").integer()).into_iter().collect();
    for column in row.at("columns").items() {
        let cells = column.get("cells").map_or(&[][..], Json::items);
        let parts = column.get("cell").into_iter().chain(column.get("deletion")).chain(cells);
        times.extend(parts.map(|part| part.at("ts").integer()));
    }
    times.into_iter().max()
}

fn check(name: &str, options: &[&str]) {
    let dir: &Path = &fixture(name);
    let tables = types::tables(&dir.join("schema.json"));
    let text = String::from_utf8(read(&dir.join("mutations.jsonl.gz"))).unwrap();
    let lines: Vec<Json> = text.lines().map(Json::parse).collect();
    let mut wanted = Vec::new();
    for update in lines.iter().filter_map(|line| line.get("updates")).flat_map(Json::items) {
        let table_name = format!("{}.{}", update.at("keyspace").text(), update.at("table").text());
        let table = tables.get(&table_name).filter(|table| table.is_cdc);
        if let Some(table) = table.filter(|_| update.at("keyspace").text() != CHANGING) {
            wanted.extend(expected(&table_name, table, update));
        }
    }
    let found = found(&tables, &records(dir, options));
    for (number, (wanted, found)) in wanted.iter().zip(&found).enumerate() {
        assert_eq!(found, wanted, "{name}, event {number}");
    }
    assert!(!found.is_empty() && found.len() == wanted.len(), "{name}: {} of {}", found.len(), wanted.len());
}

#[test]
fn mutations_become_the_documented_events() {
    for name in ["4.1-none", "4.1-lz4", "4.1-snappy", "5.0-none", "5.0-v8-direct", "5.0-v8-lz4", "demo"] {
        check(name, &[]);
    }
}
