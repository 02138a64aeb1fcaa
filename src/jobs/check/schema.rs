//! Rules beside the table in Cassandra.

use std::collections::BTreeSet;

use super::hash;
use crate::config::near_names;
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::project::RulesFile;
use crate::jobs::rules::{Source, TableRules};
use crate::schema::{Column, Schema, TableSchema};

pub(crate) fn check(file: &RulesFile, schema: &Schema) -> Vec<Finding> {
    let (rules, mut findings) = (&file.rules, Findings::new(&file.file));
    let name = (&rules.table.value.keyspace, &rules.table.value.table);
    let Some(table) = schema.tables().find(|table| (&table.keyspace, &table.name) == name) else {
        let known = schema.tables().map(|table| format!("{}.{}", table.keyspace, table.name));
        let wanted = format!("{}.{}", name.0, name.1);
        let near = near_names(&wanted, known);
        let near = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
        findings.add(rules.table.place, Code::Schema, format!("table: the schema has no {wanted}{near}"));
        return findings.into_sorted();
    };
    columns(rules, table, &mut findings);
    let is_same_key = key(rules, table, &mut findings);
    source(rules, schema, &mut findings);
    let mut found = findings.into_sorted();
    if is_same_key {
        found.extend(hash::check(file, Some(table)));
    }
    found
}

fn live(table: &TableSchema) -> impl Iterator<Item = &Column> {
    let columns =
        table.partition_key.iter().chain(&table.clustering).chain(&table.statics).chain(&table.regulars);
    columns.filter(|column| column.dropped_at_us.is_none())
}

fn columns(rules: &TableRules, table: &TableSchema, findings: &mut Findings) {
    for (column, place) in rules.columns.iter().zip(&rules.column_places) {
        match live(table).find(|known| known.name == column.name) {
            None => {
                let near = near_names(&column.name, live(table).map(|known| known.name.clone()));
                let near = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
                findings.add(*place, Code::Schema, format!("the table has no column {}{near}", column.name));
            }
            Some(known) if known.type_text != column.cql_type => {
                let message = format!(
                    "column {} is {} in the table, not {}",
                    column.name, known.type_text, column.cql_type
                );
                findings.add(*place, Code::Schema, message);
            }
            Some(_) => {}
        }
    }
    let described: BTreeSet<&str> = rules.columns.iter().map(|column| column.name.as_str()).collect();
    let missing: Vec<&str> =
        live(table).map(|column| column.name.as_str()).filter(|name| !described.contains(name)).collect();
    if !missing.is_empty() {
        let message =
            format!("columns of the table that this file does not describe: {}", missing.join(", "));
        findings.add(rules.table.place, Code::Schema, message);
    }
}

fn key(rules: &TableRules, table: &TableSchema, findings: &mut Findings) -> bool {
    let ours: Vec<&str> = rules
        .key
        .iter()
        .filter_map(|number| rules.columns.get(*number))
        .map(|column| column.name.as_str())
        .collect();
    let theirs: Vec<&str> =
        table.partition_key.iter().chain(&table.clustering).map(|column| column.name.as_str()).collect();
    if ours != theirs {
        let message = format!("key: the primary key of the table is {}", theirs.join(", "));
        findings.add(rules.table.place, Code::Key, message);
    }
    ours == theirs
}

/// A table that is read from its CDC topic must have one.
fn source(rules: &TableRules, schema: &Schema, findings: &mut Findings) {
    let Source::Cdc { table } = &rules.source else { return };
    let name = (&table.value.keyspace, &table.value.table);
    match schema.tables().find(|known| (&known.keyspace, &known.name) == name) {
        None => findings.add(
            table.place,
            Code::Schema,
            format!("source: the schema has no {}.{}", name.0, name.1),
        ),
        Some(known) if !known.cdc => {
            let message = format!("source: {}.{} has no CDC: ALTER TABLE … WITH cdc = true", name.0, name.1);
            findings.add(table.place, Code::Schema, message);
        }
        Some(_) => {}
    }
}
