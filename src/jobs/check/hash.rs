//! The hash definition of a rules file beside the agent's.

use crate::envelope::hash_definition;
use crate::envelope::options::{RowHashOptions, RowHashVersion};
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::project::RulesFile;
use crate::jobs::rules::{HashKind, TableRules};
use crate::schema::rows::{ColumnRow, TableRow};
use crate::schema::{ColumnKind, SystemSchemaRows, TableId, TableSchema, build};

/// Compares the file's hash with what the agent does with `table`; without it, with the file's own columns.
pub(super) fn check(file: &RulesFile, table: Option<&TableSchema>) -> Vec<Finding> {
    let (rules, mut findings) = (&file.rules, Findings::new(&file.file));
    let own = own_table(rules);
    let (Some(table), Some(own)) = (table.or(own.as_ref()), own.as_ref()) else {
        findings.add(rules.hash.place, Code::Hash, "the types of the columns need a schema: give --schema");
        return findings.into_sorted();
    };
    let options = options(rules);
    let (agent, ours) = (hash_definition(table, &options), hash_definition(own, &options));
    let known = |name: &str| table.regulars.iter().any(|column| column.name == name);
    for name in rules.hash.exclude.iter().filter(|name| !known(&name.value)) {
        let message = format!("exclude: {} is no regular column of the table", name.value);
        findings.add(name.place, Code::Hash, message);
    }
    for name in rules.hash.columns.iter().filter(|name| !agent.columns.contains(&name.value)) {
        let message = format!("columns: the agent hashes no column {} of this table", name.value);
        findings.add(name.place, Code::Hash, message);
    }
    if agent.never {
        findings.add(
            rules.hash.place,
            Code::Hash,
            "kind: v0 has no exact text for one of the columns; use v1",
        );
    }
    if agent.columns != ours.columns {
        let message = format!(
            "the agent hashes {}; with the columns of this file it would be {}",
            agent.columns.join(", "),
            ours.columns.join(", ")
        );
        findings.add(rules.hash.place, Code::Hash, message);
    } else if agent.id != ours.id {
        let message =
            format!("hash_def is {} in the agent's records and {} here: a type differs", agent.id, ours.id);
        findings.add(rules.hash.place, Code::Hash, message);
    }
    if let Some(expected) = rules.hash.definition.as_ref().filter(|expected| expected.value != agent.id) {
        let message = format!("definition: the agent's records of this table have hash_def {}", agent.id);
        findings.add(expected.place, Code::Hash, message);
    }
    findings.into_sorted()
}

/// The hashed columns of a file's table, in hash order.
pub(in crate::jobs) fn columns(rules: &TableRules) -> Vec<String> {
    own_table(rules).map_or_else(Vec::new, |table| hash_definition(&table, &options(rules)).columns)
}

/// The agent's options that a file's hash asks for.
pub(crate) fn options(rules: &TableRules) -> RowHashOptions {
    let table = (rules.table.value.keyspace.clone(), rules.table.value.table.clone());
    let names =
        |names: &[crate::jobs::fields::Placed<String>]| names.iter().map(|name| name.value.clone()).collect();
    match rules.hash.kind {
        HashKind::V1 => RowHashOptions { exclude: names(&rules.hash.exclude), ..RowHashOptions::default() },
        HashKind::V0 => RowHashOptions {
            version: RowHashVersion::V0,
            columns: vec![(table, names(&rules.hash.columns))],
            ..RowHashOptions::default()
        },
    }
}

/// The table as the file alone describes it: all of its key is partition key, which no definition tells from
/// clustering. None when a type has no meaning without a schema.
pub(crate) fn own_table(rules: &TableRules) -> Option<TableSchema> {
    let (keyspace_name, table_name) = (rules.table.value.keyspace.clone(), rules.table.value.table.clone());
    let mut rows = SystemSchemaRows::default();
    rows.tables.push(TableRow {
        keyspace_name: keyspace_name.clone(),
        table_name: table_name.clone(),
        id: TableId([0; 16]),
        flags: ["compound".to_owned()].into_iter().collect(),
        cdc: true,
    });
    for (number, column) in rules.columns.iter().enumerate() {
        let position = rules.key.iter().position(|key| *key == number);
        rows.columns.push(ColumnRow {
            keyspace_name: keyspace_name.clone(),
            table_name: table_name.clone(),
            column_name: column.name.clone(),
            column_name_bytes: column.name.clone().into_bytes(),
            kind: if position.is_some() { ColumnKind::PartitionKey } else { ColumnKind::Regular },
            position: position.and_then(|position| position.try_into().ok()).unwrap_or(-1),
            descending: false,
            type_text: column.cql_type.clone(),
        });
    }
    build(&rows).schema.tables().next().map(|table| TableSchema::clone(table))
}
