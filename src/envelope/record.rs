//! The record: what a sink delivers.

use crate::commitlog::{Position, SegmentId};

/// One record, borrowed from the buffers it was encoded into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Topic name.
    pub topic: &'a str,
    /// Non-negative murmur2 hash of the partition-key JSON; the Kafka partition is this modulo the topic's
    /// partition count.
    pub partition_hash: u32,
    /// Key bytes, compact JSON.
    pub key: &'a [u8],
    /// Value bytes, compact JSON; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Content identity, 32 lower-case hex digits: the header `event_id`.
    pub event_id: &'a str,
    /// Record timestamp, milliseconds since the epoch.
    pub ts_ms: i64,
    /// Where the event stands in the log.
    pub position: Position,
}

impl Record<'_> {
    /// Bytes of key and value.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.key.len() + self.value.map_or(0, <[u8]>::len)) as u64
    }
}

impl<'a> Record<'a> {
    /// A record that stands for no change: it has no content identity, and no place in the log.
    #[must_use]
    pub fn aside(topic: &'a str, partition: u32, key: &'a str, value: &'a str, ts_ms: i64) -> Self {
        Self {
            topic,
            partition_hash: partition,
            key: key.as_bytes(),
            value: Some(value.as_bytes()),
            event_id: "",
            ts_ms,
            position: Position { segment: SegmentId(0), marker: 0, entry: 0, row: 0 },
        }
    }
}
