//! Inputs and outputs in file logs.

mod outlet;
mod source;
#[cfg(test)]
mod tests;

pub use outlet::FileOutlet;
pub use source::FileSource;
