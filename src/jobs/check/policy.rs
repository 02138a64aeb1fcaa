//! What holds for jobs and environments together.

use std::collections::BTreeMap;

use crate::jobs::environment::Environment;
use crate::jobs::fields::{Placed, one_of};
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::project::{Project, RulesFile};
use crate::jobs::rules::Severity;
use crate::jobs::topics;

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
            dead_letters(project, file, environment, &mut findings);
            let source = file.rules.source.topic(environment);
            let letters = &file.rules.dead_letter_topic;
            let letters = Placed { value: environment.topic(&letters.value), place: letters.place };
            for (key, topic) in [("topic", &source), ("dead_letter_topic", &letters)] {
                of_another(project, environment, (key, topic), &mut findings);
            }
            if of_agents(environment, &source.value) {
                let message = format!(
                    "topic: {} is what agents say of themselves: it holds no records of the business",
                    source.value
                );
                findings.add(source.place, Code::Value, message);
            }
            // A file's own topics are equal only where environments share a prefix, which is told there.
            if let Some(other) =
                sources.insert(source.value.clone(), &file.file).filter(|other| *other != file.file)
            {
                let message = format!(
                    "topic {} is read by {other} already: both jobs would be in one consumer group, and begin where the other \
                     one is; one file reads one topic",
                    source.value
                );
                findings.add(source.place, Code::Shared, message);
            }
        }
        found.extend(findings.into_sorted());
    }
    found
}

/// A topic with the prefix of another environment is that one's, whoever names it: permissions go by prefixes.
fn of_another(
    project: &Project,
    environment: &Environment,
    (key, topic): (&str, &Placed<String>),
    findings: &mut Findings,
) {
    let owner = topics::by_prefix(project, &topic.value);
    // Two with one prefix are told of where they say so.
    if let Some(owner) = owner.filter(|owner| owner.topic_prefix.value != environment.topic_prefix.value) {
        let (name, own, owner) = (&topic.value, &environment.name.value, &owner.name.value);
        let message = format!(
            "{key}: {name}, of the job in {own}, has the prefix of {owner}: it is a topic of that one"
        );
        findings.add(topic.place, Code::Shared, message);
    }
}

/// The agents' positions, heartbeats, control topic and dead letters. The topic of a table has one point more.
fn of_agents(environment: &Environment, topic: &str) -> bool {
    topic.strip_prefix(&environment.topic("{prefix}.cdc.__")).is_some_and(|rest| !rest.contains('.'))
}

/// Dead letters stand in a topic of their own, or in one that files share for them: readers of any other one would take them for
/// what it holds.
fn dead_letters(project: &Project, file: &RulesFile, environment: &Environment, findings: &mut Findings) {
    let topic = &file.rules.dead_letter_topic;
    let name = environment.topic(&topic.value);
    if let Some(held) = project.environments.0.iter().find_map(|one| held(project, one, &name)) {
        let message = format!("dead_letter_topic: {name} {held}: nothing else is written there");
        findings.add(topic.place, Code::Shared, message);
    }
}

/// What a topic holds that agents or jobs of an environment write, dead letters excepted.
fn held(project: &Project, environment: &Environment, topic: &str) -> Option<&'static str> {
    if topic.starts_with(&environment.topic("{prefix}.cdc.")) {
        return Some("is a topic of the agents");
    }
    let of_tables = project.rules.iter().flat_map(|RulesFile { rules, .. }| {
        let table = &rules.table.value;
        let is_trail = rules.has_audit && rules.runs_in(&environment.name.value);
        let trail = is_trail.then(|| environment.audit_topic(&table.keyspace, &table.table));
        let valid = environment.valid_topic(&table.keyspace, &table.table);
        [(valid, "holds valid rows")].into_iter().chain(trail.map(|name| (name, "is an audit trail")))
    });
    let of_all = [
        (environment.hash_topic(), "holds hash events"),
        (environment.positions_topic(), "holds positions of the jobs"),
    ];
    let shared = topics::shared().into_iter().map(|shared| (shared.name, "is shared by all jobs"));
    let mut all = of_tables.chain(of_all).chain(shared);
    all.find_map(|(name, held)| (name == topic).then_some(held))
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
