//! Valid rows to the tables of one data centre: guarded before the first write, at least once.
//!
//! A row written again is the same row: every write has the row's version as its time.

mod guard;
mod repairs;
mod session;
mod writer;

pub use guard::Tables;
pub use repairs::Repairs;
pub use writer::CassandraRows;
