//! The stored form of a checkpoint: JSON with a version, so that a later shape is refused and not misread.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::commitlog::{Position, SegmentId};

use super::{Checkpoint, CheckpointError, Open, PartitionTag};

/// The version written here, and the highest one read.
const VERSION: u64 = 2;

/// Version 2, and what is read of version 1. Positions, fingerprints and partitions are texts, segment ids (JSON has
/// text keys only) too.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u64,
    generation: u64,
    open: BTreeMap<i64, StoredOpen>,
    done: BTreeMap<i64, String>,
    parked: Vec<StoredParked>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredOpen {
    /// Of version 1.
    At(String),
    Known {
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredParked {
    /// Of version 1.
    At(String),
    Known {
        at: String,
        /// 16 hex digits each.
        partitions: Vec<String>,
    },
}

impl Checkpoint {
    /// Read the stored form, for example
    /// `{"version":2,"generation":7,"open":{"12":{"at":"12:20:5","fingerprint":"<fingerprint>"}},
    /// "done":{"11":"<fingerprint>"},"parked":[{"at":"12:20:3","partitions":["<partition tag>"]}]}`:
    /// `open` maps a segment to its first event not yet done, `parked` names the partitions that wait. Version 1 had
    /// `{"12":"12:20:5"}` and `["12:20:3"]` in these places.
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
        Some(1..=VERSION) => {}
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
        let mut checkpoint = Self { generation: stored.generation, ..Self::default() };
        for (id, open) in &stored.open {
            let (at, fingerprint) = match open {
                StoredOpen::At(at) => (at, None),
                StoredOpen::Known { at, fingerprint } => (at, fingerprint.as_deref()),
            };
            let reached: Position = parse(at)?;
            if reached.segment != SegmentId(*id) || stored.done.contains_key(id) {
                let what =
                    format!("open segment {id} is also done, or stands at {reached}, in another segment");
                return Err(CheckpointError::Unreadable(what));
            }
            let fingerprint = fingerprint.map(parse).transpose()?;
            checkpoint.open.insert(reached.segment, Open { first_not_done: reached, fingerprint });
        }
        for (id, text) in &stored.done {
            checkpoint.done.insert(SegmentId(*id), parse(text)?);
        }
        for parked in &stored.parked {
            let (at, partitions) = match parked {
                StoredParked::At(at) => (at, &[][..]),
                StoredParked::Known { at, partitions } => (at, partitions.as_slice()),
            };
            let partitions = partitions.iter().map(|text| partition(text));
            checkpoint.parked.insert(parse(at)?, partitions.collect::<Result<_, _>>()?);
        }
        Ok(checkpoint)
    }
}

fn parse<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, CheckpointError> {
    text.parse().map_err(|error| CheckpointError::Unreadable(format!("{error}")))
}

fn partition(text: &str) -> Result<PartitionTag, CheckpointError> {
    let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let tag = u64::from_str_radix(text, 16).ok().filter(|_| digits);
    tag.ok_or_else(|| {
        CheckpointError::Unreadable(format!("`{text}` is no partition: expected 16 hex digits"))
    })
}

impl From<&Open> for StoredOpen {
    fn from(open: &Open) -> Self {
        let fingerprint = open.fingerprint.map(|fingerprint| fingerprint.to_string());
        Self::Known { at: open.first_not_done.to_string(), fingerprint }
    }
}

impl Serialize for Checkpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored {
            version: VERSION,
            generation: self.generation,
            open: self.open.iter().map(|(id, open)| (id.0, open.into())).collect(),
            done: self.done.iter().map(|(id, fingerprint)| (id.0, fingerprint.to_string())).collect(),
            parked: self
                .parked
                .iter()
                .map(|(place, partitions)| StoredParked::Known {
                    at: place.to_string(),
                    partitions: partitions.iter().map(|tag| format!("{tag:016x}")).collect(),
                })
                .collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Checkpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
