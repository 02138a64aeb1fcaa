//! What librdkafka says of its connections: it does not tell why there is no answer otherwise.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// How the reason begins why a connection is refused, in the line of the log that tells of it.
const REFUSALS: [&str; 2] = ["SASL authentication error", "SSL handshake failed"];

#[derive(Debug, Default)]
struct Told {
    last: Option<String>,
    refusal: Option<String>,
}

/// The last errors.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Told>>);

impl Heard {
    /// The last error.
    pub(super) fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last.clone()
    }

    /// Why brokers did not let this user in since the last call, if they did not.
    pub(super) fn refusal(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).refusal.take()
    }

    fn hear(&self, text: &str, is_refusal: bool) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.last = Some(text.to_owned());
        if is_refusal {
            told.refusal = Some(text.to_owned());
        }
    }
}

impl ClientContext for Heard {
    fn log(&self, level: RDKafkaLogLevel, _: &str, line: &str) {
        let is_error = matches!(
            level,
            RDKafkaLogLevel::Emerg
                | RDKafkaLogLevel::Alert
                | RDKafkaLogLevel::Critical
                | RDKafkaLogLevel::Error
        );
        let refusal = REFUSALS.iter().find_map(|begin| line.find(begin).and_then(|at| line.get(at..)));
        match refusal {
            Some(reason) => self.hear(reason, true),
            None if is_error => self.hear(line, false),
            None => {}
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // The one is asked for, the other says less than what was heard before it.
            Some(RDKafkaErrorCode::PartitionEOF | RDKafkaErrorCode::AllBrokersDown) => {}
            Some(
                RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::SSL,
            ) => self.hear(reason, true),
            _ => self.hear(reason, false),
        }
    }
}

impl ConsumerContext for Heard {}
