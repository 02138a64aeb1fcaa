//! Reading the records of a topic.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::context::Heard;
use super::offsets::Place;
use super::{Brokers, KafkaError, LIMIT};

/// A record as it stands in its partition.
#[derive(Debug, Clone, Copy)]
pub struct Read<'m> {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, milliseconds since the epoch; None of records of very old clients.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<&'m [u8]>,
    /// Its value; None is a tombstone.
    pub value: Option<&'m [u8]>,
    message: &'m BorrowedMessage<'m>,
}

impl<'m> Read<'m> {
    fn of(message: &'m BorrowedMessage<'m>) -> Self {
        Self {
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            key: message.key(),
            value: message.payload(),
            message,
        }
    }

    /// Its headers, in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&'m str, Option<&'m [u8]>)> {
        self.message.headers().into_iter().flat_map(|headers| headers.iter()).map(|one| (one.key, one.value))
    }
}

/// What is read.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// The topic.
    pub topic: &'r str,
    /// From where on.
    pub from: Place,
    /// Only these partitions; all when there are none.
    pub partitions: &'r [i32],
    /// Goes on when the end is reached.
    pub follow: bool,
}

impl Brokers {
    /// Reads the committed records of a topic: to the ends of its partitions as they are met, or on and on. Records of one
    /// partition come in their order. `each` ends it by breaking.
    ///
    /// # Errors
    /// There is no such topic, partition or offset; the brokers do not answer, or refuse.
    pub fn tail<E: From<KafkaError>>(
        &self,
        request: &Request<'_>,
        mut each: impl FnMut(&Read<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let reader = self.assign(request)?;
        let mut open: HashSet<i32> = self.open(&reader)?;
        let mut answered = Instant::now();
        while request.follow || !open.is_empty() {
            match reader.poll(Duration::from_millis(200)) {
                // What comes behind the end that was met would end at no place that anybody can name.
                Some(Ok(message)) if request.follow || open.contains(&message.partition()) => {
                    answered = Instant::now();
                    if each(&Read::of(&message))?.is_break() {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(ClientError::PartitionEOF(partition))) => {
                    answered = Instant::now();
                    open.remove(&partition);
                }
                Some(Err(error)) if is_passing(&error) => {}
                Some(Err(error)) => {
                    return Err(KafkaError::refused(format!("topic {}", request.topic), error).into());
                }
                None if !request.follow && answered.elapsed() > LIMIT => {
                    let error = ClientError::Global(RDKafkaErrorCode::OperationTimedOut);
                    return Err(self.unreachable(&error).into());
                }
                None => {}
            }
        }
        Ok(())
    }

    fn assign(&self, request: &Request<'_>) -> Result<BaseConsumer<Heard>, KafkaError> {
        let topic = self.get(request.topic)?;
        let mut ranges = self.ranges(&topic)?;
        for wanted in request.partitions {
            if !ranges.iter().any(|range| range.partition == *wanted) {
                let count = ranges.len();
                return Err(KafkaError::Unfit(format!(
                    "{} has {count} partitions, from 0 on; there is no partition {wanted}",
                    request.topic
                )));
            }
        }
        ranges.retain(|range| request.partitions.is_empty() || request.partitions.contains(&range.partition));
        let refused = |error| KafkaError::refused(format!("topic {}", request.topic), error);
        let mut places = TopicPartitionList::new();
        for (partition, offset) in self.offsets(request.topic, &ranges, request.from)? {
            places.add_partition_offset(request.topic, partition, Offset::Offset(offset)).map_err(refused)?;
        }
        let reader: BaseConsumer<Heard> =
            self.access.reader(None).create_with_context(self.heard.clone()).map_err(KafkaError::client)?;
        reader.assign(&places).map_err(refused)?;
        Ok(reader)
    }

    fn open(&self, reader: &BaseConsumer<Heard>) -> Result<HashSet<i32>, KafkaError> {
        let assigned = reader.assignment().map_err(KafkaError::client)?;
        Ok(assigned.elements().iter().map(|element| element.partition()).collect())
    }
}

/// Whether the client gets over it by itself.
fn is_passing(error: &ClientError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                // Nothing is asked of the group.
                | RDKafkaErrorCode::GroupAuthorizationFailed
        )
    )
}
