//! Existing rows → change events: what is asked for over CQL, and what its answers mean. Pure.
//!
//! [`Select`] says a table is asked for, [`rows`] what a page holds. The
//! events have the operation [`Read`](crate::change::Operation::Read).

pub mod rows;
pub mod select;

pub use rows::{PageError, for_each_read, last_token};
pub use select::{Select, SelectError};
