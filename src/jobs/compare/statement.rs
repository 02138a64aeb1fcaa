//! The SELECT of one row.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Cell, Row};
use crate::jobs::column::Shape;
use crate::jobs::rules::TableRules;

/// Values by their names, each as the text that stands there: a number is not read, so no digit is lost.
type Fields = BTreeMap<String, Box<RawValue>>;

/// A primary key: the JSON of each of its columns, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Vec<(String, String)>);

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
        let fields = serde_json::from_str::<Fields>(text);
        let Ok(fields) = fields else { return Err(KeyError::NoObject(names.join(", "))) };
        let value = |name: &&str| {
            let json = fields.get(*name)?.get();
            (json != "null").then(|| ((*name).to_owned(), json.to_owned()))
        };
        let values: Option<Vec<_>> = names.iter().map(value).collect();
        match values {
            Some(values) if fields.len() == names.len() => Ok(Self(values)),
            _ => Err(KeyError::Columns(names.join(", "))),
        }
    }

    /// The key as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let field =
            |(name, json): &(String, String)| format!("{}:{json}", serde_json::Value::from(name.as_str()));
        format!("{{{}}}", self.0.iter().map(field).collect::<Vec<_>>().join(","))
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
pub(super) fn select(rules: &TableRules, key: &Key) -> String {
    let mut wanted = Vec::new();
    for (number, column) in rules.columns.iter().enumerate() {
        wanted.push(format!("{} AS {}", quoted(&column.name), alias('c', number)));
        if has_write_time(rules, number) {
            wanted.push(format!("WRITETIME({}) AS {}", quoted(&column.name), alias('w', number)));
        }
    }
    let is = |(name, json): &(String, String)| {
        format!("{} = fromJson('{}')", quoted(name), json.replace('\'', "''"))
    };
    let place: Vec<String> = key.0.iter().map(is).collect();
    let table = &rules.table.value;
    format!(
        "SELECT JSON {} FROM {}.{} WHERE {}",
        wanted.join(", "),
        quoted(&table.keyspace),
        quoted(&table.table),
        place.join(" AND ")
    )
}

/// Reads a row of [`select`]; None when it is none.
pub(super) fn row(rules: &TableRules, json: &[u8]) -> Option<Row> {
    let fields: Fields = serde_json::from_slice(json).ok()?;
    let cell = |number: usize| {
        let json = fields.get(&alias('c', number))?.get().to_owned();
        let write_time_us = fields.get(&alias('w', number)).and_then(|time| time.get().parse().ok());
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
            select(&rules, &key),
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
        assert_eq!(cells, [("\"1\"", None), ("null", None), ("100.10", Some(5)), ("\"a\"", Some(6))]);
    }

    /// More digits than a double has: neighbours are told apart, in a row and in a key.
    #[test]
    fn no_digit_is_lost() {
        let rules = sales();
        let amount = |digits: &str| {
            let json = format!(r#"{{"c0":"1","c1":null,"c2":{digits},"c3":null}}"#);
            row(&rules, json.as_bytes()).unwrap().cells[2].json.clone()
        };
        assert_eq!(
            amount("12345678901234567890.123456789012345678"),
            "12345678901234567890.123456789012345678"
        );
        let key = Key::read(r#"{"id": 0.10000000000000000000000001}"#, &rules).unwrap();
        assert_eq!(key.json(), r#"{"id":0.10000000000000000000000001}"#);
        assert!(select(&rules, &key).ends_with("\"id\" = fromJson('0.10000000000000000000000001')"));
    }

    /// Of rules without a sink, the table may be in another keyspace than the one that jobs write to.
    #[test]
    fn the_table_is_that_of_the_rules() {
        let mut rules = sales();
        rules.table.value.keyspace = "Archive".to_owned();
        let key = Key::read(r#"{"id":"1"}"#, &rules).unwrap();
        assert!(select(&rules, &key).contains(r#" FROM "Archive"."events" WHERE "#));
    }

    proptest! {
        /// Whatever a key holds, it stays one text of CQL.
        #[test]
        fn a_value_ends_no_text(value: String) {
            let rules = sales();
            let json = serde_json::json!({ "id": value });
            let key = Key::read(&json.to_string(), &rules).unwrap();
            let statement = select(&rules, &key);
            let (_, literal) = statement.split_once("fromJson(").unwrap();
            let literal = literal.strip_prefix('\'').and_then(|text| text.strip_suffix("')")).unwrap();
            let read: serde_json::Value = serde_json::from_str(&literal.replace("''", "'")).unwrap();
            prop_assert!(!literal.replace("''", "").contains('\''));
            prop_assert_eq!(read, serde_json::Value::from(value));
        }
    }
}
