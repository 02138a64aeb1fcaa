//! What operators do with Kafka: topics, consumer groups, records, over the client that the sink uses, too.
//!
//! [`access`] says how to reach the brokers, [`error`] what can go wrong; [`Brokers`] is the connection.

mod access;
mod context;
mod error;
pub mod groups;
pub mod offsets;
mod produce;
pub mod tail;
pub mod topics;

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::Metadata;

pub use access::Access;
pub use error::KafkaError;
pub use produce::{Delivered, Outgoing, Producer};

use context::Heard;

/// How long brokers may take to answer.
const LIMIT: Duration = Duration::from_secs(15);
/// How long one try takes.
const ASKED_EVERY: Duration = Duration::from_secs(2);

/// A connection to the brokers of an environment.
pub struct Brokers {
    access: Access,
    /// Asks without making topics by asking.
    reader: BaseConsumer<Heard>,
    admin: AdminClient<Heard>,
    heard: Heard,
}

impl Brokers {
    /// Makes the clients, and waits until a broker answers.
    ///
    /// # Errors
    /// No broker answers, or they do not let this user in.
    pub fn connect(access: Access) -> Result<Self, KafkaError> {
        let heard = Heard::default();
        let reader = access.reader(None).create_with_context(heard.clone()).map_err(KafkaError::client)?;
        let admin = access.config().create_with_context(heard.clone()).map_err(KafkaError::client)?;
        let brokers = Self { access, reader, admin, heard };
        // One name that no topic has: the list of all may be long.
        brokers.metadata(Some("__"))?;
        Ok(brokers)
    }

    /// How the brokers are reached.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Asks for a topic, or for all. Who is not let in need not wait for long.
    fn metadata(&self, topic: Option<&str>) -> Result<Metadata, KafkaError> {
        let since = Instant::now();
        loop {
            let error = match self.reader.fetch_metadata(topic, ASKED_EVERY) {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            while self.reader.poll(Duration::ZERO).is_some() {}
            if let Some(reason) = self.heard.refusal() {
                return Err(KafkaError::ShutOut { servers: self.access.servers().to_owned(), reason });
            }
            if since.elapsed() >= LIMIT {
                return Err(self.unreachable(&error));
            }
        }
    }

    fn unreachable(&self, error: &rdkafka::error::KafkaError) -> KafkaError {
        let reason = self.heard.last().unwrap_or_else(|| error.to_string());
        KafkaError::Unreachable { servers: self.access.servers().to_owned(), reason }
    }

    fn options() -> AdminOptions {
        AdminOptions::new().request_timeout(Some(LIMIT)).operation_timeout(Some(LIMIT))
    }
}
