//! Outputs of a job: records and how far it read, in one transaction.
//!
//! How far it read stands in `<prefix>.jobs.__checkpoints` (compacted) under the job's name, which is also true when its
//! inputs are elsewhere. Where they are in the same cluster, the offsets of its consumer group are part of the
//! transaction, too, so that anybody's tools tell how far behind it is.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::envelope::murmur2::partition_hash;
use crate::sink::SinkError;

use super::client::{self, Purpose, config, unmade};
use super::context::Context;
use super::doubt::Doubts;
use super::options::KafkaOptions;
use super::producer::{Outgoing, Producer, Stuck};
use super::read_back::{self, Place};
use super::start::now_ms;
use super::topics::{Kind, Topics};
use super::trouble::{forbids_topic, lasting, refuses_record};

/// How a record's partition is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// By its key, as Java's default partitioner does; the first without a key.
    Key,
    /// This one, modulo their number.
    Number(u32),
}

/// A record of a job.
#[derive(Debug, Clone, Copy)]
pub struct JobRecord<'r> {
    /// Topic.
    pub topic: &'r str,
    /// Partition.
    pub choice: Choice,
    /// Key.
    pub key: Option<&'r [u8]>,
    /// Value; None is a tombstone.
    pub value: Option<&'r [u8]>,
    /// Headers in their order.
    pub headers: &'r [(&'r str, Option<&'r [u8]>)],
    /// Milliseconds since the epoch.
    pub ts_ms: i64,
}

/// The outputs of one job.
pub struct JobLog {
    job: String,
    topics: Topics,
    /// Topics of which the last record of each key stays.
    compacted: Vec<String>,
    producer: Producer,
    place: Place,
    committed: Option<Vec<u8>>,
    group: Option<BaseConsumer<Context>>,
}

impl JobLog {
    /// Takes the job's transactional id over, so that whoever ran it before cannot write any more, and reads how far it
    /// came. With a `group` its offsets are told there.
    ///
    /// # Errors
    /// The brokers cannot be reached or refuse, or a topic is not fit.
    pub fn open(
        options: &KafkaOptions,
        job: &str,
        group: Option<&str>,
        compacted: Vec<String>,
    ) -> Result<Self, SinkError> {
        client::check(options)?;
        let mut topics = Topics::new(options)?;
        let topic = format!("{}.jobs.__checkpoints", options.prefix);
        let count = topics.get(&topic, Kind::Checkpoints)?.partitions;
        let partition = i32::try_from(partition_hash(job.as_bytes()) % count.max(1)).unwrap_or_default();
        let place = Place { topic, partition };
        let producer = Producer::transactional(options, format!("cdc-jobs.{job}"), &Doubts::default())
            .map_err(super::trouble::Trouble::into_error)?;
        let wanted = |key: &str| key == job;
        let found = read_back::read(options, &topics, &place, 0, wanted, || Ok(()))?;
        let committed = found.values.into_values().next().flatten();
        let group = group.map(|group| {
            let purpose = Purpose::Input { group: group.to_owned() };
            config(options, &purpose)
                .create_with_context(Context::new(options))
                .map_err(|error| unmade(&error).into_error())
        });
        let group = group.transpose()?;
        Ok(Self { job: job.to_owned(), topics, compacted, producer, place, committed, group })
    }

    /// What the job said of itself with its last commit.
    #[must_use]
    pub fn committed(&self) -> Option<&[u8]> {
        self.committed.as_deref()
    }

    /// Takes a record.
    ///
    /// # Errors
    /// It is not taken; nothing since the last commit will be there.
    pub fn send(&mut self, record: &JobRecord<'_>) -> Result<(), SinkError> {
        let is_latest = self.compacted.iter().any(|topic| topic == record.topic);
        let kind = if is_latest { Kind::Latest } else { Kind::Records };
        let partitions = self.topics.get(record.topic, kind)?.partitions.max(1);
        let number = match record.choice {
            Choice::Key => record.key.map_or(0, partition_hash),
            Choice::Number(number) => number,
        };
        let partition = i32::try_from(number % partitions).unwrap_or_default();
        self.produce(&Outgoing {
            topic: record.topic,
            partition,
            key: record.key,
            value: record.value,
            event_id: "",
            headers: record.headers,
            ts_ms: record.ts_ms,
        })
    }

    /// Commits what was sent, with what the job says of itself, and the offsets of its group: topic, partition, next
    /// offset.
    ///
    /// # Errors
    /// It did not take place, or nobody knows whether it did.
    pub fn commit<'o>(
        &mut self,
        progress: &[u8],
        offsets: impl Iterator<Item = (&'o str, u32, i64)>,
    ) -> Result<(), SinkError> {
        let (job, place) = (self.job.clone(), self.place.clone());
        self.produce(&Outgoing {
            topic: &place.topic,
            partition: place.partition,
            key: Some(job.as_bytes()),
            value: Some(progress),
            event_id: "",
            headers: &[],
            ts_ms: now_ms(),
        })?;
        self.producer.drain().map_err(|stuck| self.stuck(stuck, 0))?;
        let group = self.group.as_ref().and_then(Consumer::group_metadata);
        if let Some(group) = group {
            let mut list = TopicPartitionList::new();
            for (topic, partition, next) in offsets {
                let partition = i32::try_from(partition).unwrap_or_default();
                // Offsets come from Kafka, which takes them back.
                let _ = list.add_partition_offset(topic, partition, Offset::Offset(next));
            }
            self.producer.send_offsets(&list, &group).map_err(super::trouble::Trouble::into_error)?;
        }
        self.producer.commit().map_err(super::trouble::Trouble::into_error)?;
        self.committed = Some(progress.to_vec());
        self.topics.look_again();
        Ok(())
    }

    fn produce(&mut self, outgoing: &Outgoing<'_>) -> Result<(), SinkError> {
        self.producer.begin().map_err(super::trouble::Trouble::into_error)?;
        let bytes = outgoing.value.map_or(0, <[u8]>::len) + outgoing.key.map_or(0, <[u8]>::len);
        self.producer.produce(outgoing).map_err(|stuck| match stuck {
            Stuck::TooLarge => too_long(outgoing.topic, bytes),
            other => self.stuck(other, bytes),
        })
    }

    fn stuck(&self, stuck: Stuck, bytes: usize) -> SinkError {
        let failed = match stuck {
            Stuck::Trouble(trouble) => return trouble.into_error(),
            Stuck::TooLarge => return too_long("", bytes),
            Stuck::Records(failed) => failed,
        };
        let Some(first) = failed.into_iter().next() else { return SinkError::Failed };
        let what = format!("topic {}: a record is not taken: {}", first.topic, first.code);
        match lasting(first.code) {
            Some(hint) if forbids_topic(first.code) => SinkError::Forbidden { what, hint },
            Some(hint) => SinkError::Kafka { what, hint },
            None if refuses_record(first.code) => SinkError::Kafka {
                what,
                hint: "raise the topic's max.message.bytes, or its message.timestamp.before.max.ms and \
                       message.timestamp.after.max.ms",
            },
            None => SinkError::RolledBack { what },
        }
    }
}

fn too_long(topic: &str, bytes: usize) -> SinkError {
    SinkError::Refused {
        topic: topic.to_owned(),
        what: format!("a record of {bytes} bytes"),
        reason: "it is longer than message.max.bytes".to_owned(),
    }
}

impl Drop for JobLog {
    /// Readers need not wait for what is not committed.
    fn drop(&mut self) {
        self.producer.abort();
    }
}

impl std::fmt::Debug for JobLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobLog").field("job", &self.job).finish_non_exhaustive()
    }
}
