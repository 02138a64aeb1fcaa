//! What holds for jobs and environments together.

use std::collections::BTreeMap;

use crate::jobs::environment::Environment;
use crate::jobs::fields::one_of;
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::project::{Project, RulesFile};
use crate::jobs::rules::{Severity, Source};

pub(super) fn check(project: &Project) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut sources: BTreeMap<String, &str> = BTreeMap::new();
    for file in &project.rules {
        let mut findings = Findings::new(&file.file);
        names(project, file, &mut findings);
        for environment in &project.environments.0 {
            if !file.rules.runs_in(&environment.name.value) {
                continue;
            }
            let (table, keyspace) = (&file.rules.table, &environment.cassandra.keyspace.value);
            if file.rules.has_sink && table.value.keyspace != *keyspace {
                let message = format!(
                    "table: jobs in {} write to keyspace {keyspace} alone (environments.yaml)",
                    environment.name.value
                );
                findings.add(table.place, Code::Value, message);
            }
            let dead_letters = environment.topic(&file.rules.dead_letter_topic);
            if trails(project, environment).any(|trail| trail == dead_letters) {
                let message = format!(
                    "dead_letter_topic: {dead_letters} is an audit trail: nothing else is written there"
                );
                findings.add(table.place, Code::Shared, message);
            }
            if let Source::Json { topic } = &file.rules.source {
                let name = environment.topic(&topic.value);
                // A file's own topics are equal only where environments share a prefix, which is told there.
                if let Some(other) =
                    sources.insert(name.clone(), &file.file).filter(|other| *other != file.file)
                {
                    let message = format!("topic {name} is read by {other} already: one job reads one topic");
                    findings.add(topic.place, Code::Shared, message);
                }
            }
        }
        found.extend(findings.into_sorted());
    }
    found
}

/// The topics of the audit trails in an environment.
fn trails<'p>(project: &'p Project, environment: &'p Environment) -> impl Iterator<Item = String> + 'p {
    let files = project.rules.iter().map(|file| &file.rules);
    files
        .filter(|rules| rules.has_audit && rules.runs_in(&environment.name.value))
        .map(|rules| environment.audit_topic(&rules.table.value.keyspace, &rules.table.value.table))
}

fn names(project: &Project, file: &RulesFile, findings: &mut Findings) {
    let known: Vec<&str> =
        project.environments.0.iter().map(|environment| environment.name.value.as_str()).collect();
    for name in file.rules.environments.iter().flatten() {
        // With none at hand environments.yaml is what is wrong.
        if !known.is_empty() && !known.contains(&name.value.as_str()) {
            findings.add(name.place, Code::Value, format!("environments: {}", one_of(&name.value, &known)));
        }
    }
    if file.rules.rules.iter().all(|rule| rule.severity == Severity::Warn) {
        findings.add(
            file.rules.table.place,
            Code::Rule,
            "no rule of severity fail: every record would be valid",
        );
    }
}
