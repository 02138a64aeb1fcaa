//! CQL types and the values inside a cell's bytes. Pure: bytes in, values out.

pub(crate) mod hex;
pub mod ident;
mod type_class;
pub mod type_grammar;
#[cfg(test)]
mod type_tests;
mod type_text;
pub mod types;

pub use type_grammar::{TypeError, TypeExpr};
pub use types::{CqlType, UserType};
