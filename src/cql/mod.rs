//! CQL types and the values inside a cell's bytes. Pure: bytes in, values out.

pub mod types;

pub use types::{CqlType, UserType};
