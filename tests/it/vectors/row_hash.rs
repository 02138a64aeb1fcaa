//! `row_hash.jsonl`: both versions and `hash_def` of every row.

use cdc_agent::change::filter::{ColumnRule, ColumnRules};
use cdc_agent::envelope::options::{Profile, RowHashOptions, RowHashVersion};
use serde_json::{Value, json};

use super::{lines, live, partition_key, text, types, unhex};
use crate::support::mutation_writer::{ColumnData, Content, Deletion, Item, Row, Update, payload};
use crate::support::records::{config, records_of_payload};
use crate::support::table::{Column, Table};

const TS: i64 = 1_700_000_000_000_000;

/// A column of the row as a statement that writes the whole row leaves it; `None` for a key column.
fn data(column: &Value) -> Option<ColumnData> {
    let name = text(column, "name");
    if matches!(text(column, "kind"), "partition_key" | "clustering") {
        return None;
    }
    let type_text = text(column, "type");
    let complex = matches!(type_text.split('<').next(), Some("list" | "set" | "map"))
        || (!type_text.contains('<') && column.get("cells").is_some());
    let content = match (column.get("cells"), column.get("withheld_ts_us")) {
        (Some(cells), _) => Content::Complex(Some(Deletion(TS - 1, 1_700_000_000)), elements(cells)),
        // The times of a withheld column are all that shows: the value is made up.
        (None, Some(ts)) if complex => {
            let ts = ts.as_i64().unwrap();
            let deletion = Deletion(ts - 1, 1_700_000_000);
            Content::Complex(Some(deletion), vec![live(Some(vec![9; 16]), ts, b"made up")])
        }
        (None, Some(ts)) => Content::Simple(live(None, ts.as_i64().unwrap(), b"made up")),
        (None, None) if column["value"].is_null() => {
            Content::Simple(crate::support::mutation_writer::CellData {
                path: None,
                ts: TS,
                value: crate::support::mutation_writer::CellContent::Deleted(1_700_000_000),
            })
        }
        (None, None) => Content::Simple(live(None, TS, &unhex(&column["value"]))),
    };
    Some(ColumnData { name: name.to_owned(), content })
}

fn elements(cells: &Value) -> Vec<crate::support::mutation_writer::CellData> {
    let element = |cell: &Value| live(Some(unhex(&cell[0])), TS, &unhex(&cell[1]));
    cells.as_array().unwrap().iter().map(element).collect()
}

fn table(line: &Value) -> Table {
    let columns = line["columns"].as_array().unwrap();
    let column =
        |column: &Value| Column::new(text(column, "name"), text(column, "kind"), text(column, "type"));
    Table {
        keyspace: text(line, "keyspace").to_owned(),
        name: text(line, "table").to_owned(),
        columns: columns.iter().map(column).collect(),
        types: types(&line["udts"]),
        flags: vec!["compound"],
    }
}

fn update(line: &Value) -> Update {
    let columns = line["columns"].as_array().unwrap();
    let values = |kind: &'static str| {
        columns
            .iter()
            .filter(move |column| column["kind"] == kind)
            .map(|column| (!column["value"].is_null()).then(|| unhex(&column["value"])))
    };
    let key: Vec<Vec<u8>> = values("partition_key").map(Option::unwrap).collect();
    let of_kind = |kind: &'static str| columns.iter().filter(move |column| column["kind"] == kind);
    let row = Row {
        clustering: values("clustering").collect(),
        liveness: Some((TS, None)),
        deletion: None,
        columns: of_kind("regular").filter_map(data).collect(),
    };
    let statics: Vec<ColumnData> = of_kind("static").filter_map(data).collect();
    let static_row = (!statics.is_empty()).then(|| Row { columns: statics, ..Row::default() });
    Update { key: partition_key(&key), deletion: None, static_row, items: vec![Item::Row(row)] }
}

fn rules(line: &Value, rule: ColumnRule) -> ColumnRules {
    let mut rules = ColumnRules::default();
    let table = (text(line, "keyspace").to_owned(), text(line, "table").to_owned());
    for column in line["columns"].as_array().unwrap() {
        if column.get("withheld_ts_us").is_some() {
            rules.add((table.clone(), text(column, "name").to_owned()), rule).unwrap();
        }
    }
    rules
}

fn options(line: &Value, version: RowHashVersion) -> RowHashOptions {
    let names = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let table = (text(line, "keyspace").to_owned(), text(line, "table").to_owned());
    RowHashOptions {
        version,
        exclude: line.get("exclude").map_or_else(|| vec!["record_hash".to_owned()], names),
        columns: line.get("v0_columns").map(|columns| (table, names(columns))).into_iter().collect(),
    }
}

/// The last record: that of the row, behind that of its static columns.
fn hashes(line: &Value, version: RowHashVersion, rule: ColumnRule) -> Value {
    let table = table(line);
    let mut config = config(Profile::Flat);
    config.rules = rules(line, rule);
    config.row_hash = Some(options(line, version));
    let records = records_of_payload(&table.schema(), &config, &payload(&table, &update(line)))
        .unwrap_or_else(|error| panic!("{}: {error}", text(line, "name")));
    let (row, statics) = records.split_last().unwrap();
    for record in statics {
        assert_eq!(record.json()["hash_kind"], "partial");
    }
    let record = row.json();
    json!([record["row_hash"], record["hash_kind"], record["hash_version"], record["hash_def"]])
}

#[test]
fn v1_of_every_row_is_that_of_the_vectors() {
    let lines = lines("row_hash.jsonl");
    assert!(lines.len() >= 200, "{} rows", lines.len());
    for line in &lines {
        for rule in [ColumnRule::Drop, ColumnRule::Mask, ColumnRule::Hash] {
            let expected = json!([line["row_hash"], "full", "v1", line["hash_def"]]);
            assert_eq!(hashes(line, RowHashVersion::V1, rule), expected, "{line}");
        }
    }
}

#[test]
fn v0_of_every_row_is_that_of_the_vectors() {
    for line in &lines("row_hash.jsonl") {
        let kind = if line["v0_row_hash"].is_null() { "partial" } else { "full" };
        let hash_def = line.get("v0_hash_def").unwrap_or(&line["hash_def"]);
        let expected = json!([line["v0_row_hash"], kind, "v0", hash_def]);
        assert_eq!(hashes(line, RowHashVersion::V0, ColumnRule::Mask), expected, "{line}");
    }
}
