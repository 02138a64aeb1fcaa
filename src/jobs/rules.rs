//! `rules/<table>.yaml`: what a table's records must be.

mod model;
mod predicate;
mod read;
mod rule;
mod version;

pub(in crate::jobs) use model::REMEMBERED;
pub use model::{
    Check, HashKind, HashRules, OnNull, Rule, Severity, Source, TableRules, Version, VersionUnit,
};
pub use predicate::json as no_object;
pub use read::read;
