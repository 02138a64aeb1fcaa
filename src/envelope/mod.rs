//! Change events → records: topic, key, value, headers.

pub mod record;

pub use record::Record;
