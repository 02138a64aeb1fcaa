//! What table ids and column names mean.
//!
//! [`model`] is pure; the other files are sources of it.

pub mod model;

pub use model::{Column, ColumnKind, Schema, TableId, TableSchema};
