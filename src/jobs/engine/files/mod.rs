//! Inputs and outputs in file logs.

mod outlet;
mod source;

pub use outlet::FileOutlet;
pub use source::FileSource;
