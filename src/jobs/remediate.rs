//! Remediation: repairs of confirmed drift, which a person or a policy approves and which are written into one data centre.
//!
//! ```text
//! dq_reconciliation_current ──▶ decide ──▶ PROPOSED ──▶ APPROVED ──▶ apply ──▶ one data centre, then APPLIED
//! the winner's CDC topic ───────▲                                      ▲── the same record, read again
//! ```
//!
//! Every step is a record of `dq_remediation_audit` ([`step`]); what is known of a proposal is folded from them ([`book`]).
//! A repair is the winner's own change, written again with its own write times ([`repair`]): Cassandra keeps what is newer,
//! and to write it twice is to write it once. `docs/remediation.md` says what is promised.

pub mod apply;
pub mod book;
pub mod decide;
mod json;
pub mod limits;
pub mod policy;
pub mod propose;
pub mod repair;
mod settings;
pub mod standing;
pub mod step;
pub mod store;
#[cfg(test)]
mod tests;

pub(in crate::jobs) use settings::read;
pub use settings::{RemediateRules, Winner};
