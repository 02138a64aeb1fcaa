//! Asking brokers for metadata, and hearing why they do not let the agent in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;

use super::context::Context;
use crate::sink::SinkError;

/// How long to wait for one answer.
const ASKED_EVERY: Duration = Duration::from_secs(2);
/// How many log lines and errors may have come up meanwhile.
const EVENTS: usize = 64;

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
                hint: "check protocol, user, password and certificates",
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
    metadata_beside(reader, topic, limit, stop, || {
        let _ = reader.poll(Duration::ZERO);
    })
}

/// The same for a reader that reads: `hear` polls it once, and keeps the record that may come.
pub(super) fn metadata_beside(
    reader: &BaseConsumer<Context>,
    topic: Option<&str>,
    limit: Duration,
    stop: &AtomicBool,
    mut hear: impl FnMut(),
) -> Result<Metadata, Unanswered> {
    let since = Instant::now();
    loop {
        // Serves a request for a token.
        hear();
        let error = match reader.fetch_metadata(topic, ASKED_EVERY) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        // The context hears of errors.
        (0..EVENTS).for_each(|_| hear());
        if let Some(reason) = reader.context().take_shut_out() {
            return Err(Unanswered::ShutOut(reason));
        }
        if since.elapsed() >= limit || stop.load(Ordering::Relaxed) {
            return Err(Unanswered::Error(error));
        }
    }
}
