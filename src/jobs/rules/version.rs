//! The version of a rules file: the same for two files that say the same.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::jobs::lookup::List;
use crate::jobs::yaml::{Entry, Kind, Node};

/// SHA-256 of the file without comments and layout, keys in alphabetical order (those of `columns` in their own, which
/// decides the order of verdicts), and of the lists that it names; 64 hex digits. How two sides are compared and
/// repaired, and whether writes are recorded, decides about no record, and is left out.
pub(super) fn rules_version<'l>(root: &Node, lists: impl Iterator<Item = &'l List>) -> String {
    let lists: BTreeSet<String> = lists.map(|list| format!("{}={}", list.file, list.sha256)).collect();
    let mut text = normalised(root, true).to_string();
    for list in lists {
        text.push('\n');
        text.push_str(&list);
    }
    hex::encode(Sha256::digest(text))
}

/// Numbers keep their digits, and stay apart from texts of the same digits.
fn normalised(node: &Node, top: bool) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Boolean(on) => Value::Bool(*on),
        Kind::Number(text) => Value::Array(vec![Value::String(text.clone())]),
        Kind::Text(text) => Value::String(text.clone()),
        Kind::Sequence(nodes) => {
            let values = nodes.iter().map(|node| normalised(node, false));
            Value::Array([Value::Null].into_iter().chain(values).collect())
        }
        Kind::Mapping(entries) => {
            let counts =
                |entry: &&Entry| !(top && ["audit", "drift", "remediate"].contains(&entry.key.as_str()));
            let mut entries: Vec<&Entry> = entries.iter().filter(counts).collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            let value = |entry: &&Entry| match &entry.value.kind {
                Kind::Mapping(columns) if top && entry.key == "columns" => ordered(columns),
                _ => normalised(&entry.value, false),
            };
            let fields = entries.iter().map(|entry| (entry.key.clone(), value(entry)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

/// The columns as a list of name and definition.
fn ordered(columns: &[Entry]) -> Value {
    let column =
        |entry: &Entry| Value::Array(vec![Value::String(entry.key.clone()), normalised(&entry.value, false)]);
    columns.iter().map(column).collect()
}
