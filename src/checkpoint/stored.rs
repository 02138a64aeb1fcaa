//! The stored form of a checkpoint: JSON with a version, so that a later shape is refused and not misread.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::commitlog::{Position, SegmentId};

use super::progress::{Open, Progress};
use super::{Checkpoint, CheckpointError, PartitionTag, Partitions, Scope, TableSnapshot};

/// The highest version that is read, and the one written while snapshots are under way.
const VERSION: u64 = 5;
/// The version written otherwise: what was written before snapshots were known.
const WITHOUT_SNAPSHOTS: u64 = 4;

/// Version 5, and what is read of older ones. Positions, fingerprints and partitions are texts, segment ids (JSON
/// has text keys only) too. An entry of `parked` is a position, and behind spaces its partitions: there can be millions.
#[derive(Deserialize)]
struct Stored {
    generation: u64,
    /// Not before version 3.
    scope: Option<Scope>,
    open: BTreeMap<i64, StoredOpen>,
    done: BTreeMap<i64, String>,
    /// Not before version 4.
    before_repetition: Option<StoredProgress>,
    parked: Vec<String>,
    /// Not before version 3.
    #[serde(default)]
    parked_in_other_scopes: Vec<String>,
    /// Not before version 5.
    #[serde(default)]
    snapshots: Vec<TableSnapshot>,
}

#[derive(Serialize, Deserialize)]
struct StoredProgress {
    open: BTreeMap<i64, StoredOpen>,
    done: BTreeMap<i64, String>,
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

/// The parked mutations, written one after the other.
struct StoredParked<'c>(&'c BTreeMap<Position, Partitions>);

impl Serialize for StoredParked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ParkedText))
    }
}

struct ParkedText<'c>((&'c Position, &'c Partitions));

impl Serialize for ParkedText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for ParkedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, partitions) = self.0;
        write!(f, "{place}")?;
        partitions.iter().try_for_each(|partition| write!(f, " {partition:016x}"))
    }
}

impl Checkpoint {
    /// Read the stored form, for example
    /// `{"version":4,"generation":7,"scope":{"table":["shop.orders"]},
    /// "open":{"12":{"at":"12:20:5","fingerprint":"<fingerprint>"}},
    /// "done":{"11":"<fingerprint>"},"parked":["12:20:3 <partition tag>"]}`:
    /// `scope` has options by name, `open` maps a segment to its first event not yet done, `parked` names the
    /// partitions that wait; `parked_in_other_scopes`, when there are some, their positions. While a repetition has not
    /// come to its end, `before_repetition` has the `open` and `done` from before it. `snapshots`, when there are some,
    /// are tables whose rows are being read ([`TableSnapshot`]): only then the version is 5. Version 3 had no repetitions,
    /// version 2 no scopes;
    /// version 1 had `{"12":"12:20:5"}` and `["12:20:3"]` for `open` and `parked`.
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
        let mut checkpoint = Self {
            generation: stored.generation,
            scope: stored.scope,
            progress: StoredProgress { open: stored.open, done: stored.done }.try_into()?,
            before_repetition: stored.before_repetition.map(TryInto::try_into).transpose()?,
            snapshots: stored.snapshots,
            ..Self::default()
        };
        let parked = Arc::make_mut(&mut checkpoint.parked);
        for text in &stored.parked {
            let mut parts = text.split(' ');
            let place = parse(parts.next().unwrap_or_default())?;
            parked.insert(place, parts.map(partition).collect::<Result<_, _>>()?);
        }
        for text in &stored.parked_in_other_scopes {
            checkpoint.of_other_scopes.insert(parse(text)?);
        }
        Ok(checkpoint)
    }
}

impl TryFrom<StoredProgress> for Progress {
    type Error = CheckpointError;

    fn try_from(stored: StoredProgress) -> Result<Self, CheckpointError> {
        let mut progress = Self::default();
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
            progress.insert(reached, fingerprint.map(parse).transpose()?);
        }
        let done = Arc::make_mut(&mut progress.done);
        for (id, text) in &stored.done {
            done.insert(SegmentId(*id), parse(text)?);
        }
        Ok(progress)
    }
}

impl From<&Progress> for StoredProgress {
    fn from(progress: &Progress) -> Self {
        Self {
            open: progress.open.iter().map(|(id, open)| (id.0, open.into())).collect(),
            done: progress.done.iter().map(|(id, print)| (id.0, print.to_string())).collect(),
        }
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
        let progress = StoredProgress::from(&self.progress);
        let mut stored = serializer.serialize_struct("Checkpoint", 9)?;
        let version = if self.snapshots.is_empty() { WITHOUT_SNAPSHOTS } else { VERSION };
        stored.serialize_field("version", &version)?;
        stored.serialize_field("generation", &self.generation)?;
        if let Some(scope) = &self.scope {
            stored.serialize_field("scope", scope)?;
        }
        stored.serialize_field("open", &progress.open)?;
        stored.serialize_field("done", &progress.done)?;
        if let Some(before) = &self.before_repetition {
            stored.serialize_field("before_repetition", &StoredProgress::from(before))?;
        }
        stored.serialize_field("parked", &StoredParked(&self.parked))?;
        if !self.of_other_scopes.is_empty() {
            let places: Vec<String> = self.of_other_scopes.iter().map(ToString::to_string).collect();
            stored.serialize_field("parked_in_other_scopes", &places)?;
        }
        if !self.snapshots.is_empty() {
            stored.serialize_field("snapshots", &self.snapshots)?;
        }
        stored.end()
    }
}

impl<'de> Deserialize<'de> for Checkpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
