//! What `check` prints.

use serde_json::{Value, json};

use crate::jobs::check::warnings;
use crate::jobs::environment::Environment;
use crate::jobs::finding::Finding;
use crate::jobs::project::{Project, RulesFile};

/// A line a finding; without any, a line a job. Warnings come first.
pub(super) fn text(project: &Project, findings: &[Finding], with_schema: bool) -> String {
    let mut lines: Vec<String> =
        warnings(project).iter().map(|warning| format!("warning: {warning}")).collect();
    lines.extend(findings.iter().map(Finding::to_string));
    match findings.len() {
        0 => {
            lines.extend(project.jobs().map(|(file, environment)| job_line(file, environment)));
            let schema = if with_schema { "" } else { "; not compared with the tables (--schema)" };
            lines.push(format!("{} jobs, nothing found{schema}", project.jobs().count()));
        }
        1 => lines.push("1 finding".to_owned()),
        count => lines.push(format!("{count} findings")),
    }
    lines.join("\n") + "\n"
}

fn job_line(file: &RulesFile, environment: &Environment) -> String {
    let rules = &file.rules;
    let table = &rules.table.value;
    let sink = if rules.has_sink {
        format!("{}.{} in {}", table.keyspace, table.table, environment.cassandra.datacenter.value)
    } else {
        "no table".to_owned()
    };
    format!(
        "{} {}.{}: {} → {sink}, {} rules, version {:.12}",
        environment.name.value,
        table.keyspace,
        table.table,
        rules.source.topic(environment).value,
        rules.rules.len(),
        rules.rules_version,
    )
}

/// One object: `ok`, `jobs`, `findings`, `warnings`.
pub(super) fn json(project: &Project, findings: &[Finding]) -> String {
    let jobs: Vec<Value> = project.jobs().map(|(file, environment)| job(file, environment)).collect();
    let report = json!({
        "ok": findings.is_empty(),
        "jobs": jobs,
        "findings": findings,
        "warnings": warnings(project),
    });
    format!("{report:#}\n")
}

fn job(file: &RulesFile, environment: &Environment) -> Value {
    let rules = &file.rules;
    let sink = rules.has_sink.then(|| {
        json!({
            "datacenter": environment.cassandra.datacenter.value,
            "keyspace": environment.cassandra.keyspace.value,
            "table": rules.table.value.table,
        })
    });
    json!({
        "file": file.file,
        "environment": environment.name.value,
        "table": format!("{}.{}", rules.table.value.keyspace, rules.table.value.table),
        "source_topic": rules.source.topic(environment).value,
        "consumer_group": environment.consumer_groups.dq.value,
        "sink": sink,
        "dead_letter_topic": environment.topic(&rules.dead_letter_topic.value),
        "rules": rules.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(),
        "rules_version": rules.rules_version,
    })
}
