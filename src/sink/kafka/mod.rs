//! Records → Kafka.
//!
//! Exactly once: the records of a batch and the checkpoint that says that they are done stand in one transaction.
//! Whoever reads only what is committed sees both or neither, and a program that starts again reads the checkpoint
//! after it has taken over the transactional ids, so that nobody can add to what it has read. Nobody knows how a
//! commit without an answer ended; then all producers are made anew and the checkpoint is read again, which tells.
//!
//! `docs/kafka.md` says what is promised, and which topics and permissions are needed.

mod admin;
mod asking;
mod client;
mod context;
mod dead_letter;
mod doubt;
mod flush;
mod gone;
mod job_input;
mod job_log;
mod kept_partitions;
mod layout;
mod local;
mod lost;
mod not_taken;
mod notice;
mod options;
pub mod probe;
mod producer;
mod read_back;
mod refusal;
mod servers;
mod shorten;
mod start;
mod stored;
#[cfg(test)]
mod tests;
mod token;
mod topics;
mod trouble;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::checkpoint::Checkpoint;
use crate::commitlog::SegmentId;
use crate::envelope::Record;
use crate::failpoint;

use super::{Sink, SinkError};
use doubt::Doubts;
use gone::Used;
pub use job_input::{Arrival, JobInput, Message};
pub use job_log::{Choice, JobLog, JobRecord};
use layout::{Change, Layout};
use local::LocalCopy;
use not_taken::{NotTaken, Refusal};
pub use notice::{Notice, Untaken};
pub use options::{
    BatchLimits, ClientOptions, Compression, Delivery, Identity, KafkaOptions, Observer, Password, Refused,
    SaslMechanism, Security, SecurityProtocol, TopicOptions,
};
use producer::{Outgoing, Stuck};
use read_back::Place;
pub use servers::check_servers;
pub use stored::Stored;
use topics::{Kind, Topics};
use trouble::Trouble;
use turn::Turn;

/// A parked mutation takes some 50 bytes in the record of the checkpoint. What one look at the log parks beyond the limit
/// has room as well: at most 15,000 of the shortest ones.
const BYTES_PER_PARKED: usize = 250;

/// The Kafka sink.
pub struct KafkaSink {
    options: KafkaOptions,
    topics: Topics,
    /// `None` after an error, until the sink is rewound.
    turn: Option<Turn>,
    doubts: Doubts,
    layout: Layout,
    place: Place,
    /// Up to where the topic of checkpoints was read.
    read_to: i64,
    committed: Checkpoint,
    local: Option<LocalCopy>,
    /// When segments were finished, in milliseconds since 1970, as it stood in Kafka.
    done_ms: BTreeMap<SegmentId, i64>,
    batch: Batch,
    not_taken: NotTaken,
    used: Used,
    /// When all clients were served last.
    tended: Instant,
}

/// How often clients are served that have nothing to do: librdkafka asks for a new token when a fifth of the old one's time is
/// left, and has log lines to tell.
const TENDED_EVERY: Duration = Duration::from_secs(1);

/// What was sent since the last commit.
#[derive(Debug, Default)]
struct Batch {
    records: u64,
    bytes: u64,
    since: Option<Instant>,
    /// Whether something is told in it that no position tells of.
    has_notices: bool,
    /// How long it has waited for topics that were made.
    making: Duration,
    /// Topics in which nothing was committed before it.
    first_in: BTreeSet<Box<str>>,
}

impl KafkaSink {
    /// Takes the transactional ids over, then reads the checkpoint.
    ///
    /// # Errors
    /// An option cannot be used, the brokers cannot be reached or refuse, a topic is not fit.
    pub fn open(options: KafkaOptions) -> Result<Self, SinkError> {
        client::check(&options)?;
        if options.security.insecure {
            options.observer.tell(&Notice::Insecure);
        }
        let mut topics = Topics::new(&options)?;
        let layout = Layout::of(&options.identity);
        let topic = options.checkpoint_topic();
        let partition = layout.partition(topics.get(&topic, Kind::Checkpoints)?.partitions);
        let local = match &options.identity {
            Identity::Node { local, .. } => {
                local.clone().map(|path| LocalCopy::new(path, options.observer.clone()))
            }
            Identity::Replay { .. } | Identity::Job => None,
        };
        let mut sink = Self {
            options,
            topics,
            turn: None,
            doubts: Doubts::default(),
            layout,
            place: Place { topic, partition },
            read_to: 0,
            committed: Checkpoint::default(),
            local,
            done_ms: BTreeMap::new(),
            batch: Batch::default(),
            not_taken: NotTaken::default(),
            used: Used::default(),
            tended: Instant::now(),
        };
        sink.restart()?;
        Ok(sink)
    }

    fn accept(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        let Some(partitions) = self.partitions_of(record.topic)? else {
            return self.pass_by(record);
        };
        self.begin(record)?;
        if let Some(refusal) = self.not_taken.refusal(record) {
            return self.replace(record, &refusal);
        }
        self.batch.has_notices |= self.options.is_control_topic(record.topic);
        match self.produce(&outgoing(record, record.value, partitions)) {
            Err(Stuck::TooLarge) => self.replace(record, &Refusal::too_long_to_send()),
            Err(stuck) => Err(self.stuck(stuck)),
            Ok(()) => {
                if !self.topics.last_is_written() {
                    self.batch.first_in.insert(Box::from(record.topic));
                }
                Ok(())
            }
        }
    }

    /// Begins a transaction where none is open.
    fn begin(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        let segment = record.position.segment;
        let turn = self.turn.as_mut().ok_or(SinkError::Failed)?;
        if turn.needs(segment) {
            if self.batch.records > 0 {
                // The caller commits at the end of each segment.
                return Err(SinkError::Failed);
            }
            self.take_over(segment)?;
        }
        let turn = self.turn.as_mut().ok_or(SinkError::Failed)?;
        let producer = turn.current().ok_or(SinkError::Failed)?;
        producer.begin().map_err(|trouble| self.fail(trouble))
    }

    fn produce(&mut self, outgoing: &Outgoing<'_>) -> Result<(), Stuck> {
        let Some(producer) = self.turn.as_mut().and_then(Turn::current) else {
            return Err(Trouble::Undone("an earlier error".to_owned()).into());
        };
        producer.produce(outgoing)?;
        let length = outgoing.key.map_or(0, <[u8]>::len) + outgoing.value.map_or(0, <[u8]>::len);
        self.batch.records += 1;
        self.batch.bytes += length as u64;
        self.batch.since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// How long a batch waits for more: not until its transaction is over, which ends as if another agent had taken over.
    fn longest_batch(&self) -> Duration {
        match self.options.delivery {
            Delivery::ExactlyOnce => {
                self.options.batch.time.min(self.options.extra.transaction_timeout() / 2)
            }
            Delivery::AtLeastOnce => self.options.batch.time,
        }
    }

    fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        let mut changes = self.layout.changes(&self.committed, checkpoint, start::now_ms())?;
        if changes.is_empty() && self.batch.has_notices {
            // Only its generation tells whether such a batch was committed.
            changes.extend(self.layout.unchanged(checkpoint)?);
        }
        let is_written = !changes.is_empty();
        self.topics.keep_partitions();
        if (self.batch.records > 0 || is_written)
            && let Err(error) = self.write_batches(changes)
        {
            return self.settle(error, checkpoint, is_written);
        }
        self.not_taken.committed();
        self.committed = checkpoint.clone();
        self.topics.wrote(&std::mem::take(&mut self.batch).first_in);
        if is_written {
            // Else Kafka's is of an earlier generation, and the copy must not win over one that another agent writes.
            self.local.iter().for_each(|copy| copy.store(checkpoint));
        }
        self.topics.look_again();
        self.tell_of_gone_topics();
        Ok(())
    }

    /// One transaction; in a replay one for each segment, that of the records that were sent first.
    fn write_batches(&mut self, changes: Vec<Change>) -> Result<(), SinkError> {
        let turn = self.turn.as_ref().ok_or(SinkError::Failed)?;
        let is_other = |change: &Change| change.segment.is_some_and(|segment| turn.needs(segment));
        let (mut others, own): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(is_other);
        if self.batch.records > 0 || !own.is_empty() {
            self.write_batch(&own)?;
        }
        while let Some(segment) = others.first().and_then(|change| change.segment) {
            let (own, rest) = others.into_iter().partition(|change| change.segment == Some(segment));
            others = rest;
            self.take_over(segment)?;
            self.write_batch(&own)?;
        }
        Ok(())
    }

    fn write_batch(&mut self, changes: &[Change]) -> Result<(), SinkError> {
        let place = self.place.clone();
        let turn = self.turn.as_mut().ok_or(SinkError::Failed)?;
        let producer = turn.current().ok_or(SinkError::Failed)?;
        let written = (|| {
            producer.begin()?;
            if !producer.has_transactions() {
                // Nothing takes a checkpoint back that says of a record that was not taken that it is done.
                producer.drain()?;
            }
            for change in changes {
                producer.produce(&Outgoing {
                    topic: &place.topic,
                    partition: place.partition,
                    key: Some(change.key.as_bytes()),
                    value: change.value.as_deref(),
                    event_id: "",
                    headers: &[],
                    ts_ms: start::now_ms(),
                })?;
            }
            failpoint::cross("kafka_checkpoint_sent");
            producer.drain()?;
            failpoint::cross("kafka_drained");
            producer.commit()?;
            failpoint::cross("kafka_committed");
            Ok(())
        })();
        match written {
            Ok(()) => {
                turn.next();
                Ok(())
            }
            Err(Stuck::TooLarge) => {
                self.abort();
                Err(SinkError::Kafka {
                    what: "the checkpoint is longer than message.max.bytes, because very many mutations are parked"
                        .to_owned(),
                    hint: "give a schema with which they can be decoded, or raise message.max.bytes and the topic's \
                           max.message.bytes",
                })
            }
            Err(stuck) => Err(self.stuck(stuck)),
        }
    }

    /// The error for what kept records from getting through. Nothing more is sent after it.
    fn stuck(&mut self, stuck: Stuck) -> SinkError {
        let failed = match stuck {
            Stuck::Trouble(trouble) => return self.fail(trouble),
            Stuck::TooLarge => return self.fail(Trouble::Undone("a record is too large".to_owned())),
            Stuck::Records(failed) => failed,
        };
        self.abort();
        self.learn(failed)
    }

    /// Nothing more is sent after an error.
    fn fail(&mut self, trouble: Trouble) -> SinkError {
        self.abort();
        trouble.into_error()
    }

    /// Ends the batch, so that readers need not wait for it, and lets the producers go.
    fn abort(&mut self) {
        if let Some(producer) = self.turn.as_mut().and_then(Turn::current) {
            producer.abort();
        }
        self.turn = None;
        self.batch = Batch::default();
        self.not_taken.taken_back();
    }

    /// A commit without an answer: takes all ids over again and reads the checkpoint, which tells how it ended.
    /// `is_written`: whether it was among what was sent.
    fn settle(&mut self, error: SinkError, wanted: &Checkpoint, is_written: bool) -> Result<(), SinkError> {
        let SinkError::Indefinite { what } = error else { return Err(error) };
        if self.options.delivery == Delivery::AtLeastOnce {
            return Err(SinkError::Indefinite { what });
        }
        match self.restart() {
            Err(fenced @ SinkError::Fenced { .. }) => Err(fenced),
            Err(_) => Err(SinkError::Indefinite { what }),
            Ok(()) if is_committed(&self.committed, wanted, is_written) => {
                self.committed = wanted.clone();
                Ok(())
            }
            Ok(()) => Err(SinkError::RolledBack { what }),
        }
    }
}

/// Whether the commit of `wanted` took place, when `found` is read afterwards. What was sent without a checkpoint, only
/// heartbeats, need not have.
fn is_committed(found: &Checkpoint, wanted: &Checkpoint, is_written: bool) -> bool {
    found.says_the_same(wanted) && (!is_written || found.generation() == wanted.generation())
}

/// The record with this value, for a topic with so many partitions.
fn outgoing<'a>(record: &Record<'a>, value: Option<&'a [u8]>, partitions: u32) -> Outgoing<'a> {
    Outgoing {
        topic: record.topic,
        partition: partition(record.partition_hash, partitions),
        key: Some(record.key),
        value,
        event_id: record.event_id,
        headers: &[],
        ts_ms: record.ts_ms,
    }
}

fn partition(hash: u32, partitions: u32) -> i32 {
    i32::try_from(hash % partitions.max(1)).unwrap_or_default()
}

impl Sink for KafkaSink {
    fn send(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        if self.turn.is_none() {
            return Err(SinkError::Failed);
        }
        self.accept(record)
    }

    fn commit(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        if self.turn.is_none() {
            return Err(SinkError::Failed);
        }
        checkpoint.check_follows(&self.committed)?;
        self.write(checkpoint)
    }

    fn take_back(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        if self.turn.is_none() {
            return Err(SinkError::Failed);
        }
        self.write(checkpoint)
    }

    fn tend(&mut self) {
        if self.tended.elapsed() >= TENDED_EVERY {
            self.turn.iter().for_each(Turn::serve);
            self.topics.tend();
            self.tended = Instant::now();
        }
    }

    fn checkpoint(&self) -> Option<&Checkpoint> {
        Some(&self.committed)
    }

    fn finished_ms(&self, segment: SegmentId) -> Option<i64> {
        self.done_ms.get(&segment).copied()
    }

    fn is_full(&self) -> bool {
        let limits = &self.options.batch;
        self.batch.records >= limits.records
            || self.batch.bytes >= limits.bytes
            || self.batch.since.is_some_and(|since| since.elapsed() >= self.longest_batch())
    }

    fn queued(&self) -> u64 {
        self.turn.as_ref().map_or(0, Turn::queued)
    }

    fn most_parked(&self) -> usize {
        self.options.extra.longest_record() / BYTES_PER_PARKED
    }

    fn commits_each_segment(&self) -> bool {
        matches!(self.options.identity, Identity::Replay { .. })
    }

    fn shows_at_once(&self) -> bool {
        self.options.delivery == Delivery::AtLeastOnce
    }

    fn partitions(&mut self, topic: &str) -> Result<u32, SinkError> {
        Ok(self.partitions_of(topic)?.unwrap_or_default())
    }

    fn rewind(&mut self) -> Result<(), SinkError> {
        self.abort();
        self.restart()
    }
}

impl Drop for KafkaSink {
    /// Readers need not wait for a batch that is not committed.
    fn drop(&mut self) {
        self.abort();
    }
}

impl fmt::Debug for KafkaSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSink")
            .field("options", &self.options)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}
