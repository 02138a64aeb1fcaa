//! The stored form of a checkpoint: JSON with a version, so that a later shape is refused and not misread.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::commitlog::{Position, SegmentId};

use super::{Checkpoint, CheckpointError};

/// The version written here, and the highest one read.
const VERSION: u64 = 1;

/// Version 1. Positions and fingerprints are texts, segment ids (JSON has text keys only) too.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u64,
    generation: u64,
    open: BTreeMap<i64, String>,
    done: BTreeMap<i64, String>,
    parked: Vec<String>,
}

impl Checkpoint {
    /// Read the stored form, for example
    /// `{"version":1,"generation":7,"open":{"12":"12:20:5"},"done":{"11":"<fingerprint>"},"parked":["12:20:3"]}`:
    /// `open` maps a segment to its first event not yet done.
    ///
    /// # Errors
    /// When the text is no checkpoint, or has a version that this program does not know.
    pub fn from_json(text: &[u8]) -> Result<Self, CheckpointError> {
        let value = serde_json::from_slice(text).map_err(|e| CheckpointError::Unreadable(e.to_string()))?;
        from_value(value)
    }

    /// The stored form.
    ///
    /// # Errors
    /// Never for a checkpoint that was built by this module.
    pub fn to_json(&self) -> Result<Vec<u8>, CheckpointError> {
        serde_json::to_vec(self).map_err(|e| CheckpointError::Unreadable(e.to_string()))
    }
}

fn from_value(value: Value) -> Result<Checkpoint, CheckpointError> {
    match value.get("version").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(found) if found > VERSION => {
            return Err(CheckpointError::NewerVersion { found, known: VERSION });
        }
        _ => {
            return Err(CheckpointError::Unreadable("it has no known `version`".to_owned()));
        }
    }
    let stored: Stored =
        serde_json::from_value(value).map_err(|e| CheckpointError::Unreadable(e.to_string()))?;
    stored.try_into()
}

impl TryFrom<Stored> for Checkpoint {
    type Error = CheckpointError;

    fn try_from(stored: Stored) -> Result<Self, CheckpointError> {
        let position = |text: &str| -> Result<Position, CheckpointError> {
            text.parse().map_err(|e| CheckpointError::Unreadable(format!("{e}")))
        };
        let mut checkpoint = Self { generation: stored.generation, ..Self::default() };
        for (id, text) in &stored.open {
            let reached = position(text)?;
            if reached.segment != SegmentId(*id) || stored.done.contains_key(id) {
                let what =
                    format!("open segment {id} is also done, or stands at {reached}, in another segment");
                return Err(CheckpointError::Unreadable(what));
            }
            checkpoint.open.insert(reached.segment, reached);
        }
        for (id, text) in &stored.done {
            let fingerprint = text.parse().map_err(|e| CheckpointError::Unreadable(format!("{e}")))?;
            checkpoint.done.insert(SegmentId(*id), fingerprint);
        }
        checkpoint.parked =
            stored.parked.iter().map(|text| position(text)).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(checkpoint)
    }
}

impl Serialize for Checkpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored {
            version: VERSION,
            generation: self.generation,
            open: self.open.iter().map(|(id, reached)| (id.0, reached.to_string())).collect(),
            done: self.done.iter().map(|(id, fingerprint)| (id.0, fingerprint.to_string())).collect(),
            parked: self.parked.iter().map(ToString::to_string).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Checkpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
