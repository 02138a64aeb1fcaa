//! The writers of segments and mutations of the integration tests: they know nothing of the readers.

#[path = "../../../../../tests/it/support/mutation_writer.rs"]
#[allow(dead_code)]
pub(super) mod mutation_writer;
#[path = "../../../../../tests/it/support/segment_writer.rs"]
#[allow(dead_code)]
pub(super) mod segment_writer;
#[path = "../../../../../tests/it/support/table.rs"]
#[allow(dead_code)]
pub(super) mod table;
