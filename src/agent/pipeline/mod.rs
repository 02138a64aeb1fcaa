//! From the bytes of a segment to the sink: what `replay` and `run` have in common.
//!
//! A [`walk`] over a segment cuts it into units; a [`worker`] decodes a unit and makes its records; a [`writer`] sends
//! them and commits.

pub(in crate::agent) mod batch;
pub(in crate::agent) mod begun;
pub(in crate::agent) mod doubt;
pub(in crate::agent) mod epoch;
pub(in crate::agent) mod failed;
pub(in crate::agent) mod follow;
pub(in crate::agent) mod held;
pub(in crate::agent) mod range;
pub(in crate::agent) mod records;
pub(in crate::agent) mod report;
pub(in crate::agent) mod segment;
pub(in crate::agent) mod system_change;
pub(in crate::agent) mod undecoded;
pub(in crate::agent) mod unit;
pub(in crate::agent) mod waiting;
pub(in crate::agent) mod walk;
pub(in crate::agent) mod worker;
pub(in crate::agent) mod writer;
