//! Names of jobs.

use super::Job;
use crate::jobs::rules::TableRules;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Data quality.
    Dq,
    /// Hashes of rows.
    Hash,
    /// Audit trail.
    Audit,
}

impl JobKind {
    fn word(self) -> &'static str {
        match self {
            Self::Dq => "dq",
            Self::Hash => "hash",
            Self::Audit => "audit",
        }
    }
}

/// `dq-onprem-sales.events`: docs/jobs.md.
#[must_use]
pub fn job_name(kind: JobKind, job: &Job<'_>) -> String {
    format!("{}-{}-{}", kind.word(), job.environment.name.value, job.table())
}

/// `keyspace.table`
pub(super) fn table_text(rules: &TableRules) -> String {
    format!("{}.{}", rules.table.value.keyspace, rules.table.value.table)
}
