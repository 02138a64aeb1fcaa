//! The input of a job: one topic, all its partitions, from given offsets on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::sink::SinkError;

use super::asking;
use super::client::{self, Purpose, config};
use super::context::Context;
use super::options::KafkaOptions;
use super::trouble::{Trouble, lasting};

/// The pause before a question is asked again that may be answered in a moment.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// A record as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: i64,
    /// Milliseconds since the epoch; -1 when it has none.
    pub timestamp_ms: i64,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; None is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// A record.
    Message(Message),
    /// A partition is read as far as it is committed.
    End(u32),
    /// Nothing.
    Nothing,
}

/// One topic.
pub struct JobInput {
    topic: String,
    consumer: BaseConsumer<Context>,
    options: KafkaOptions,
    /// What came while something else was asked.
    early: VecDeque<Result<Arrival, SinkError>>,
}

impl JobInput {
    /// Makes the client; nothing is read before [`Self::assign`].
    ///
    /// # Errors
    /// The options cannot be used.
    pub fn open(options: &KafkaOptions, topic: &str, group: &str) -> Result<Self, SinkError> {
        client::check(options)?;
        let purpose = Purpose::Input { group: group.to_owned() };
        let made = config(options, &purpose).create_with_context(Context::new(options));
        let consumer = made.map_err(|error| client::unmade(&error).into_error())?;
        Ok(Self { topic: topic.to_owned(), consumer, options: options.clone(), early: VecDeque::new() })
    }

    /// How many partitions the topic has: none when it is not there.
    ///
    /// # Errors
    /// It must not be asked, or the brokers do not answer.
    pub fn partitions(&mut self) -> Result<u32, SinkError> {
        let servers = &self.options.bootstrap_servers;
        let (limit, stop) = (self.options.start_timeout, &self.options.stop);
        let mut early = std::mem::take(&mut self.early);
        let hear = || early.extend(self.poll(Duration::ZERO).map_or_else(|error| Some(Err(error)), some));
        let answer = asking::metadata_beside(&self.consumer, Some(&self.topic), limit, stop, hear);
        self.early = early;
        let found = answer.map_err(|unanswered| unanswered.into_error(servers, |error| self.error(error)))?;
        let topic = found.topics().iter().find(|topic| topic.name() == self.topic);
        let error = topic.and_then(|topic| topic.error()).map(RDKafkaErrorCode::from);
        let is_none =
            [RDKafkaErrorCode::LeaderNotAvailable, RDKafkaErrorCode::UnknownTopicOrPartition].map(Some);
        match error.filter(|code| !is_none.contains(&Some(*code))) {
            Some(code) => Err(self.error(&KafkaError::MetadataFetch(code))),
            None => Ok(topic.map_or(0, |topic| u32::try_from(topic.partitions().len()).unwrap_or_default())),
        }
    }

    /// The offset of the first record, and the one after the last that is committed.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn bounds(&self, partition: u32) -> Result<(i64, i64), SinkError> {
        let since = Instant::now();
        loop {
            match self.consumer.fetch_watermarks(&self.topic, number(partition), self.options.start_timeout) {
                Ok(found) => return Ok(found),
                Err(error) if since.elapsed() >= self.options.start_timeout || is_lasting(&error) => {
                    return Err(self.error(&error));
                }
                // A partition is without a leader for a while when it is new or moves.
                Err(_) => std::thread::sleep(ASK_AGAIN),
            }
        }
    }

    /// Reads these partitions from these offsets on. None is held then.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn assign(&mut self, offsets: &[(u32, i64)]) -> Result<(), SinkError> {
        self.early.retain(Result::is_err);
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(&self.topic, number(*partition), Offset::Offset(*offset))
                .map_err(|error| self.error(&error))?;
        }
        // What was paused stays so in librdkafka, though it is assigned anew.
        self.consumer.resume(&list).map_err(|error| self.error(&error))?;
        self.consumer.assign(&list).map_err(|error| self.error(&error))
    }

    /// Stops fetching a partition, or goes on.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn hold(&self, partition: u32, is_held: bool) -> Result<(), SinkError> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, number(partition));
        let done = if is_held { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        done.map_err(|error| self.error(&error))
    }

    /// What comes within this time.
    ///
    /// # Errors
    /// Records are gone, or the brokers refuse. That they cannot be reached is no error.
    pub fn next(&mut self, wait: Duration) -> Result<Arrival, SinkError> {
        self.early.pop_front().unwrap_or_else(|| self.poll(wait))
    }

    fn poll(&self, wait: Duration) -> Result<Arrival, SinkError> {
        let polled = self.consumer.poll(wait);
        if self.consumer.context().take_remade() {
            // Whoever begins anew finds out what is in it.
            return Err(SinkError::RolledBack { what: format!("topic {} was made anew", self.topic) });
        }
        match polled {
            None => Ok(Arrival::Nothing),
            Some(Ok(message)) => Ok(Arrival::Message(owned(&message))),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                Ok(Arrival::End(u32::try_from(partition).unwrap_or_default()))
            }
            Some(Err(error)) if is_gone(&error) => Err(SinkError::RolledBack {
                what: format!("topic {}: records were deleted before they were read: {error}", self.topic),
            }),
            Some(Err(error)) if is_lasting(&error) => Err(self.error(&error)),
            // librdkafka goes on by itself.
            Some(Err(_)) => Ok(Arrival::Nothing),
        }
    }

    fn error(&self, error: &KafkaError) -> SinkError {
        let (topic, servers) = (&self.topic, &self.options.bootstrap_servers);
        let what = format!("cannot read topic {topic} ({servers}): {error}");
        match error.rdkafka_error_code().and_then(lasting) {
            Some(hint) => Trouble::Lasting { what, hint }.into_error(),
            None => SinkError::RolledBack { what },
        }
    }
}

/// What came, if anything did.
fn some(arrival: Arrival) -> Option<Result<Arrival, SinkError>> {
    (arrival != Arrival::Nothing).then_some(Ok(arrival))
}

fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

fn is_gone(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

fn is_lasting(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    // The group is only told how far the job is.
    code != Some(RDKafkaErrorCode::GroupAuthorizationFailed) && code.and_then(lasting).is_some()
}

fn owned(message: &BorrowedMessage<'_>) -> Message {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Message {
        partition: u32::try_from(message.partition()).unwrap_or_default(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect(),
    }
}

impl std::fmt::Debug for JobInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobInput").field("topic", &self.topic).finish_non_exhaustive()
    }
}
