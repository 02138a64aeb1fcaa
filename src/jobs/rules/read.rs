//! The tree of a rules file → [`TableRules`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

mod columns;
mod guards;

use super::model::{Check, HashKind, HashRules, REMEMBERED, Source, TableRules, Version, VersionUnit};
use super::rule::RuleReader;
use super::version::rules_version;
use crate::cli::TableName;
use crate::envelope::topic::is_topic_name;
use crate::jobs::column::{Column, Shape};
use crate::jobs::drift::{self, DriftRules};
use crate::jobs::fields::{Fields, Placed, one_of};
use crate::jobs::finding::{Code, Findings};
use crate::jobs::remediate::{self, RemediateRules};
use crate::jobs::secret::look_for_secrets;
use crate::jobs::yaml::{Kind, Node};

const KEYS: [&str; 14] = [
    "table",
    "environments",
    "source",
    "sink",
    "dead_letter_topic",
    "columns",
    "key",
    "version",
    "hash",
    "max_event_ids",
    "audit",
    "drift",
    "remediate",
    "rules",
];

/// Reads the tree of a rules file; lists are read from `folder`. What is wrong becomes a finding; None when the file
/// says too little for a job.
pub fn read(root: &Node, folder: &Path, findings: &RefCell<Findings>) -> Option<TableRules> {
    look_for_secrets(root, findings);
    let fields = Fields::of(root, "rules", &KEYS, findings)?;
    let table = fields.required_text("table").and_then(|text| table_name(&fields, "table", text));
    let environments = fields.texts("environments");
    let source = fields
        .required("source")
        .and_then(|node| read_source(node, table.as_ref().map(|table| &table.value), findings));
    let is_cdc = matches!(source, Some(Source::Cdc { .. }));
    let sink = fields.required("sink").and_then(|_| fields.word("sink", &["cassandra", "none"]));
    let columns = fields.required("columns").and_then(|node| columns::read(node, is_cdc, findings));
    let (columns, column_places): (Vec<Column>, Vec<_>) = columns?.into_iter().unzip();
    let key = key(&fields, &columns);
    let version = read_version(&fields, &columns, is_cdc);
    let hash = fields.required("hash").and_then(|node| read_hash(node, findings));
    let dead_letter_topic = dead_letter_topic(&fields, table.as_ref());
    let drift = fields.get("drift").map(|node| read_drift(node, &columns, key.as_ref(), version, findings));
    let has_audit = fields.get("audit").map_or(Some(false), |_| fields.boolean("audit"));
    let remediate = read_remediate(&fields, &columns, key.as_deref());
    let max_event_ids = match fields.get("max_event_ids") {
        None => Some(REMEMBERED.0),
        Some(_) => fields.integer("max_event_ids", 1, REMEMBERED.1),
    };
    let writes = sink.as_ref().is_some_and(|sink| sink.value == "cassandra");
    let written = written(key.as_deref().filter(|_| writes), version.filter(|_| writes));
    let reader = RuleReader { columns: &columns, changes: is_cdc, written, folder, findings };
    let listed: Option<Vec<_>> = match fields.get("rules").map(|node| &node.kind) {
        None => Some(Vec::new()),
        Some(Kind::Sequence(nodes)) => {
            let rules: Vec<_> = nodes.iter().filter_map(|node| reader.rule(node)).collect();
            (rules.len() == nodes.len()).then_some(rules)
        }
        Some(other) => {
            let message = format!("rules: expected a list, found {}", other.name());
            fields.wrong(fields.place(), Code::Value, message);
            None
        }
    };
    let mut rules = TableRules {
        table: table?,
        environments,
        source: source?,
        has_sink: sink?.value == "cassandra",
        dead_letter_topic: dead_letter_topic?,
        columns: Vec::new(),
        column_places,
        key: key?,
        version: version?,
        hash: hash?,
        max_event_ids: usize::try_from(max_event_ids?).ok()?,
        has_audit: has_audit?,
        drift: match drift {
            None => None,
            Some(drift) => Some(drift?),
        },
        remediate: remediate?,
        rules: Vec::new(),
        rules_version: String::new(),
    };
    rules.rules = guards::with_guards(&rules, listed?, &reader);
    rules.columns = columns;
    let lists = rules.rules.iter().filter_map(|rule| match &rule.check {
        Check::Lookup { list, .. } => Some(&**list),
        _ => None,
    });
    rules.rules_version = rules_version(root, lists);
    Some(rules)
}

/// The columns that a row that is written must have: its key, and the one that says when it was written.
fn written(key: Option<&[usize]>, version: Option<Version>) -> BTreeSet<usize> {
    let version = version.and_then(|version| match version {
        Version::Column { column, .. } => Some(column),
        Version::WriteTime => None,
    });
    key.unwrap_or_default().iter().copied().chain(version).collect()
}

fn read_drift(
    node: &Node,
    columns: &[Column],
    key: Option<&Vec<usize>>,
    version: Option<Version>,
    findings: &RefCell<Findings>,
) -> Option<DriftRules> {
    let key: Vec<&Column> = key?.iter().filter_map(|number| columns.get(*number)).collect();
    drift::read(node, &key, version?, findings)
}

/// How drift is repaired; by the defaults where nothing is said of it.
fn read_remediate(
    fields: &Fields<'_, '_>,
    columns: &[Column],
    key: Option<&[usize]>,
) -> Option<RemediateRules> {
    let Some(node) = fields.get("remediate") else { return Some(RemediateRules::default()) };
    if fields.get("drift").is_none() {
        fields.wrong(node.place, Code::Rule, "remediate: without drift there is nothing to repair");
    }
    let is_key = |number: usize| key.is_some_and(|key| key.contains(&number));
    let others = columns.iter().enumerate().filter(|(number, _)| !is_key(*number));
    let others: Vec<&str> = others.map(|(_, column)| column.name.as_str()).collect();
    remediate::read(node, &others, fields.findings())
}

fn table_name(fields: &Fields<'_, '_>, key: &str, text: Placed<String>) -> Option<Placed<TableName>> {
    match text.value.parse() {
        Ok(value) => Some(Placed { value, place: text.place }),
        Err(error) => {
            fields.wrong(text.place, Code::Value, format!("{key}: {error}"));
            None
        }
    }
}

fn read_source(node: &Node, table: Option<&TableName>, findings: &RefCell<Findings>) -> Option<Source> {
    let fields = Fields::of(node, "source", &["kind", "topic", "table"], findings)?;
    fields.required("kind")?;
    let kind = fields.word("kind", &["json", "cdc"])?;
    if kind.value == "cdc" {
        if let Some(topic) = fields.get("topic") {
            let message =
                "topic: a cdc source reads {prefix}.cdc.<table>; name its table, if it is another one";
            fields.wrong(topic.place, Code::Value, message);
        }
        let own = || table.map(|table| Placed { value: table.clone(), place: kind.place });
        let table = fields.text("table").map_or_else(own, |text| table_name(&fields, "table", text));
        return Some(Source::Cdc { table: table? });
    }
    if let Some(table) = fields.get("table") {
        fields.wrong(table.place, Code::Value, "table: a json source has a topic, and no table");
    }
    let topic = fields.required_text("topic")?;
    topic_is_right(&fields, "topic", &topic).then_some(Source::Json { topic })
}

/// Whether a topic's name is one in each environment, and another in each.
fn topic_is_right(fields: &Fields<'_, '_>, key: &str, topic: &Placed<String>) -> bool {
    let message = if topic.value.contains(',') {
        format!("{key}: one job reads one topic; write a file for each")
    } else if topic.value.matches("{prefix}").count() != 1 {
        format!("{key}: {{prefix}} must stand in it once, or two environments would share the topic")
    } else if !is_topic_name(&topic.value.replace("{prefix}", "prefix")) {
        format!("{key}: expected the name of a topic: letters, digits, . _ - and {{prefix}}")
    } else {
        return true;
    };
    fields.wrong(topic.place, Code::Value, message);
    false
}

/// The topic of dead letters; where the file names none, one with the table's name.
fn dead_letter_topic(fields: &Fields<'_, '_>, table: Option<&Placed<TableName>>) -> Option<Placed<String>> {
    match fields.text("dead_letter_topic") {
        Some(topic) => topic_is_right(fields, "dead_letter_topic", &topic).then_some(topic),
        None => table.map(|table| Placed {
            value: format!("{{prefix}}.dlq.{}.{}", table.value.keyspace, table.value.table),
            place: table.place,
        }),
    }
}

/// The number of the column that a text names.
fn find(fields: &Fields<'_, '_>, key: &str, name: &Placed<String>, columns: &[Column]) -> Option<usize> {
    let found = columns.iter().position(|column| column.name == name.value);
    if found.is_none() {
        let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        fields.wrong(name.place, Code::Key, format!("{key}: {}", one_of(&name.value, &known)));
    }
    found
}

fn key(fields: &Fields<'_, '_>, columns: &[Column]) -> Option<Vec<usize>> {
    let names = fields.required_texts("key")?;
    let numbers: Vec<usize> = names.iter().filter_map(|name| find(fields, "key", name, columns)).collect();
    (numbers.len() == names.len()).then_some(numbers)
}

fn read_version(fields: &Fields<'_, '_>, columns: &[Column], is_cdc: bool) -> Option<Version> {
    let node = fields.required("version")?;
    if matches!(&node.kind, Kind::Text(text) if text == "write_time") {
        if !is_cdc {
            let message = "version: write_time is known of a cdc source alone; name a column of the records";
            fields.wrong(node.place, Code::Key, message);
            return None;
        }
        return Some(Version::WriteTime);
    }
    if !matches!(node.kind, Kind::Mapping(_)) {
        let message = "version: expected {column: NAME}, or write_time for a cdc source";
        fields.wrong(node.place, Code::Value, message);
        return None;
    }
    let version = Fields::of(node, "version", &["column", "unit"], fields.findings())?;
    let name = version.required_text("column")?;
    let column = find(&version, "column", &name, columns)?;
    let unit = version.word("unit", &["ms", "us"]);
    let unit = match (columns.get(column).map(|column| column.shape), unit) {
        (Some(Shape::Timestamp(_)), None) => VersionUnit::Millis,
        (Some(Shape::Timestamp(_)), Some(unit)) => {
            version.wrong(unit.place, Code::Key, "unit: a timestamp counts milliseconds; take the line away");
            return None;
        }
        (Some(Shape::Integer { most: i64::MAX, .. }), Some(unit)) => match unit.value.as_str() {
            "us" => VersionUnit::Micros,
            _ => VersionUnit::Millis,
        },
        (Some(Shape::Integer { most: i64::MAX, .. }), None) => {
            version.wrong(name.place, Code::Key, "unit is missing: ms or us since 1970");
            return None;
        }
        _ => {
            version.wrong(name.place, Code::Key, "column: a version is a timestamp or a bigint");
            return None;
        }
    };
    Some(Version::Column { column, unit })
}

fn read_hash(node: &Node, findings: &RefCell<Findings>) -> Option<HashRules> {
    let fields = Fields::of(node, "hash", &["kind", "columns", "exclude", "definition"], findings)?;
    fields.required("kind")?;
    let kind = if fields.word("kind", &["v1", "v0"])?.value == "v1" { HashKind::V1 } else { HashKind::V0 };
    let columns = fields.texts("columns").unwrap_or_default();
    let exclude = fields.texts("exclude").unwrap_or_default();
    let misplaced = match kind {
        HashKind::V1 => fields.get("columns").map(|node| {
            (
                node.place,
                "columns: v1 covers the key and every regular column by name; leave some out with exclude",
            )
        }),
        HashKind::V0 => fields
            .get("exclude")
            .map(|node| (node.place, "exclude: v0 covers what columns lists, in that order")),
    };
    if let Some((place, message)) = misplaced {
        fields.wrong(place, Code::Hash, message);
    }
    if kind == HashKind::V0 && columns.is_empty() {
        fields.required("columns");
    }
    let definition = fields.text("definition").filter(|text| {
        let right = text.value.len() == 8 && text.value.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !right {
            fields.wrong(text.place, Code::Hash, "definition: expected the 8 hexadecimal digits of hash_def");
        }
        right
    });
    Some(HashRules { place: node.place, kind, columns, exclude, definition })
}
