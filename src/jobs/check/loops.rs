//! Feedback loops: a job that reads, directly or through other jobs, what it writes.

use std::collections::{BTreeMap, BTreeSet};

use crate::jobs::environment::Environment;
use crate::jobs::finding::{Code, Finding, Findings, Place};
use crate::jobs::project::{Project, RulesFile};
use crate::jobs::rules::Source;
use crate::schema::Schema;

/// A topic or a table of an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Topic(String),
    Table { environment: String, table: String },
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Table { environment, table } => write!(f, "table {table} ({environment})"),
        }
    }
}

/// What a job reads, and where its file says so.
fn source(file: &RulesFile, environment: &Environment) -> (Node, Place) {
    match &file.rules.source {
        Source::Json { topic } => (Node::Topic(environment.topic(&topic.value)), topic.place),
        Source::Cdc { table } => {
            let topic = environment.cdc_topic(&table.value.keyspace, &table.value.table);
            (Node::Topic(topic), table.place)
        }
    }
}

type Edges = BTreeMap<Node, BTreeSet<Node>>;

/// Finds the jobs from whose outputs a way leads back to their source.
pub(super) fn check(project: &Project, schema: Option<&Schema>) -> Vec<Finding> {
    let mut edges = Edges::new();
    for environment in &project.environments.0 {
        for (keyspace, table) in tables(project, schema) {
            let topic = Node::Topic(environment.cdc_topic(&keyspace, &table));
            let table = format!("{keyspace}.{table}");
            let table = Node::Table { environment: environment.name.value.clone(), table };
            edges.entry(table).or_default().insert(topic);
        }
    }
    for (file, environment) in project.jobs() {
        let (from, _) = source(file, environment);
        edges.entry(from).or_default().extend(outputs(file, environment));
        if file.rules.has_audit {
            let table = &file.rules.table.value;
            let changes = Node::Topic(environment.cdc_topic(&table.keyspace, &table.table));
            let trail = Node::Topic(environment.audit_topic(&table.keyspace, &table.table));
            edges.entry(changes).or_default().insert(trail);
        }
    }
    let mut found = Vec::new();
    for (file, environment) in project.jobs() {
        let (from, place) = source(file, environment);
        for output in outputs(file, environment) {
            if let Some(way) = way(&edges, &output, &from) {
                let way: Vec<String> = way.iter().map(Node::to_string).collect();
                let message = format!("a feedback loop: {from} → {}", way.join(" → "));
                let mut findings = Findings::new(&file.file);
                findings.add(place, Code::Loop, message);
                found.extend(findings.into_sorted());
            }
        }
    }
    found
}

/// Tables that may have a CDC topic: those that jobs name, unless the schema says that they have none.
fn tables(project: &Project, schema: Option<&Schema>) -> BTreeSet<(String, String)> {
    let named = project.rules.iter().map(|file| &file.rules.table.value);
    let silent = |keyspace: &str, table: &str| {
        let same = |known: &&std::sync::Arc<crate::schema::TableSchema>| {
            known.keyspace == keyspace && known.name == table
        };
        schema.and_then(|schema| schema.tables().find(same)).is_some_and(|table| !table.cdc)
    };
    named
        .filter(|table| !silent(&table.keyspace, &table.table))
        .map(|table| (table.keyspace.clone(), table.table.clone()))
        .collect()
}

/// What a job writes.
fn outputs(file: &RulesFile, environment: &Environment) -> Vec<Node> {
    let rules = &file.rules;
    let mut outputs = vec![Node::Topic(environment.topic(&rules.dead_letter_topic))];
    if rules.has_sink {
        let table = format!("{}.{}", rules.table.value.keyspace, rules.table.value.table);
        outputs.push(Node::Table { environment: environment.name.value.clone(), table });
    }
    outputs
}

/// The nodes from `from` to `to`, both included.
fn way(edges: &Edges, from: &Node, to: &Node) -> Option<Vec<Node>> {
    let mut before: BTreeMap<Node, Node> = BTreeMap::new();
    let mut open = vec![from.clone()];
    while let Some(node) = open.pop() {
        if node == *to {
            let mut way = vec![node];
            while let Some(previous) =
                way.last().filter(|node| *node != from).and_then(|node| before.get(node))
            {
                way.push(previous.clone());
            }
            way.reverse();
            return Some(way);
        }
        for next in edges.get(&node).into_iter().flatten() {
            if next != from && !before.contains_key(next) {
                before.insert(next.clone(), node.clone());
                open.push(next.clone());
            }
        }
    }
    None
}
