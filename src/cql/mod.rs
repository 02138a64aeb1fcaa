//! CQL types and the values inside a cell's bytes. Pure: bytes in, values out.

pub mod counter;
pub mod float;
pub(crate) mod hex;
pub mod ident;
pub mod loose_text;
pub mod nested;
pub mod number;
mod type_class;
pub mod type_expr;
pub mod type_grammar;
#[cfg(test)]
mod type_tests;
mod type_text;
pub mod types;
pub mod value;

pub use loose_text::LooseText;
pub use type_expr::TypeExpr;
pub use type_grammar::TypeError;
pub use types::{CqlType, UserType};
pub use value::{Value, ValueError};
