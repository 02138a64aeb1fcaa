//! Mutations read with types that are not those of the log: what stands behind the misread bytes may be a cell's,
//! and must not be shown as a table's id or a column's name.

use std::collections::BTreeSet;
use std::fs;

use cdc_agent::commitlog::mutation::ColumnLabel;
use cdc_agent::commitlog::{Decoder, Mutation, MutationError};
use serde_json::{Value, json};

use crate::program::{agent, fixtures, json_lines, segment, stdout};
use crate::support::mutation_writer::{ColumnData, Item, Row, Update, payload};
use crate::support::table::Table;

fn table(type_text: &str) -> Table {
    Table::new([["id", "partition_key", "int"], ["v", "regular", type_text]])
}

/// A mutation of `shop.t` with this text in `v`, and of another table with key `second_key`.
fn mutation(value: &[u8], second_key: &[u8]) -> Vec<u8> {
    let update = |key: &[u8], value: &[u8]| {
        let row = Row { columns: vec![ColumnData::live("v", 1, value)], ..Row::default() };
        payload(
            &table("text"),
            &Update { key: key.to_vec(), items: vec![Item::Row(row)], ..Update::default() },
        )
    };
    let mut second = update(second_key, b"more");
    second[16] = 9;
    [&[2], &update(&[0, 0, 0, 1], value)[1..], &second[1..]].concat()
}

fn decode(type_text: &str, payload: &[u8]) -> MutationError {
    let schema = table(type_text).schema();
    Decoder::new(&schema).decode(payload, &mut Mutation::default()).unwrap_err()
}

/// As an int, the value ends behind its third byte; an end of the partition follows, and what looks like an update.
fn looks_like_an_update(id: &[u8; 16], key: &[u8]) -> Vec<u8> {
    let length = u8::try_from(key.len()).unwrap();
    [&b"abc\x01"[..], id, &[length], key, &[0x10, 0, 0, 0, 0]].concat()
}

#[test]
fn bytes_of_a_cell_are_not_taken_for_a_table() {
    for secret in [b"TOPSECRETTOPSECR", b"\x1b[31m\x07SECRETSEC!"] {
        let payload = mutation(&looks_like_an_update(secret, b"SECRET"), &[0, 0, 0, 1]);
        let error = decode("int", &payload);
        assert!(matches!(error, MutationError::Malformed { .. }), "{error}");
        assert!(!error.is_unknown_schema());
        let said = error.to_string();
        assert!(said.contains("partition key of the first one") && !said.contains("SECRET"), "{said}");
        assert!(!said.contains(&hex::encode(&secret[..4])), "{said}");
    }
}

#[test]
fn a_table_that_the_schema_does_not_have_is_named_all_the_same() {
    let named = "5dc1a799-0000-11f0-8000-000000000000".parse().map(|mut id: cdc_agent::schema::TableId| {
        id.0[15] = 9;
        id
    });
    assert_eq!(decode("text", &mutation(b"abc", &[0, 0, 0, 1])), MutationError::UnknownTable(named.unwrap()));
    // All updates of a mutation have one key.
    let error = decode("text", &mutation(b"abc", &[0, 0, 0, 2]));
    assert!(matches!(error, MutationError::Malformed { .. }), "{error}");
}

#[test]
fn only_what_looks_like_a_column_name_is_shown() {
    let shown = |name: &[u8]| ColumnLabel::of(name).to_string();
    assert_eq!(shown(b"amount"), "`amount`");
    assert_eq!(shown("Größe".as_bytes()), "`Größe`");
    assert_eq!(shown(b"a \"b\""), "`a \\\"b\\\"`");
    assert_eq!(shown("a\u{202e}b".as_bytes()), "`a\\u{202e}b`", "it would turn the text around");
    assert_eq!(shown(&[b'x'; 64]), format!("`{}`", "x".repeat(64)));
    for hidden in [&[b'x'; 65][..], b"", b"a\nb", b"\x1b[31m", b"\xff\xfe", "\u{85}".as_bytes()] {
        assert_eq!(shown(hidden), format!("with a name of {} bytes", hidden.len()));
    }
    let error = decode_column(&[b'x'; 300]);
    assert!(error.ends_with("has no regular column with a name of 300 bytes in the schema"), "{error}");
    assert!(decode_column(b"w").ends_with("has no regular column `w` in the schema"));
}

/// What is said of a column `name` that the table does not have.
fn decode_column(name: &[u8]) -> String {
    let written = String::from_utf8(name.to_vec()).unwrap();
    let writer = Table::new([["id", "partition_key", "int"], [&written, "regular", "text"]]);
    let row = Row { columns: vec![ColumnData::live(&written, 1, b"abc")], ..Row::default() };
    let update = Update { key: vec![0, 0, 0, 1], items: vec![Item::Row(row)], ..Update::default() };
    decode("text", &payload(&writer, &update)).to_string()
}

/// The ids of all tables of a schema file.
fn ids(schema: &Value) -> BTreeSet<String> {
    let rows = ["tables", "views"].into_iter().filter_map(|kind| schema[kind].as_array()).flatten();
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Real segments, with a schema in which texts are ints.
#[test]
fn a_wrong_schema_shows_no_cell_of_a_real_segment() {
    for folder in ["5.0-none", "4.1-none", "5.0-v8-direct"] {
        let mut schema: Value =
            serde_json::from_slice(&fs::read(fixtures().join(folder).join("schema.json")).unwrap()).unwrap();
        for row in schema["columns"].as_array_mut().unwrap() {
            if row["type"] == "text" && row["kind"] != "partition_key" {
                row["type"] = json!("int");
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let (file, summary) = (dir.path().join("schema.json"), dir.path().join("summary.json"));
        fs::write(&file, schema.to_string()).unwrap();
        let path = segment(folder);
        let [path, file, told] = [&path, &file, &summary].map(|path| path.to_str().unwrap());
        let fixed = ["replay", path, "--schema", file, "--dry-run", "--quiet", "--summary", told];
        let output = agent(fixed);
        assert_eq!(output.status.code(), Some(5), "{folder}");
        let summary: Value = serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap();
        let known = ids(&schema);
        let unknown: Vec<&String> = summary["unknown_tables"].as_object().unwrap().keys().collect();
        assert!(unknown.iter().all(|id| known.contains(*id)), "{folder}: {unknown:?}");
        assert!(summary["parked"]["count"].as_u64().unwrap() > 10, "{folder}: {summary}");

        // Which tables are met does not depend on types.
        let met = |schema: &str| -> BTreeSet<String> {
            let lines = json_lines(&agent(["inspect", "--json", path, "--schema", schema]));
            let updates = lines.iter().filter_map(|line| line["updates"].as_array()).flatten();
            updates.map(|update| update["table_id"].as_str().unwrap().to_owned()).collect()
        };
        let right = fixtures().join(folder).join("schema.json");
        let more: Vec<String> = met(file).difference(&met(right.to_str().unwrap())).cloned().collect();
        assert_eq!(more, [""; 0], "{folder}");
        let text = stdout(&agent(["inspect", path, "--schema", file]));
        assert!(!text.chars().any(|it| it.is_control() && it != '\n'), "{folder}");
    }
}
