//! What cannot be said in the SQL of a job.

use std::path::Path;

use crate::jobs::column::{ColumnSource, Shape};
use crate::jobs::expression::PLACE;
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::flink_sql::{DRIFT_FOLDER, is_reserved};
use crate::jobs::project::{Project, RulesFile};

/// An environment whose files would stand where those of no environment do.
pub(super) fn environments(project: &Project, folder: &Path) -> Vec<Finding> {
    let mut findings = Findings::new(folder.join("environments.yaml").display().to_string());
    let reserved = project.environments.0.iter().filter(|environment| environment.name.value == DRIFT_FOLDER);
    for environment in reserved {
        let message =
            format!("{DRIFT_FOLDER}: the SQL that compares two environments has this name; take another");
        findings.add(environment.name.place, Code::Value, message);
    }
    findings.into_sorted()
}

pub(super) fn check(file: &RulesFile) -> Vec<Finding> {
    let (rules, mut findings) = (&file.rules, Findings::new(&file.file));
    let hashed = super::hash_columns(rules);
    // One that the file gives has none; one made of a column's name can.
    for rule in rules.rules.iter().filter(|rule| rule.id.contains(',')) {
        let message =
            format!("rule {}: verdicts join ids with commas; list the rule, with an id of its own", rule.id);
        findings.add(rule.place, Code::Rule, message);
    }
    let table = &rules.table.value;
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if !table.keyspace.chars().chain(table.table.chars()).all(is_word) {
        let message = "table: Cassandra has no such names: letters, digits and _";
        findings.add(rules.table.place, Code::Value, message);
    }
    for (column, place) in rules.columns.iter().zip(&rules.column_places) {
        let name = &column.name;
        if is_reserved(name) {
            let message = format!(
                "column {name}: names like record.…, rule.…, verdict.…, …:text are those of the job's own SQL"
            );
            findings.add(*place, Code::Value, message);
        }
        if name.chars().any(char::is_control) || name.contains(PLACE) {
            let message = "a column whose name has control characters or ${ in it cannot be named in SQL";
            findings.add(*place, Code::Value, message);
        } else if let ColumnSource::Field(field) = &column.source
            && (field.chars().any(|character| character.is_control() || "'\"\\".contains(character))
                || field.contains(PLACE))
        {
            findings.add(
                *place,
                Code::Value,
                "field: a name with quotes, backslashes, control characters or ${ has no JSON path",
            );
        }
        if column.source == ColumnSource::RowHash && hashed.contains(name) {
            let message = format!(
                "column {name} is the hash and would be in it: add it to exclude, or take it out of columns"
            );
            findings.add(rules.hash.place, Code::Hash, message);
        }
        if rules.has_sink && column.shape == Shape::Opaque {
            let message =
                format!("column {name}: a job cannot write values of type {}; sink: none", column.cql_type);
            findings.add(*place, Code::Schema, message);
        }
    }
    findings.into_sorted()
}
