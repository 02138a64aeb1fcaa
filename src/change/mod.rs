//! Mutations → change events: one for each row, range and partition delete.
//!
//! Order and classification are those of the contract: in each update the partition delete, the static row,
//! then rows and ranges as logged; a range stands where it opens.

pub mod event;
pub mod event_columns;
pub mod event_id;
pub mod filter;
pub mod from_mutation;
pub mod partition_key;
pub mod schema_change;
pub mod truncation;

pub use event::{Bound, ChangeEvent, Operation, Shape};
pub use event_columns::{EventCells, EventColumns};
pub use from_mutation::{ShapeError, for_each_event, for_each_event_of_part};
pub use schema_change::schema_change;
pub use truncation::{Truncation, truncations};
