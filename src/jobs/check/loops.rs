//! Feedback loops: a job that reads, directly or through other jobs, what it writes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::jobs::drift::{AUDIT_TOPIC, Both, CURRENT_TOPIC, DriftJob, Side};
use crate::jobs::engine::dq::{COUNTS, INVALID_TOPIC, VALID_TOPIC};
use crate::jobs::environment::Environment;
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::flink_sql::sides;
use crate::jobs::project::{Project, RulesFile};
use crate::jobs::rules::TableRules;
use crate::schema::Schema;

/// A topic or a table of an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Topic(String),
    Table { environment: String, table: String },
}

impl Node {
    fn table(environment: &Environment, keyspace: &str, table: &str) -> Self {
        Self::Table { environment: environment.name.value.clone(), table: format!("{keyspace}.{table}") }
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Table { environment, table } => write!(f, "table {table} ({environment})"),
        }
    }
}

/// From what is read to what is written for it.
#[derive(Default)]
struct Edges(BTreeMap<Node, BTreeSet<Node>>);

impl Edges {
    fn lead(&mut self, from: Node, to: impl IntoIterator<Item = Node>) {
        self.0.entry(from).or_default().extend(to);
    }
}

/// Finds the jobs from whose outputs a way leads back to their source. Only a job of kind `dq` writes tables, so that every loop
/// has one in it.
pub(super) fn check(project: &Project, schema: Option<&Schema>) -> Vec<Finding> {
    let edges = edges(project, schema);
    let mut found = Vec::new();
    for (file, environment) in project.jobs() {
        let source = file.rules.source.topic(environment);
        let from = Node::Topic(source.value);
        for output in quality(&file.rules, environment) {
            if let Some(way) = way(&edges, &output, &from) {
                let way: Vec<String> = way.iter().map(Node::to_string).collect();
                let message = format!("a feedback loop: {from} → {}", way.join(" → "));
                let mut findings = Findings::new(&file.file);
                findings.add(source.place, Code::Loop, message);
                found.extend(findings.into_sorted());
            }
        }
    }
    found
}

/// Everything that jobs of the rules read and write, on either engine, and the agents between tables and topics. Repairs are no edge:
/// nothing applies them by itself, and a row that was repaired again and again is escalated.
fn edges(project: &Project, schema: Option<&Schema>) -> Edges {
    let mut edges = Edges::default();
    for environment in &project.environments.0 {
        for (keyspace, table) in tables(project, schema) {
            let changes = Node::Topic(environment.cdc_topic(&keyspace, &table));
            edges.lead(Node::table(environment, &keyspace, &table), [changes]);
        }
    }
    for (RulesFile { rules, .. }, environment) in project.jobs() {
        let source = Node::Topic(rules.source.topic(environment).value);
        edges.lead(source, quality(rules, environment));
        edges.lead(changes(rules, environment), of_changes(rules, environment));
    }
    for RulesFile { rules, .. } in &project.rules {
        let Some((drift, (onprem, cloud))) = rules.drift.as_ref().zip(sides(project, rules)) else {
            continue;
        };
        let job = DriftJob::new(rules, drift, Both { onprem, cloud });
        let verdicts = || [AUDIT_TOPIC, CURRENT_TOPIC].map(|topic| Node::Topic(topic.to_owned()));
        for topic in Side::BOTH.into_iter().flat_map(|side| job.topics(side)) {
            let positions = Node::Topic(onprem.positions_topic());
            edges.lead(Node::Topic(topic.clone()), verdicts().into_iter().chain([positions]));
        }
    }
    edges
}

fn changes(rules: &TableRules, environment: &Environment) -> Node {
    Node::Topic(environment.cdc_topic(&rules.table.value.keyspace, &rules.table.value.table))
}

/// Tables that may have a CDC topic: those that jobs name or write, unless the schema says that they have none.
fn tables(project: &Project, schema: Option<&Schema>) -> BTreeSet<(String, String)> {
    let named = project.rules.iter().map(|file| &file.rules.table.value);
    let named = named.map(|table| (table.keyspace.as_str(), table.table.as_str())).chain([COUNTS]);
    let silent = |keyspace: &str, table: &str| {
        let same = |known: &&std::sync::Arc<crate::schema::TableSchema>| {
            known.keyspace == keyspace && known.name == table
        };
        schema.and_then(|schema| schema.tables().find(same)).is_some_and(|table| !table.cdc)
    };
    named
        .filter(|(keyspace, table)| !silent(keyspace, table))
        .map(|(keyspace, table)| (keyspace.to_owned(), table.to_owned()))
        .collect()
}

/// What a job of kind `dq` writes.
fn quality(rules: &TableRules, environment: &Environment) -> Vec<Node> {
    let table = &rules.table.value;
    let mut outputs: Vec<Node> = [
        environment.topic(&rules.dead_letter_topic.value),
        environment.valid_topic(&table.keyspace, &table.table),
        environment.positions_topic(),
        VALID_TOPIC.to_owned(),
        INVALID_TOPIC.to_owned(),
    ]
    .map(Node::Topic)
    .into();
    if rules.has_sink {
        outputs.push(Node::table(environment, COUNTS.0, COUNTS.1));
        outputs.push(Node::table(environment, &table.keyspace, &table.table));
    }
    outputs
}

/// What the jobs write that read the changes of the rules' table, whatever the source of the rules is.
fn of_changes(rules: &TableRules, environment: &Environment) -> Vec<Node> {
    let mut outputs = vec![environment.hash_topic(), environment.positions_topic()];
    if rules.has_audit {
        outputs.push(environment.audit_topic(&rules.table.value.keyspace, &rules.table.value.table));
    }
    outputs.into_iter().map(Node::Topic).collect()
}

/// A shortest way from `from` to `to`, both included.
fn way(edges: &Edges, from: &Node, to: &Node) -> Option<Vec<Node>> {
    let mut before: BTreeMap<Node, Node> = BTreeMap::new();
    let mut open = VecDeque::from([from.clone()]);
    while let Some(node) = open.pop_front() {
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
        for next in edges.0.get(&node).into_iter().flatten() {
            if next != from && !before.contains_key(next) {
                before.insert(next.clone(), node.clone());
                open.push_back(next.clone());
            }
        }
    }
    None
}
