//! Encoded records on their way from a worker to the sink, in one buffer.

use std::sync::Arc;

use super::report::Undelivered;
use crate::change::Operation;
use crate::checkpoint::PartitionTag;
use crate::commitlog::Position;
use crate::envelope::Record;
use crate::schema::TableId;

/// A worker hands a batch over when it takes this many bytes.
const BATCH_BYTES: usize = 256 << 10;

/// About what a parked mutation takes: its texts are short.
const PARKED_BYTES: usize = size_of::<Parked>() + 160;

/// What is counted of an event.
pub(in crate::agent) type Event = (TableId, Operation);

/// Records in order.
#[derive(Debug, Default)]
pub(in crate::agent) struct Batch {
    bytes: Vec<u8>,
    records: Vec<Stored>,
    topics: Vec<Arc<str>>,
    /// Mutations that could not be decoded, in order.
    pub(in crate::agent) parked: Vec<Parked>,
    /// Mutations that earlier replays parked and that this one does not park again, in order.
    pub(in crate::agent) retried: Vec<Retried>,
    /// The mutations among them whose records stand, or may stand, in other batches, too.
    large: Vec<LargeMutation>,
}

/// A mutation whose records fill several batches.
#[derive(Debug, Clone)]
pub(in crate::agent) struct LargeMutation {
    pub(in crate::agent) position: Position,
    /// All its partitions: it waits as a whole.
    pub(in crate::agent) tags: Arc<[PartitionTag]>,
    /// Whether records of it stand in a batch before this one.
    pub(in crate::agent) is_continued: bool,
}

/// A mutation that the schema is not enough for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) struct Parked {
    pub(in crate::agent) entry: Undelivered,
    pub(in crate::agent) tag: PartitionTag,
    /// Whether the schema lacks its table or a column of it.
    pub(in crate::agent) is_unknown: bool,
}

/// A mutation that an earlier replay parked, tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) struct Retried {
    pub(in crate::agent) position: Position,
    /// Whether all of it that was asked for when it was parked was given out, or it was given up. Otherwise this
    /// replay does not ask for it, and it stays parked.
    pub(in crate::agent) is_settled: bool,
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    topic: usize,
    partition_hash: u32,
    key_length: usize,
    /// `None`: a tombstone.
    value_length: Option<usize>,
    start: usize,
    ts_ms: i64,
    position: Position,
    tag: PartitionTag,
    table: TableId,
    operation: Operation,
}

impl Stored {
    fn mutation(&self) -> Position {
        Position { row: 0, ..self.position }
    }
}

/// The records of one mutation; at least one.
#[derive(Debug, Clone, Copy)]
pub(in crate::agent) struct MutationRecords<'b> {
    batch: &'b Batch,
    records: &'b [Stored],
}

impl<'b> MutationRecords<'b> {
    pub(in crate::agent) fn position(self) -> Option<Position> {
        self.records.first().map(Stored::mutation)
    }

    pub(in crate::agent) fn count(self) -> usize {
        self.records.len()
    }

    /// The events that the records are of. An event may have two records, which have its position.
    pub(in crate::agent) fn events(self) -> impl Iterator<Item = Event> {
        let events = self.records.chunk_by(|a, b| a.position == b.position);
        events.filter_map(|records| records.first()).map(|stored| (stored.table, stored.operation))
    }

    pub(in crate::agent) fn tags(self) -> impl Iterator<Item = PartitionTag> + Clone + use<'b> {
        let elsewhere = self.large().map(|large| large.tags.as_ref()).unwrap_or_default();
        self.records.iter().map(|stored| stored.tag).chain(elsewhere.iter().copied())
    }

    /// Whether the batches before this one hold records of the mutation, too.
    pub(in crate::agent) fn is_continued(self) -> bool {
        self.large().is_some_and(|large| large.is_continued)
    }

    fn large(self) -> Option<&'b LargeMutation> {
        self.batch.large.iter().rfind(|large| self.position() == Some(large.position))
    }

    pub(in crate::agent) fn records(self) -> impl Iterator<Item = Record<'b>> {
        self.records.iter().filter_map(move |stored| self.batch.record(stored))
    }
}

const EVENT_ID_LENGTH: usize = 32;

impl Batch {
    pub(in crate::agent) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Memory in bytes.
    pub(in crate::agent) fn memory(&self) -> usize {
        self.bytes.capacity()
            + self.records.capacity() * size_of::<Stored>()
            + self.parked.len() * PARKED_BYTES
    }

    /// Whether it is time to hand it over.
    pub(in crate::agent) fn is_full(&self) -> bool {
        let records = self.bytes.len() + self.records.len() * size_of::<Stored>();
        records + self.parked.len() * PARKED_BYTES >= BATCH_BYTES
    }

    pub(in crate::agent) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.parked.is_empty() && self.retried.is_empty()
    }

    pub(in crate::agent) fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        self.parked.clear();
        self.retried.clear();
        self.large.clear();
    }

    /// What follows, up to the next position, are records of this mutation.
    pub(in crate::agent) fn begin_large(&mut self, large: LargeMutation) {
        self.large.push(large);
    }

    /// Number of records, to come back to with [`Self::truncate`].
    pub(in crate::agent) fn mark(&self) -> usize {
        self.records.len()
    }

    /// Takes back every record after `mark`.
    pub(in crate::agent) fn truncate(&mut self, mark: usize) {
        if let Some(first) = self.records.get(mark) {
            self.bytes.truncate(first.start);
        }
        self.records.truncate(mark);
    }

    /// Adds a record of an event of `table`.
    pub(in crate::agent) fn push(
        &mut self,
        record: &Record<'_>,
        tag: PartitionTag,
        (table, operation): Event,
    ) {
        let topic = self.topic(record.topic);
        self.records.push(Stored {
            topic,
            partition_hash: record.partition_hash,
            key_length: record.key.len(),
            value_length: record.value.map(<[u8]>::len),
            start: self.bytes.len(),
            ts_ms: record.ts_ms,
            position: record.position,
            tag,
            table,
            operation,
        });
        self.bytes.extend_from_slice(record.event_id.as_bytes());
        self.bytes.extend_from_slice(record.key);
        self.bytes.extend_from_slice(record.value.unwrap_or_default());
    }

    fn topic(&mut self, name: &str) -> usize {
        let last_first = self.topics.iter().rposition(|topic| **topic == *name);
        last_first.unwrap_or_else(|| {
            self.topics.push(name.into());
            self.topics.len() - 1
        })
    }

    /// The mutations with records, as they were pushed.
    pub(in crate::agent) fn mutations(&self) -> impl Iterator<Item = MutationRecords<'_>> {
        let chunks = self.records.chunk_by(|a, b| a.mutation() == b.mutation());
        chunks.map(|records| MutationRecords { batch: self, records })
    }

    fn record(&self, stored: &Stored) -> Option<Record<'_>> {
        let rest = self.bytes.get(stored.start..)?;
        let (event_id, rest) = rest.split_at_checked(EVENT_ID_LENGTH)?;
        let (key, rest) = rest.split_at_checked(stored.key_length)?;
        let value = match stored.value_length {
            Some(length) => Some(rest.get(..length)?),
            None => None,
        };
        Some(Record {
            topic: self.topics.get(stored.topic)?,
            partition_hash: stored.partition_hash,
            key,
            value,
            event_id: std::str::from_utf8(event_id).ok()?,
            ts_ms: stored.ts_ms,
            position: stored.position,
        })
    }
}
