//! Records of the demo, as they stand in its file logs.

use std::path::Path;

use serde_json::Value;

use crate::agent::exit::{Exit, Failure};
use crate::sink::FileLogReader;

/// The table's topic in the log of the first side.
pub(super) const TOPIC: &str = "onprem.cdc.shop.orders";

/// A record, read back: the object that its line holds.
#[derive(Debug, Clone)]
pub(super) struct Shown(pub(super) Value);

impl Shown {
    /// A field of the value; None where it is null.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.0.get("value")?.get(name).filter(|value| !value.is_null())
    }

    /// A field of the value as text: nothing where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.field(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The key.
    pub(super) fn key(&self) -> &Value {
        self.0.get("key").unwrap_or(&Value::Null)
    }

    /// Kind of change.
    pub(super) fn op(&self) -> &str {
        self.text("op")
    }

    /// Position of the mutation that it came from.
    pub(super) fn position(&self) -> Option<String> {
        let source = self.field("source")?;
        let id = source.get("file")?.as_str()?.strip_suffix(".log")?.rsplit_once('-')?.1;
        Some(format!("{id}:{}:{}", source.get("pos")?, source.get("entry")?))
    }
}

/// All records of a topic of a file log with one partition, in order; none of a topic that is not there.
pub(super) fn read(dir: &Path, topic: &str) -> Result<Vec<Shown>, Failure> {
    let unreadable = |why: String| {
        let what = format!("the demo's file log {} cannot be read: {why}", dir.display());
        Failure::new(Exit::Destination, what)
    };
    let log = FileLogReader::open(dir).map_err(|error| unreadable(error.to_string()))?;
    let lines = log.lines(topic, 0);
    lines
        .map(|line| {
            let line = line.map_err(|error| unreadable(error.to_string()))?;
            serde_json::from_str(&line).map(Shown).map_err(|error| unreadable(error.to_string()))
        })
        .collect()
}

/// The records of each mutation.
pub(super) fn by_mutation(records: &[Shown]) -> impl Iterator<Item = &[Shown]> {
    records.chunk_by(|one, next| one.position() == next.position())
}
