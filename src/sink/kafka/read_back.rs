//! Reads the topic of checkpoints back, up to everything that stands in it when asked.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::sink::SinkError;

use super::client::{Purpose, config};
use super::context::Context;
use super::notice::Notice;
use super::options::KafkaOptions;
use super::producer::Wait;
use super::topics::Topics;
use super::trouble::{Trouble, UNREACHED, is_away, lasting};

/// How long one look at an unfinished transaction is away from the next.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Where checkpoints stand.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) topic: String,
    pub(super) partition: i32,
}

/// The newest values by key; `None` for a tombstone.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) values: BTreeMap<String, Option<Vec<u8>>>,
    /// The offset after all of them.
    pub(super) end: i64,
}

/// The newest value of every key that is `wanted`, among the committed records from offset `from` on.
///
/// The end is asked for without regard to transactions; what is read are committed records up to there. A transaction
/// that is not ended yet is waited for, and `unfinished` is called once: whoever can end it does so there.
pub(super) fn read(
    options: &KafkaOptions,
    topics: &Topics,
    place: &Place,
    from: i64,
    wanted: impl Fn(&str) -> bool,
    unfinished: impl FnOnce() -> Result<(), SinkError>,
) -> Result<Found, SinkError> {
    let reading = Reading { options, place };
    let (low, end) = reading.watermarks(topics.reader())?;
    let from = from.max(low);
    if end <= from {
        return Ok(Found { values: BTreeMap::new(), end });
    }
    let consumer: BaseConsumer<Context> = config(options, &Purpose::Reader { committed: true })
        .create_with_context(Context::new(options))
        .map_err(|error| reading.error(&error))?;
    let mut unfinished = Some(unfinished);
    let mut wait = Wait::default();
    while reading.watermarks(&consumer)?.1 < end {
        unfinished.take().map_or(Ok(()), |unfinished| unfinished())?;
        reading.wait(&mut wait)?;
    }
    // Everything before `end` is decided now, so that the end that the consumer finds cannot be before it.
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(&place.topic, place.partition, Offset::Offset(from))
        .and_then(|()| consumer.assign(&assignment))
        .map_err(|error| reading.error(&error))?;
    Ok(Found { values: reading.to_the_end(&consumer, wanted)?, end })
}

struct Reading<'r> {
    options: &'r KafkaOptions,
    place: &'r Place,
}

impl Reading<'_> {
    /// The first offset, and the one after the last that the client may read.
    fn watermarks(&self, client: &BaseConsumer<Context>) -> Result<(i64, i64), SinkError> {
        let since = Instant::now();
        loop {
            // Serves a request for a token.
            let _ = client.poll(Duration::ZERO);
            let Place { topic, partition } = self.place;
            match client.fetch_watermarks(topic, *partition, self.options.start_timeout) {
                Ok(found) => return Ok(found),
                Err(error) if passes(&error) && since.elapsed() < self.options.start_timeout => {}
                Err(error) => return Err(self.error(&error)),
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn wait(&self, wait: &mut Wait) -> Result<(), SinkError> {
        if self.options.stop.load(Ordering::Relaxed) {
            return Err(Trouble::Undone("stopped while waiting for Kafka".to_owned()).into_error());
        }
        if let Some(seconds) = wait.told() {
            let what = format!(
                "a transaction in {} is not ended; the checkpoint is read when it is",
                self.place.topic
            );
            self.options.observer.tell(&Notice::Waiting { what, seconds });
        }
        std::thread::sleep(LOOK_AGAIN);
        Ok(())
    }

    fn to_the_end(
        &self,
        consumer: &BaseConsumer<Context>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, Option<Vec<u8>>>, SinkError> {
        let mut values = BTreeMap::new();
        let mut last = Instant::now();
        loop {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    last = Instant::now();
                    let key = message.key().and_then(|key| std::str::from_utf8(key).ok());
                    if let Some(key) = key.filter(|key| wanted(key)) {
                        values.insert(key.to_owned(), message.payload().map(<[u8]>::to_vec));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(values),
                Some(Err(error)) if is_lasting(&error) => return Err(self.error(&error)),
                // librdkafka goes on by itself.
                Some(Err(_)) | None if last.elapsed() < self.options.start_timeout => {}
                Some(Err(error)) => return Err(self.error(&error)),
                None => {
                    return Err(
                        self.error(&KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut))
                    );
                }
            }
        }
    }

    fn error(&self, error: &KafkaError) -> SinkError {
        let what = format!("cannot read the checkpoints in {}: {error}", self.place.topic);
        match error.rdkafka_error_code().and_then(lasting) {
            Some(hint) => Trouble::Lasting { what, hint }.into_error(),
            None if error.rdkafka_error_code().is_some_and(is_away) => {
                SinkError::Unreachable { what, hint: UNREACHED }
            }
            None => SinkError::Kafka { what, hint: UNREACHED },
        }
    }
}

/// Whether an error is gone in a moment: a partition is without a leader for a while when it is new or moves.
fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::UnknownTopicOrPartition
                | Code::UnknownPartition
                | Code::BrokerTransportFailure
                | Code::AllBrokersDown
        )
    )
}

fn is_lasting(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    // The group is only a name: no offset is committed.
    code != Some(RDKafkaErrorCode::GroupAuthorizationFailed) && code.and_then(lasting).is_some()
}
