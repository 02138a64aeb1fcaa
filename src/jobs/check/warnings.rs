//! What is right, and does less than somebody may think.

use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::project::Project;
use crate::jobs::rules::Source;

/// What a reader of the files should know before the jobs run. Nothing is wrong with it: jobs are started all the same.
#[must_use]
pub fn warnings(project: &Project) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &project.rules {
        let mut findings = Findings::new(&file.file);
        if let (Source::Cdc { table: source }, true) = (&file.rules.source, file.rules.has_sink) {
            let table = &file.rules.table.value;
            let message = format!(
                "deletions of {}.{} are not copied to {}.{}: the job writes what rows and changes carry, and a row, \
                 column or element that is deleted at the source stays there; `cdc-jobs run drift` finds it",
                source.value.keyspace, source.value.table, table.keyspace, table.table
            );
            findings.add(source.place, Code::Deletions, message);
        }
        found.extend(findings.into_sorted());
    }
    found
}
