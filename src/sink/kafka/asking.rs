//! Asking brokers for metadata, and hearing why they do not let the agent in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;

use super::context::Context;
use super::refusal::advice;
use crate::sink::SinkError;

/// How long to wait for one answer.
const ASKED_EVERY: Duration = Duration::from_secs(2);
/// More log lines and errors than come up meanwhile: some forty a second while no broker can be asked.
const EVENTS: usize = 1024;

/// Why there is no answer.
pub(super) enum Unanswered {
    /// The brokers refuse this user, or the two sides do not trust each other's certificates.
    ShutOut(String),
    /// None came in time.
    Error(KafkaError),
}

impl Unanswered {
    /// The error; `other` makes that of brokers that do not answer.
    pub(super) fn into_error(self, servers: &str, other: impl FnOnce(&KafkaError) -> SinkError) -> SinkError {
        match self {
            Self::ShutOut(reason) => SinkError::Kafka {
                what: format!("the brokers at {servers} do not let in: {reason}"),
                hint: advice(&reason),
            },
            Self::Error(error) => other(&error),
        }
    }
}

/// Asks for a topic, or for all, until there is an answer, the time is over, or `stop` is set. Who is not let in need not
/// wait until then. The reader reads nothing: what comes up meanwhile is dropped.
pub(super) fn metadata(
    reader: &BaseConsumer<Context>,
    topic: Option<&str>,
    limit: Duration,
    stop: &AtomicBool,
) -> Result<Metadata, Unanswered> {
    // What was refused some time ago counts no longer.
    hear(reader, EVENTS);
    let _ = reader.context().take_shut_out();
    metadata_beside(reader, topic, limit, stop, || drop(reader.poll(Duration::ZERO)))
}

/// Has librdkafka tell a reader that reads nothing what it has to tell, so many events at most, and ask it for what it needs.
pub(super) fn hear(reader: &BaseConsumer<Context>, events: usize) {
    (0..events).for_each(|_| drop(reader.poll(Duration::ZERO)));
}

/// The same as [`metadata`] for a reader that reads: `hear_once` polls it, and keeps the record that may come.
pub(super) fn metadata_beside(
    reader: &BaseConsumer<Context>,
    topic: Option<&str>,
    limit: Duration,
    stop: &AtomicBool,
    mut hear_once: impl FnMut(),
) -> Result<Metadata, Unanswered> {
    let since = Instant::now();
    loop {
        // Serves a request for a token.
        hear_once();
        let error = match reader.fetch_metadata(topic, ASKED_EVERY) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        // The context hears of errors.
        (0..EVENTS).for_each(|_| hear_once());
        if let Some(reason) = reader.context().take_shut_out() {
            return Err(Unanswered::ShutOut(reason));
        }
        if since.elapsed() >= limit || stop.load(Ordering::Relaxed) {
            return Err(Unanswered::Error(error));
        }
    }
}
