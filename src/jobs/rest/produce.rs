//! From the records of a request to what became of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::answer::Refusal;
use super::body::Item;
use crate::jobs::kafka::{Brokers, Delivered, KafkaError, Outgoing, Producer};

/// How long the number of a topic's partitions is believed.
const BELIEVED: Duration = Duration::from_secs(30);

/// The topics, and the producer for all of them.
pub(super) struct Topics {
    brokers: Brokers,
    producer: Producer,
    known: Mutex<HashMap<String, (Instant, usize)>>,
}

/// A record on its way.
pub(super) struct Waiting {
    pub(super) bytes: usize,
    pub(super) delivered: oneshot::Receiver<Delivered>,
}

impl Topics {
    pub(super) fn new(brokers: Brokers, producer: Producer) -> Self {
        Self { brokers, producer, known: Mutex::default() }
    }

    /// The number of partitions. By writing to it a topic that is missing would be made with the brokers' settings.
    fn partitions(&self, topic: &str) -> Result<usize, Refusal> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied();
        if let Some((_, count)) = known.filter(|(since, _)| since.elapsed() < BELIEVED) {
            return Ok(count);
        }
        let count = match self.brokers.find(topic) {
            Ok(Some(found)) => found.partitions.len(),
            Ok(None) => return Err(Refusal::NoTopic),
            Err(KafkaError::Refused { .. }) => return Err(Refusal::Topic),
            Err(_) => return Err(Refusal::Kafka),
        };
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(topic.to_owned(), (Instant::now(), count));
        Ok(count)
    }

    /// Sends the records; blocks while too many wait. Nothing is sent unless all partitions are there.
    pub(super) fn send(
        &self,
        topic: &str,
        partition: Option<i32>,
        records: &[Item<'_>],
    ) -> Result<Vec<Waiting>, Refusal> {
        let count = self.partitions(topic)?;
        let is_there = |partition: i32| usize::try_from(partition).is_ok_and(|partition| partition < count);
        let partitions: Vec<Option<i32>> =
            records.iter().map(|record| partition.or(record.partition)).collect();
        if !partitions.iter().flatten().all(|partition| is_there(*partition)) {
            return Err(Refusal::NoPartition);
        }
        Ok(records
            .iter()
            .zip(partitions)
            .map(|(record, partition)| self.send_one(topic, partition, record))
            .collect())
    }

    fn send_one(&self, topic: &str, partition: Option<i32>, record: &Item<'_>) -> Waiting {
        let (key, value) = (record.key(), record.value());
        let bytes = key.as_ref().map_or(0, Vec::len) + value.as_ref().map_or(0, Vec::len);
        let (sender, delivered) = oneshot::channel();
        // Whoever asked may be gone. Two places may hold the sender: the client's report, and this one for a refusal.
        let sender = Arc::new(Mutex::new(Some(sender)));
        let report = {
            let sender = Arc::clone(&sender);
            move |delivered| tell(&sender, delivered)
        };
        let outgoing =
            Outgoing { topic, partition, key: key.as_deref(), value: value.as_deref(), timestamp_ms: None };
        if let Err(code) = self.producer.send(&outgoing, report) {
            tell(&sender, Err(code));
        }
        Waiting { bytes, delivered }
    }

    /// Waits until everything is delivered or given up.
    pub(super) fn flush(&self, limit: Duration) -> Result<(), KafkaError> {
        self.producer.flush(limit)
    }
}

fn tell(sender: &Mutex<Option<oneshot::Sender<Delivered>>>, delivered: Delivered) {
    if let Some(sender) = sender.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = sender.send(delivered);
    }
}
