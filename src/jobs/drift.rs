//! Drift: do two data centres hold the same rows?
//!
//! [`record`] makes inputs of the records of two sides, [`machine`] verdicts of inputs. The machine keeps what each side
//! holds of a row ([`row`], by Cassandra's rules: [`cell`], [`range`]), and decides about a write when the watermarks of
//! both sides ([`clock`]) say that the other side must have it. `docs/drift.md` says what its verdicts mean.

mod cell;
mod clock;
mod event;
#[cfg(test)]
mod existence;
mod job;
mod machine;
#[cfg(test)]
pub(in crate::jobs) mod measure;
mod memory;
mod options;
mod order;
mod range;
pub mod record;
mod row;
#[cfg(test)]
mod scenarios;
mod settings;
#[cfg(test)]
mod tests;
mod unknown;
mod verdict;

pub use cell::Cell;
pub use event::{Both, Content, GapKind, Input, Place, RowEvent, Side, UNVERSIONED};
pub use job::{AUDIT_TOPIC, CONTROL_TOPIC, CURRENT_TOPIC, DEAD_LETTER_TOPIC, DriftJob};
pub use machine::{Counts, Machine, Output, State};
pub use memory::Forgotten;
pub use options::{Hosts, Mode, Options, SideOptions};
pub use order::{KeyOrder, KeyType};
pub use range::{Bound, Clustering, RangeDeletion};
pub use row::lacking;
pub(in crate::jobs) use settings::read;
pub use settings::{DriftInput, DriftRules, DriftSide};
pub use verdict::{Reason, Status, Told, Verdict};
