//! Writing records of any content: those of `seed` and of the REST endpoint.

use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, ThreadedProducer};

use super::context::Heard;
use super::{Access, KafkaError};

/// A record on its way.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'r> {
    /// Where to.
    pub topic: &'r str,
    /// The partition; None: by the key, as the Java client does, or by chance.
    pub partition: Option<i32>,
    /// Its key.
    pub key: Option<&'r [u8]>,
    /// Its value; None is a tombstone.
    pub value: Option<&'r [u8]>,
    /// Its timestamp, milliseconds since the epoch; None: now.
    pub timestamp_ms: Option<i64>,
}

/// What became of a record: its partition and offset, or why the brokers did not take it.
pub type Delivered = Result<(i32, i64), RDKafkaErrorCode>;

/// Called once for a record, in a thread of the client.
type Report = Box<dyn FnOnce(Delivered) + Send + Sync>;

/// Writes records, each once even when it has to be sent again.
pub struct Producer {
    client: ThreadedProducer<Reporting>,
}

struct Reporting {
    heard: Heard,
}

impl ClientContext for Reporting {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, line: &str) {
        self.heard.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        ClientContext::error(&self.heard, error, reason);
    }
}

impl ProducerContext<NoCustomPartitioner> for Reporting {
    type DeliveryOpaque = Box<Option<Report>>;

    fn delivery(&self, result: &DeliveryResult<'_>, mut report: Self::DeliveryOpaque) {
        let delivered = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)),
        };
        if let Some(report) = report.take() {
            report(delivered);
        }
    }
}

impl Producer {
    /// A producer that gives a record up after this time, and says so.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new(access: &Access, gives_up: Duration) -> Result<Self, KafkaError> {
        let limit = u64::try_from(gives_up.as_millis()).unwrap_or(u64::MAX);
        let context = Reporting { heard: Heard::default() };
        let client = access.producer(limit).create_with_context(context).map_err(KafkaError::client)?;
        Ok(Self { client })
    }

    /// Sends a record; `report` is called when it is delivered, or given up. While too many wait, this waits, too.
    ///
    /// # Errors
    /// The client refuses it: it is too long, or its partition is not there.
    pub fn send(
        &self,
        record: &Outgoing<'_>,
        report: impl FnOnce(Delivered) + Send + Sync + 'static,
    ) -> Result<(), RDKafkaErrorCode> {
        let mut report: Box<Option<Report>> = Box::new(Some(Box::new(report)));
        loop {
            let mut outgoing = BaseRecord::with_opaque_to(record.topic, report);
            outgoing.partition = record.partition;
            outgoing.key = record.key;
            outgoing.payload = record.value;
            outgoing.timestamp = record.timestamp_ms;
            match self.client.send(outgoing) {
                Ok(()) => return Ok(()),
                Err((error, refused)) => match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::QueueFull) => {
                        report = refused.delivery_opaque;
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    code => return Err(code.unwrap_or(RDKafkaErrorCode::Fail)),
                },
            }
        }
    }

    /// Waits until every record is delivered or given up.
    ///
    /// # Errors
    /// That takes longer than `limit`.
    pub fn flush(&self, limit: Duration) -> Result<(), KafkaError> {
        self.client.flush(limit).map_err(|error| KafkaError::refused("records are still on their way", error))
    }

    /// The last error that the client told of.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.client.context().heard.last()
    }
}
