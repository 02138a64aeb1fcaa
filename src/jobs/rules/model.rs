//! The rules of one table, read and checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::predicate::with_conditions;
use crate::cli::TableName;
use crate::jobs::column::Column;
use crate::jobs::drift::DriftRules;
use crate::jobs::environment::Environment;
use crate::jobs::expression::{Expr, Literal};
use crate::jobs::fields::Placed;
use crate::jobs::finding::Place;
use crate::jobs::lookup::List;
use crate::jobs::remediate::RemediateRules;

/// How many event ids, or values of a `unique` rule, are remembered of a Kafka partition: where a file does not say it, and at
/// most.
pub(in crate::jobs) const REMEMBERED: (u64, u64) = (1_000_000, 100_000_000);

/// The rules of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRules {
    /// The table that the columns describe.
    pub table: Placed<TableName>,
    /// The environments in which its job runs; none given means all.
    pub environments: Option<Vec<Placed<String>>>,
    /// What the job reads.
    pub source: Source,
    /// Whether valid rows are written to the table.
    pub has_sink: bool,
    /// Name of the topic of invalid records, with `{prefix}`.
    pub dead_letter_topic: Placed<String>,
    /// Columns in the order of the file.
    pub columns: Vec<Column>,
    /// Where each column stands in the file.
    pub column_places: Vec<Place>,
    /// Numbers of the key's columns, in key order.
    pub key: Vec<usize>,
    /// What says which of two rows is newer.
    pub version: Version,
    /// The row hash.
    pub hash: HashRules,
    /// In the order in which they are judged and named: `json`, then for each column `not_null` where key or version
    /// need it and `type`, unless the file lists them itself; then the file's own.
    pub rules: Vec<Rule>,
    /// How many event ids of a Kafka partition are remembered by each job on a CDC topic, but for drift's.
    pub max_event_ids: usize,
    /// Whether the writes of the table are recorded in an audit trail.
    pub has_audit: bool,
    /// How the table's rows in two environments are compared.
    pub drift: Option<DriftRules>,
    /// How drift is repaired.
    pub remediate: RemediateRules,
    /// SHA-256 of the normalised file (without `audit`, `drift` and `remediate`) and its lists, 64 hex digits.
    pub rules_version: String,
}

/// What a job reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A business topic: each payload is one JSON object with the row's fields.
    Json {
        /// Its name, with `{prefix}`.
        topic: Placed<String>,
    },
    /// The topic of the agents' records of a table (profile `flat`).
    Cdc {
        /// The table.
        table: Placed<TableName>,
    },
}

impl Source {
    /// The topic that the job reads in an environment, and where its file says so.
    #[must_use]
    pub fn topic(&self, environment: &Environment) -> Placed<String> {
        match self {
            Self::Json { topic } => Placed { value: environment.topic(&topic.value), place: topic.place },
            Self::Cdc { table } => {
                let value = environment.cdc_topic(&table.value.keyspace, &table.value.table);
                Placed { value, place: table.place }
            }
        }
    }
}

/// What says which of two rows is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// This column, in microseconds after multiplying by its unit.
    Column {
        /// Its number.
        column: usize,
        /// What it counts.
        unit: VersionUnit,
    },
    /// The write time in Cassandra (`source.ts_us`): for CDC topics.
    WriteTime,
}

/// What a version column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionUnit {
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
}

/// Formula of the row hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// Length-prefixed fields: docs/identity.md.
    V1,
    /// Texts joined by `|`.
    V0,
}

/// Definition of the row hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashRules {
    /// Where it stands.
    pub place: Place,
    /// Formula.
    pub kind: HashKind,
    /// v0: the columns in their order.
    pub columns: Vec<Placed<String>>,
    /// v1: regular columns that are left out.
    pub exclude: Vec<Placed<String>>,
    /// The `hash_def` that the file expects.
    pub definition: Option<Placed<String>>,
}

/// What a broken rule does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The record is invalid.
    Fail,
    /// The record stays valid, and says so.
    Warn,
}

/// What a rule does when its answer is NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNull {
    /// Nothing.
    Pass,
    /// It fails.
    Fail,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique in its file; what verdicts name.
    pub id: String,
    /// Where it stands; of a rule that is always there, where its column does.
    pub place: Place,
    /// What a broken rule does.
    pub severity: Severity,
    /// For people.
    pub message: Option<String>,
    /// The rule counts only where this is TRUE.
    pub when: Option<Expr>,
    /// What a NULL does.
    pub on_null: OnNull,
    /// What is looked at.
    pub check: Check,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// Fails where this is TRUE.
    Fails(Expr),
    /// Fails where the value is not in the list, or (`denied`) is in it.
    Lookup {
        /// The column's number.
        column: usize,
        /// The list.
        list: Arc<List>,
        /// The list holds what must not be.
        denied: bool,
    },
    /// Fails where the same values were seen before.
    Unique {
        /// The columns' numbers.
        columns: Vec<usize>,
        /// How long a value is remembered after its first record, in seconds of Kafka time.
        within_s: u64,
        /// How many values are remembered at most.
        most: usize,
    },
}

impl Rule {
    /// What must be TRUE for the rule to be broken, its conditions included; None of one that needs a memory.
    #[must_use]
    pub fn failing(&self) -> Option<Expr> {
        let fails = match &self.check {
            Check::Fails(fails) => fails.clone(),
            Check::Lookup { column, list, denied } => {
                let list = list.values.iter().cloned().map(Literal::Text).collect();
                let is_listed = Expr::InList { value: Box::new(Expr::Column(*column)), list };
                if *denied { is_listed } else { is_listed.negated() }
            }
            Check::Unique { .. } => return None,
        };
        Some(with_conditions(fails, self.when.as_ref(), self.on_null))
    }
}

impl TableRules {
    /// The number of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Whether the job runs there.
    #[must_use]
    pub fn runs_in(&self, environment: &str) -> bool {
        self.environments.as_ref().is_none_or(|names| names.iter().any(|name| name.value == environment))
    }

    /// Columns whose value must be there in every valid record.
    #[must_use]
    pub fn mandatory(&self) -> BTreeSet<usize> {
        let version = match self.version {
            Version::Column { column, .. } => Some(column),
            Version::WriteTime => None,
        };
        self.key.iter().copied().chain(version).collect()
    }
}
