//! Change events → records: topic, key, value, headers.

mod json;
pub mod murmur2;
pub mod options;
pub mod record;
mod time_text;
pub mod value;

pub use record::Record;
