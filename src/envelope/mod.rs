//! Change events → records: topic, key, value, headers.
//!
//! `docs/envelope.md` describes the records, `docs/identity.md` the hashes.

mod canonical_type;
mod cell_times;
mod columns;
pub mod config;
mod connector_forms;
mod debezium;
mod debezium_cassandra;
pub mod encoder;
mod flat;
mod hash_text;
mod json;
mod key;
pub mod murmur2;
pub mod options;
mod parts;
mod plan;
pub mod record;
mod row_hash;
mod scalar_text;
mod source;
mod time_text;
pub mod topic;
pub mod value;
mod withheld;

pub use config::{EncoderConfig, SourceNames};
pub use encoder::{EncodeError, Encoder};
pub use parts::{Place, Visibility};
pub use record::Record;
pub use row_hash::{HashDefinition, RowHashes, hash_definition};
