//! The records of a whole fixture, applied to a model of Cassandra, give the rows that Cassandra's own SELECT gave on the node
//! that wrote the fixture: values, write times and expiry.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::string_slice,
    reason = "a test may stop at what a fixture cannot hold"
)]

mod cells;
mod events;
mod json;
mod select;
mod state;
mod types;
mod value;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cdc_agent::sink::FileLogReader;
use json::Json;
use state::{LiveRow, Model};
use types::{Table, Tables};

use crate::support::{fixture, segments};

/// A SELECT takes its time: TTLs are shorter than at `selected_at` by up to this many seconds.
const SELECTING_SECONDS: i64 = 30;

/// Rows that a TRUNCATE removed, which no commit log tells.
const TRUNCATED: [(&str, &str, &str); 2] = [("evolve.created", "k", "1"), ("evolve.created", "k", "5")];

/// Rows that were written while the table had no CDC, or while its keyspace wrote no commit log.
const UNWANTED: [(&str, &str, &str); 2] = [("evolve.toggled", "k", "2"), ("not_durable.t", "k", "1")];

/// What the workload renames: records have the names of their time, SELECT the last ones. Table, old name, new name.
const RENAMED: [(&str, &str, &str); 2] = [("evolve.t", "c", "renamed"), ("evolve.typed", "zip", "code")];

/// Runs `cdc-agent replay` on the segments of a folder.
fn replay(dir: &Path, options: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cdc-agent"))
        .arg("replay")
        .arg(dir)
        .arg("--schema")
        .arg(dir.join("schema.json"))
        .arg("--allow-unknown")
        .args(options)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The records of a fixture, as `replay` prints them.
fn records(dir: &Path, options: &[&str]) -> Vec<Json> {
    replay(dir, options).lines().map(Json::parse).collect()
}

/// The event with the last names of its columns and fields.
fn with_last_names(event: &Json) -> Json {
    let source = event.at("source");
    let name = format!("{}.{}", source.at("keyspace").text(), source.at("table").text());
    let renamed = RENAMED.iter().find(|(table, ..)| *table == name);
    renamed.map_or_else(|| event.clone(), |(_, old, new)| rename(event, old, new, false))
}

/// Fields of objects, and in `patch` also paths, which are texts.
fn rename(json: &Json, old: &str, new: &str, has_paths: bool) -> Json {
    let last_name = |name: &str| if name == old { new.to_owned() } else { name.to_owned() };
    match json {
        Json::Text(text) if has_paths => Json::Text(last_name(text)),
        Json::Array(items) => {
            Json::Array(items.iter().map(|item| rename(item, old, new, has_paths)).collect())
        }
        Json::Object(fields) => {
            let field = |(name, value): &(String, Json)| {
                (last_name(name), rename(value, old, new, has_paths || name == "patch"))
            };
            Json::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// A row that SELECT printed, but for its expiry.
fn selected(table: &Table, line: &Json) -> LiveRow {
    let mut columns = BTreeMap::new();
    let keys = table.partition_key.iter().chain(table.clustering.iter().map(|(column, _)| column));
    for column in keys.chain(table.columns.values()) {
        if let Some(json) = line.at("row").get(&select::quoted(&column.name)) {
            columns.insert(column.name.clone(), select::of_select(&column.cql_type, json));
        }
    }
    let integers = |name: &str| -> BTreeMap<String, i64> {
        line.at(name).fields().iter().map(|(column, number)| (column.clone(), number.integer())).collect()
    };
    let selected_at = line.at("selected_at").integer();
    let expires_at = integers("ttl").into_iter().map(|(column, left)| (column, left + selected_at)).collect();
    LiveRow { columns, writetime: integers("writetime"), expires_at }
}

/// Compare one table; returns what differs.
fn differences(name: &str, table: &Table, lines: &[&Json], model: &Model<'_>) -> Vec<String> {
    let now = lines.first().map_or(0, |line| line.at("selected_at").integer());
    let mut wanted: Vec<LiveRow> = lines.iter().map(|line| selected(table, line)).collect();
    let mut found = model.rows(name, now);
    let is_one_of = |rows: &[(&str, &str, &str)], row: &LiveRow| {
        rows.iter().any(|(table, key, value)| *table == name && row.columns[*key] == *value)
    };
    found.retain(|row| !is_one_of(&TRUNCATED, row));
    wanted.retain(|row| !is_one_of(&UNWANTED, row));
    // The server fails to print some values.
    let left_out: Vec<&Json> = lines
        .first()
        .and_then(|line| line.get("left_out"))
        .map_or(Vec::new(), |names| names.items().iter().collect());
    for row in &mut found {
        row.columns.retain(|column, _| !left_out.iter().any(|name| name.text() == column));
    }
    wanted.sort();
    found.sort();
    let mut differences = Vec::new();
    if wanted.len() != found.len() {
        differences.push(format!(
            "{name}: {} rows were selected, the records give {}",
            wanted.len(),
            found.len()
        ));
    }
    for row in wanted.iter().filter(|row| !found.iter().any(|other| is_same(row, other))) {
        differences.push(format!("{name}: only selected: {row:?}"));
    }
    for row in found.iter().filter(|row| !wanted.iter().any(|other| is_same(other, row))) {
        differences.push(format!("{name}: only in the records: {row:?}"));
    }
    differences
}

fn is_same(selected: &LiveRow, row: &LiveRow) -> bool {
    let expiry = |row: &LiveRow| row.expires_at.keys().cloned().collect::<Vec<_>>();
    let is_near = |(column, selected): (&String, &i64)| {
        (0..=SELECTING_SECONDS).contains(&(row.expires_at[column] - selected))
    };
    selected.columns == row.columns
        && selected.writetime == row.writetime
        && expiry(selected) == expiry(row)
        && selected.expires_at.iter().all(is_near)
}

/// Replay a fixture and compare all its tables.
fn check(name: &str, options: &[&str]) {
    let dir = fixture(name);
    compare(&dir, &records(&dir, options));
}

/// Compare the records of a fixture with what was selected.
fn compare(dir: &Path, records: &[Json]) {
    compare_but(dir, records, "none");
}

/// Compare all tables but those of one keyspace.
fn compare_but(dir: &Path, records: &[Json], keyspace: &str) {
    let tables: Tables = types::tables(&dir.join("schema.json"));
    let mut model = Model::new(&tables);
    records.iter().for_each(|record| model.apply(&with_last_names(record.at("value"))));
    let text = std::fs::read_to_string(dir.join("select.jsonl")).unwrap();
    let selected: Vec<Json> = text.lines().map(Json::parse).collect();
    let mut all = Vec::new();
    let is_wanted = |name: &str| !name.starts_with(&format!("{keyspace}."));
    for (table_name, table) in tables.iter().filter(|(name, table)| table.is_cdc && is_wanted(name)) {
        let is_of_table = |line: &&Json| {
            format!("{}.{}", line.at("keyspace").text(), line.at("table").text()) == *table_name
        };
        let lines: Vec<&Json> = selected.iter().filter(is_of_table).collect();
        all.extend(differences(table_name, table, &lines, &model));
    }
    assert!(
        !records.is_empty() && all.is_empty(),
        "{}, {} records:\n{}",
        dir.display(),
        records.len(),
        all.join("\n")
    );
}

#[test]
fn segments_of_4_1_give_the_rows_that_it_selects() {
    for name in ["4.1-none", "4.1-lz4", "4.1-snappy", "4.1-deflate", "4.1-zstd", "demo"] {
        check(name, &[]);
    }
}

#[test]
fn segments_of_5_0_give_the_rows_that_it_selects() {
    for name in ["5.0-none", "5.0-v8-direct", "5.0-v8-lz4"] {
        check(name, &[]);
    }
}

#[test]
fn encrypted_segments_give_the_rows_that_are_selected() {
    let key = fixture("keys/aes128.key.hex");
    for name in ["4.1-encrypted", "5.0-v8-encrypted"] {
        check(name, &["--commitlog-key-hex-file", key.to_str().unwrap()]);
    }
}

/// The node was killed ten statements after the SELECT, which are all of one keyspace; some of them stand beyond the last marker.
#[test]
fn the_segment_of_a_killed_node_gives_the_rows_up_to_its_last_marker() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in segments(&fixture("4.1-kill9")) {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    for name in ["schema.json", "select.jsonl"] {
        std::fs::copy(fixture("4.1-kill9").join(name), dir.path().join(name)).unwrap();
    }
    compare_but(dir.path(), &records(dir.path(), &[]), "writes");
}

#[test]
fn a_file_log_holds_each_record_once() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("log");
    let fixture = fixture("5.0-v8-lz4");
    let contents = || {
        let reader = FileLogReader::open(&out).unwrap();
        let mut records = Vec::new();
        for topic in reader.topics() {
            for partition in 0..reader.partitions() {
                records.extend(reader.lines(topic, partition).map(|line| Json::parse(&line.unwrap())));
            }
        }
        records
    };
    let options = ["--out", out.to_str().unwrap(), "--partitions", "3", "--jobs", "2"];
    replay(&fixture, &options);
    let first = contents();
    compare(&fixture, &first);
    replay(&fixture, &options);
    assert_eq!(contents(), first);
}

#[test]
fn records_with_all_times_say_the_same() {
    for name in ["4.1-none", "5.0-none"] {
        check(name, &["--cells", "all"]);
    }
}
