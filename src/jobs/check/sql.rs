//! What cannot be said in the SQL of a job.

use std::path::Path;

use crate::jobs::column::{ColumnSource, Shape};
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
    for (column, place) in rules.columns.iter().zip(&rules.column_places) {
        let name = &column.name;
        if is_reserved(name) {
            let message = format!(
                "column {name}: names like record.…, rule.…, verdict.…, …:text are those of the job's own SQL"
            );
            findings.add(*place, Code::Value, message);
        }
        if let ColumnSource::Field(field) = &column.source
            && field.chars().any(|character| character.is_control() || "'\"\\".contains(character))
        {
            findings.add(
                *place,
                Code::Value,
                "field: a name with quotes, backslashes or control characters has no JSON path",
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
