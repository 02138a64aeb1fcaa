//! How a checkpoint stands in the topic of checkpoints: which keys, which values.
//!
//! ```text
//! <host id>                               a node's checkpoint without the finished segments
//! <host id>/done/<segment id>             {"fingerprint", "done_ms"} of a finished segment, until it is forgotten
//! replay/<segment id>/<fingerprint>       what replays have done of a segment
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError, Fingerprint};
use crate::commitlog::SegmentId;
use crate::envelope::murmur2::partition_hash;
use crate::sink::SinkError;

use super::options::Identity;

/// The value of a finished segment.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    fingerprint: String,
    /// When it was finished, milliseconds since the epoch.
    done_ms: i64,
}

/// A record to be written. Without a value it is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The segment of which it tells, when it tells of one only.
    pub(super) segment: Option<SegmentId>,
    pub(super) key: String,
    pub(super) value: Option<Vec<u8>>,
}

/// What was read back.
#[derive(Debug, Default)]
pub(super) struct Restored {
    /// `None` when there was nothing.
    pub(super) checkpoint: Option<Checkpoint>,
    /// When segments were finished, in milliseconds since 1970.
    pub(super) done_ms: BTreeMap<SegmentId, i64>,
}

/// The keys of an identity.
#[derive(Debug, Clone)]
pub(super) enum Layout {
    Node { host_id: String },
    Replay { segments: BTreeMap<SegmentId, Fingerprint>, again: bool },
}

impl Layout {
    pub(super) fn of(identity: &Identity) -> Self {
        match identity {
            Identity::Node { host_id, .. } => Self::Node { host_id: host_id.clone() },
            Identity::Replay { segments, again } => {
                Self::Replay { segments: segments.clone(), again: *again }
            }
            // No segments, no keys.
            Identity::Job => Self::Replay { segments: BTreeMap::new(), again: false },
        }
    }

    /// The partition of the topic, when it has so many: all that belongs together stands in one.
    pub(super) fn partition(&self, count: u32) -> i32 {
        let name = match self {
            Self::Node { host_id } => host_id.as_str(),
            Self::Replay { .. } => "replay",
        };
        i32::try_from(partition_hash(name.as_bytes()) % count.max(1)).unwrap_or_default()
    }

    /// Whether a key belongs to it.
    pub(super) fn wants(&self, key: &str) -> bool {
        match self {
            Self::Node { host_id } => {
                key.strip_prefix(host_id).is_some_and(|rest| rest.is_empty() || rest.starts_with("/done/"))
            }
            Self::Replay { .. } => self.replayed(key).is_some(),
        }
    }

    /// The segment of a replay's key.
    fn replayed(&self, key: &str) -> Option<SegmentId> {
        let Self::Replay { segments, .. } = self else { return None };
        let (id, fingerprint) = key.strip_prefix("replay/")?.split_once('/')?;
        let segment = SegmentId(id.parse().ok()?);
        let known = segments.get(&segment)?;
        (known.to_string() == fingerprint).then_some(segment)
    }

    /// The checkpoint that the values say.
    pub(super) fn restore(&self, values: &BTreeMap<String, Option<Vec<u8>>>) -> Result<Restored, SinkError> {
        match self {
            Self::Node { host_id } => restore_node(host_id, values),
            Self::Replay { again, .. } => self.restore_replay(values, *again),
        }
    }

    fn restore_replay(
        &self,
        values: &BTreeMap<String, Option<Vec<u8>>>,
        again: bool,
    ) -> Result<Restored, SinkError> {
        let mut whole: Option<Checkpoint> = None;
        for (key, value) in values {
            let (Some(_), Some(value)) = (self.replayed(key), value) else { continue };
            let part = Checkpoint::from_json(value).map_err(|error| unreadable(key, &error))?;
            let same_scope = |whole: &Checkpoint| whole.scope() == part.scope();
            if !again && whole.as_ref().is_some_and(|whole| !same_scope(whole)) {
                return Err(SinkError::Kafka {
                    what: "these segments were replayed with different options before".to_owned(),
                    hint: "replay them one by one with the options of each, or all of them once more with --again",
                });
            }
            whole.get_or_insert_default().add_part(part);
        }
        Ok(Restored { checkpoint: whole, done_ms: BTreeMap::new() })
    }

    /// What must be written so that what says `before` says `after`.
    pub(super) fn changes(
        &self,
        before: &Checkpoint,
        after: &Checkpoint,
        now_ms: i64,
    ) -> Result<Vec<Change>, SinkError> {
        match self {
            Self::Node { host_id } => node_changes(host_id, before, after, now_ms),
            Self::Replay { segments, .. } => {
                let mut changes = Vec::new();
                for (segment, fingerprint) in segments {
                    let part = after.of_segment(*segment);
                    if !part.says_the_same(&before.of_segment(*segment)) {
                        let key = format!("replay/{segment}/{fingerprint}");
                        let value = Some(part.to_json()?);
                        changes.push(Change { segment: Some(*segment), key, value });
                    }
                }
                Ok(changes)
            }
        }
    }

    /// What is written so that a batch can be told to be committed that changes nothing. Replays have no such batches.
    pub(super) fn unchanged(&self, checkpoint: &Checkpoint) -> Result<Option<Change>, SinkError> {
        match self {
            Self::Node { host_id } => rest_of(host_id, checkpoint).map(Some),
            Self::Replay { .. } => Ok(None),
        }
    }
}

fn rest_of(host_id: &str, checkpoint: &Checkpoint) -> Result<Change, SinkError> {
    Ok(Change { segment: None, key: host_id.to_owned(), value: Some(checkpoint.without_done().to_json()?) })
}

fn done_key(host_id: &str, segment: SegmentId) -> String {
    format!("{host_id}/done/{segment}")
}

fn restore_node(host_id: &str, values: &BTreeMap<String, Option<Vec<u8>>>) -> Result<Restored, SinkError> {
    let mut restored = Restored::default();
    if let Some(Some(value)) = values.get(host_id) {
        restored.checkpoint =
            Some(Checkpoint::from_json(value).map_err(|error| unreadable(host_id, &error))?);
    }
    for (key, value) in values {
        let id = key.strip_prefix(host_id).and_then(|rest| rest.strip_prefix("/done/"));
        let (Some(id), Some(value)) = (id, value) else { continue };
        let strange = || unreadable(key, &CheckpointError::Unreadable("no finished segment".to_owned()));
        let segment = SegmentId(id.parse().map_err(|_| strange())?);
        let done: Done = serde_json::from_slice(value).map_err(|_| strange())?;
        let fingerprint = done.fingerprint.parse().map_err(|_| strange())?;
        restored.checkpoint.get_or_insert_default().restore_done(segment, fingerprint);
        restored.done_ms.insert(segment, done.done_ms);
    }
    Ok(restored)
}

fn node_changes(
    host_id: &str,
    before: &Checkpoint,
    after: &Checkpoint,
    now_ms: i64,
) -> Result<Vec<Change>, SinkError> {
    let mut changes = Vec::new();
    let are_same = after.shares_done(before);
    for (segment, fingerprint) in after.done().filter(|_| !are_same) {
        if before.done_as(segment) != Some(fingerprint) {
            let done = Done { fingerprint: fingerprint.to_string(), done_ms: now_ms };
            let value = serde_json::to_vec(&done).map_err(|e| CheckpointError::Unreadable(e.to_string()))?;
            let key = done_key(host_id, segment);
            changes.push(Change { segment: Some(segment), key, value: Some(value) });
        }
    }
    let is_gone = |segment: SegmentId| !are_same && after.done_as(segment).is_none();
    for (segment, _) in before.done().filter(|(segment, _)| is_gone(*segment)) {
        changes.push(Change { segment: Some(segment), key: done_key(host_id, segment), value: None });
    }
    if !changes.is_empty() || !after.without_done().says_the_same(&before.without_done()) {
        changes.push(rest_of(host_id, after)?);
    }
    Ok(changes)
}

fn unreadable(key: &str, error: &CheckpointError) -> SinkError {
    SinkError::Kafka {
        what: format!("the record {key} of the checkpoint topic: {error}"),
        hint: "read it with the cdc-agent that wrote it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47";
    /// What the first version that wrote to Kafka had there, byte by byte: version 4 of the checkpoint, and the key and the
    /// value of a finished segment.
    const REST: &str = r#"{"version":4,"generation":17,"open":{"1795362889883":{"at":"1795362889883:36403:0","fingerprint":"1625a4b0bff438c9e4457529e85cff48"}},"done":{},"parked":["1795362889883:33714:3 d3b8de345643ef8a d3b8de34cf4abe30"]}"#;
    const DONE: &str = r#"{"fingerprint":"8d5e4ad6d3b8e27be4457529e85cff48","done_ms":1795362950123}"#;

    #[test]
    fn what_the_first_version_left_in_kafka_is_read_and_stays_as_it_is() {
        let values = [
            (HOST.to_owned(), Some(REST.as_bytes().to_vec())),
            (format!("{HOST}/done/1795362889882"), Some(DONE.as_bytes().to_vec())),
            (format!("{HOST}/done/1795362889881"), None),
        ];
        let layout = Layout::Node { host_id: HOST.to_owned() };
        assert!(values.iter().all(|(key, _)| layout.wants(key)));
        let restored = layout.restore(&values.into()).unwrap();
        let segment = SegmentId(1_795_362_889_882);
        assert_eq!(restored.done_ms, BTreeMap::from([(segment, 1_795_362_950_123)]));
        let checkpoint = restored.checkpoint.unwrap();
        let open: Vec<String> = checkpoint.open().map(|place| place.to_string()).collect();
        assert_eq!(open, ["1795362889883:36403:0"]);
        assert_eq!(checkpoint.generation(), 17);
        assert_eq!(checkpoint.parked_count(), 1);
        let done = checkpoint.done_as(segment).unwrap().to_string();
        assert_eq!(done, "8d5e4ad6d3b8e27be4457529e85cff48");
        assert!(layout.changes(&checkpoint, &checkpoint, 0).unwrap().is_empty());
        let rest = layout.unchanged(&checkpoint).unwrap().unwrap();
        assert_eq!((rest.key.as_str(), rest.value.unwrap()), (HOST, REST.as_bytes().to_vec()));
        let all = layout.changes(&Checkpoint::default(), &checkpoint, 1_795_362_950_123).unwrap();
        let done = all.iter().find(|change| change.segment == Some(segment)).unwrap();
        assert_eq!(done.key, format!("{HOST}/done/1795362889882"));
        assert_eq!(done.value, Some(DONE.as_bytes().to_vec()));
    }
}
