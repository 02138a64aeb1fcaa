//! The demo's records, as they stand in the file log.

use serde_json::Value;

use crate::agent::exit::{Exit, Failure};
use crate::sink::FileLogReader;

/// A record, read back.
#[derive(Debug)]
pub(super) struct Shown {
    /// Topic.
    pub(super) topic: String,
    /// The record as its line holds it.
    pub(super) line: Value,
}

impl Shown {
    /// A field of the value.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.line.get("value")?.get(name).filter(|value| !value.is_null())
    }

    /// Kind of change.
    pub(super) fn op(&self) -> &str {
        self.field("op").and_then(Value::as_str).unwrap_or_default()
    }

    /// Position of the mutation that it came from.
    pub(super) fn position(&self) -> Option<String> {
        let source = self.field("source")?;
        let id = source.get("file")?.as_str()?.strip_suffix(".log")?.rsplit_once('-')?.1;
        Some(format!("{id}:{}:{}", source.get("pos")?, source.get("entry")?))
    }
}

/// All records of a file log, in order of topic, partition and offset.
pub(super) fn read(log: &FileLogReader) -> Result<Vec<Shown>, Failure> {
    let unreadable = |what: String| Failure::new(Exit::Destination, what);
    let mut records = Vec::new();
    for topic in log.topics() {
        for partition in 0..log.partitions() {
            for line in log.lines(topic, partition) {
                let line = line.map_err(|error| unreadable(error.to_string()))?;
                let line = serde_json::from_str(&line)
                    .map_err(|error| unreadable(format!("a line of topic {topic} is no JSON: {error}")))?;
                records.push(Shown { topic: topic.to_owned(), line });
            }
        }
    }
    Ok(records)
}

/// The records of each mutation.
pub(super) fn by_mutation(records: &[Shown]) -> impl Iterator<Item = &[Shown]> {
    records.chunk_by(|one, next| one.position() == next.position())
}
