//! Rules and environments → the Flink SQL of their jobs (docs/flink.md).
//!
//! A job is a chain of views that ends in one statement set. Each view is a *stage*: it adds columns to those of the
//! stage before, and every expression of a stage is computed once a record (`stage`). The names of the columns of
//! the table are taken as they are; what the job adds has a dot or a colon in its name (`names`).

mod audit;
mod connector;
mod counters;
mod dead_letters;
mod dialect;
mod drift;
mod drift_job;
mod folder;
mod function;
mod hash_events;
mod identity;
mod judged;
mod names;
mod payload;
mod row_hash;
mod script;
mod settings;
mod source;
mod stage;
mod valid;

use super::environment::Environment;
use super::project::Project;
use super::rules::{Source, TableRules};

pub use drift::{FOLDER as DRIFT_FOLDER, NOTEBOOK, sides};
pub use folder::{Difference, PathError, compare, write};
pub use identity::{JobKind, job_name};
pub use names::is_reserved;
pub use script::{Part, SqlFile};

/// Stands on top of every file.
const GENERATED: &str =
    "Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.";

/// A rules file in an environment.
#[derive(Debug, Clone, Copy)]
pub struct Job<'p> {
    /// The rules.
    pub rules: &'p TableRules,
    /// Where it runs.
    pub environment: &'p Environment,
}

impl Job<'_> {
    /// `keyspace.table`
    fn table(&self) -> String {
        identity::table_text(self.rules)
    }

    /// The quoted name of a table or view of the job: names of two jobs never meet in one session.
    fn object(&self, kind: JobKind, part: &str) -> String {
        super::expression::quoted(&format!("{}.{part}", job_name(kind, self)))
    }

    /// Where a file of the job stands.
    fn path(&self, file: &str) -> String {
        format!("{}/{}/{file}", self.environment.name.value, self.table())
    }

    fn is_cdc(&self) -> bool {
        matches!(self.rules.source, Source::Cdc { .. })
    }

    /// The topic that the `dq` job reads.
    fn source_topic(&self) -> String {
        self.rules.source.topic(self.environment).value
    }
}

/// The files of a job of kind `dq`, in the order in which they run: sources, rules, valid rows, dead letters and
/// counters with the one statement that starts the job.
#[must_use]
pub fn quality(job: &Job<'_>) -> Vec<SqlFile> {
    let rules = judged::file(job);
    let valid = valid::file(job);
    let dead_letters = dead_letters::file(job);
    let functions = function::used(&[&rules, &valid, &dead_letters]);
    vec![source::file(job, functions), rules, valid, dead_letters]
}

/// The file of a job of kind `hash`.
#[must_use]
pub fn hash(job: &Job<'_>) -> SqlFile {
    hash_events::file(job)
}

/// The file of a job of kind `audit`, where the rules ask for one.
#[must_use]
pub fn audit(job: &Job<'_>) -> Option<SqlFile> {
    audit::file(job)
}

/// All files of a checked folder, sorted by their paths.
#[must_use]
pub fn generate(project: &Project) -> Vec<SqlFile> {
    let mut files = Vec::new();
    for (rules, environment) in project.jobs() {
        let job = Job { rules: &rules.rules, environment };
        files.extend(quality(&job));
        files.push(hash(&job));
        files.extend(audit(&job));
    }
    for rules in &project.rules {
        files.extend(drift::file(project, &rules.rules));
        files.extend(drift_job::file(project, &rules.rules));
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}
