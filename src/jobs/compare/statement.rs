//! The SELECT of one row.

use serde_json::{Map, Value};

use super::{Cell, Row};
use crate::jobs::column::Shape;
use crate::jobs::rules::TableRules;

/// A primary key: a JSON value for each of its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Key(Map<String, Value>);

/// Why a text is no key. No value is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No object.
    #[error("a key is a JSON object with a value for each of {0}")]
    NoObject(String),
    /// Other columns.
    #[error("a key has the columns {0}, each once, and none of them is null")]
    Columns(String),
}

impl Key {
    /// Reads `{"id":"1"}`, with the key's columns by their names in Cassandra.
    ///
    /// # Errors
    /// It is no key of the table.
    pub fn read(text: &str, rules: &TableRules) -> Result<Self, KeyError> {
        let names: Vec<&str> = key_names(rules).collect();
        let value = serde_json::from_str(text);
        let Ok(Value::Object(fields)) = value else { return Err(KeyError::NoObject(names.join(", "))) };
        let has = |name: &&str| fields.get(*name).is_some_and(|value| !value.is_null());
        if fields.len() != names.len() || !names.iter().all(has) {
            return Err(KeyError::Columns(names.join(", ")));
        }
        Ok(Self(fields))
    }

    /// The key as compact JSON.
    #[must_use]
    pub fn json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

fn key_names(rules: &TableRules) -> impl Iterator<Item = &str> {
    rules.key.iter().filter_map(|number| rules.columns.get(*number)).map(|column| column.name.as_str())
}

/// An identifier of CQL in quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether the column has one write time: keys have none, and an element of a collection has its own.
fn has_write_time(rules: &TableRules, number: usize) -> bool {
    let is_opaque = rules
        .columns
        .get(number)
        .is_none_or(|column| column.shape == Shape::Opaque && column.cql_type != "inet");
    !rules.key.contains(&number) && !is_opaque
}

/// The names under which the answer is told apart: a column may be called anything.
fn alias(kind: char, number: usize) -> String {
    format!("{kind}{number}")
}

/// The SELECT of one row by its whole primary key. A value stands in it as a text of JSON that Cassandra reads; in a text of
/// CQL nothing but the quote has a meaning.
pub(super) fn select(keyspace: &str, rules: &TableRules, key: &Key) -> String {
    let mut wanted = Vec::new();
    for (number, column) in rules.columns.iter().enumerate() {
        wanted.push(format!("{} AS {}", quoted(&column.name), alias('c', number)));
        if has_write_time(rules, number) {
            wanted.push(format!("WRITETIME({}) AS {}", quoted(&column.name), alias('w', number)));
        }
    }
    let is = |name: &str| {
        let json = key.0.get(name).map(Value::to_string).unwrap_or_default();
        format!("{} = fromJson('{}')", quoted(name), json.replace('\'', "''"))
    };
    let place: Vec<String> = key_names(rules).map(is).collect();
    let table = quoted(&rules.table.value.table);
    format!(
        "SELECT JSON {} FROM {}.{table} WHERE {}",
        wanted.join(", "),
        quoted(keyspace),
        place.join(" AND ")
    )
}

/// Reads a row of [`select`]; None when it is none.
pub(super) fn row(rules: &TableRules, json: &[u8]) -> Option<Row> {
    let fields: Map<String, Value> = serde_json::from_slice(json).ok()?;
    let cell = |number: usize| {
        let json = fields.get(&alias('c', number))?.to_string();
        let write_time_us = fields.get(&alias('w', number)).and_then(Value::as_i64);
        Some(Cell { json, write_time_us })
    };
    Some(Row { cells: (0..rules.columns.len()).map(cell).collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::jobs::project::Project;

    fn sales() -> TableRules {
        let (project, _) = Project::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs"));
        project.rules.into_iter().find(|file| file.rules.table.value.table == "events").unwrap().rules
    }

    #[test]
    fn one_row_by_its_whole_key() {
        let rules = sales();
        let key = Key::read(r#"{"id":"it's"}"#, &rules).unwrap();
        assert_eq!(
            select("sales", &rules, &key),
            "SELECT JSON \"id\" AS c0, \"event_ts\" AS c1, WRITETIME(\"event_ts\") AS w1, \"amount\" AS c2, \
             WRITETIME(\"amount\") AS w2, \"record_hash\" AS c3, WRITETIME(\"record_hash\") AS w3 \
             FROM \"sales\".\"events\" WHERE \"id\" = fromJson('\"it''s\"')"
        );
    }

    #[test]
    fn what_is_no_key() {
        let rules = sales();
        for text in ["", "1", "[]", "{}", r#"{"id":null}"#, r#"{"id":"1","amount":1}"#, r#"{"amount":1}"#] {
            let error = Key::read(text, &rules).unwrap_err();
            assert!(error.to_string().contains("id"), "{text}");
        }
    }

    #[test]
    fn rows() {
        let json = br#"{"c0":"1","c1":null,"w1":null,"c2":100.10,"w2":5,"c3":"a","w3":6}"#;
        let row = row(&sales(), json).unwrap();
        let cells: Vec<_> = row.cells.iter().map(|cell| (cell.json.as_str(), cell.write_time_us)).collect();
        assert_eq!(cells, [("\"1\"", None), ("null", None), ("100.1", Some(5)), ("\"a\"", Some(6))]);
    }

    proptest! {
        /// Whatever a key holds, it stays one text of CQL.
        #[test]
        fn a_value_ends_no_text(value: String) {
            let rules = sales();
            let json = serde_json::json!({ "id": value });
            let key = Key::read(&json.to_string(), &rules).unwrap();
            let statement = select("sales", &rules, &key);
            let (_, literal) = statement.split_once("fromJson(").unwrap();
            let literal = literal.strip_prefix('\'').and_then(|text| text.strip_suffix("')")).unwrap();
            let read: serde_json::Value = serde_json::from_str(&literal.replace("''", "'")).unwrap();
            prop_assert!(!literal.replace("''", "").contains('\''));
            prop_assert_eq!(read, serde_json::Value::from(value));
        }
    }
}
