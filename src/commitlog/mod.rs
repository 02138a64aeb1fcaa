//! Segment file → sections → frames → mutations. Pure: no clock, no async; only [`map`] touches a file.
//!
//! The format is described in `docs/commit-log-format.md`.

pub mod error;
pub mod position;

pub use error::{Damage, DamageKind};
pub use position::{Position, SegmentId};
