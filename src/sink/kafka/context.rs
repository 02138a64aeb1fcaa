//! What librdkafka calls back: failed deliveries, errors, log lines, tokens.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Headers, Message};
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};

use super::client::DEBUG;
use super::notice::Notice;
use super::options::{KafkaOptions, Observer};
use super::{refusal, token};

/// The name of the header with the content identity.
pub(super) const EVENT_ID: &str = "event_id";

/// A record that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) topic: String,
    /// Empty when the record has none.
    pub(super) event_id: String,
    pub(super) code: RDKafkaErrorCode,
}

/// The ends of the failed deliveries that are kept: the first says what is wrong.
const KEPT: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Context {
    observer: Observer,
    token_file: Option<PathBuf>,
    failed: Arc<Mutex<Vec<Failed>>>,
    /// Topics that this user may not write.
    forbidden: Arc<Mutex<Vec<String>>>,
    /// Why brokers do not let the agent in.
    shut_out: Arc<Mutex<Option<String>>>,
    /// Why there is no token, from the last time that one was asked for.
    no_token: Arc<Mutex<Option<String>>>,
    /// Whether a connection failed that matters, or a request.
    has_erred: Arc<AtomicBool>,
    /// Whether a topic was made anew that is read.
    is_remade: Arc<AtomicBool>,
    /// Whether the user wants librdkafka's own log.
    is_debugged: bool,
}

/// What the line of librdkafka's debug log holds that tells that a connection failed while it was in use: all requests
/// that wait on it for an answer are sent again. Its error callback leaves out what repeats within 30 s, this log does
/// not (`rd_kafka_broker_set_state` of rdkafka_broker.c).
const HAS_FAILED: &str = "state UP -> DOWN";
/// The connection to an address of the configuration: given up as soon as the brokers' own addresses are known.
const BOOTSTRAP: &str = "/bootstrap:";

/// What the line of the debug log holds that tells that a topic has another id than before, and the id of one that was not
/// known before. From then on librdkafka reads the new topic from where it was in the old one
/// (`rd_kafka_topic_metadata_update` of rdkafka_topic.c); it tells of it nowhere else.
const OTHER_ID: &str = " changed id from ";
const NO_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA ";

/// How the line begins that names a partition which could not become part of a transaction, and how it ends when this
/// user may not write it (`rd_kafka_txn_handle_AddPartitionsToTxn` of rdkafka_txnmgr.c). The transaction's error does
/// not name it.
const NOT_ADDED: &str = "Failed to add partition \"";
const NOT_ALLOWED: &str = "Topic authorization failed";

/// How the reason of an error begins that tells that there is no token.
const NO_TOKEN: &str = "Failed to acquire SASL OAUTHBEARER token";

impl Context {
    pub(super) fn new(options: &KafkaOptions) -> Self {
        Self {
            observer: options.observer.clone(),
            token_file: options.security.token_file.clone(),
            failed: Arc::default(),
            forbidden: Arc::default(),
            shut_out: Arc::default(),
            no_token: Arc::default(),
            has_erred: Arc::default(),
            is_remade: Arc::default(),
            is_debugged: options.extra.has(DEBUG),
        }
    }

    /// Why brokers did not let the agent in since the last call, if they did not; or why there is no token for them.
    pub(super) fn take_shut_out(&self) -> Option<String> {
        let shut_out = self.shut_out.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.no_token.lock().unwrap_or_else(PoisonError::into_inner).clone().or(shut_out)
    }

    /// Whether librdkafka told of an error since the last call.
    pub(super) fn take_erred(&self) -> bool {
        self.has_erred.swap(false, Ordering::Relaxed)
    }

    /// Whether a topic was made anew since the last call: what is read of it from then on is of the new one.
    pub(super) fn take_remade(&self) -> bool {
        self.is_remade.swap(false, Ordering::Relaxed)
    }

    /// The records that were not delivered since the last call, and the topics that may not be written, as records
    /// without an identity.
    pub(super) fn take_failed(&self) -> Vec<Failed> {
        let mut failed = std::mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner));
        let forbidden = std::mem::take(&mut *self.forbidden.lock().unwrap_or_else(PoisonError::into_inner));
        failed.extend(forbidden.into_iter().map(|topic| Failed {
            topic,
            event_id: String::new(),
            code: RDKafkaErrorCode::TopicAuthorizationFailed,
        }));
        failed
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, _: &str, text: &str) {
        if matches!(level, RDKafkaLogLevel::Debug) {
            if text.contains(HAS_FAILED) && !text.contains(BOOTSTRAP) {
                self.has_erred.store(true, Ordering::Relaxed);
            }
            if is_remade(text) {
                self.is_remade.store(true, Ordering::Relaxed);
            }
            if !self.is_debugged {
                return;
            }
        }
        if let Some(reason) = refusal::reason(text) {
            *self.shut_out.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
        if let Some(topic) = forbidden_topic(text) {
            self.forbidden.lock().unwrap_or_else(PoisonError::into_inner).push(topic.to_owned());
        }
        let level = match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => 3,
            RDKafkaLogLevel::Warning => 4,
            RDKafkaLogLevel::Notice => 5,
            RDKafkaLogLevel::Info => 6,
            RDKafkaLogLevel::Debug => 7,
        };
        self.observer.tell(&Notice::Client { level, text: text.to_owned() });
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is asked for, and is no error.
        if matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PartitionEOF)) {
            return;
        }
        self.has_erred.store(true, Ordering::Relaxed);
        let is_refusal = matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::Authentication
                    | RDKafkaErrorCode::SaslAuthenticationFailed
                    | RDKafkaErrorCode::SSL
            )
        );
        if is_refusal && !reason.starts_with(NO_TOKEN) {
            *self.shut_out.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
        self.observer.tell(&Notice::Client { level: 3, text: format!("{error}: {reason}") });
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let none = || "kafka_oauth_token_file is not given".to_owned();
        let read = self.token_file.as_deref().ok_or_else(none).and_then(token::read);
        *self.no_token.lock().unwrap_or_else(PoisonError::into_inner) = read.as_ref().err().cloned();
        read.map_err(Into::into)
    }
}

impl ConsumerContext for Context {}

impl ProducerContext<NoCustomPartitioner> for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else { return };
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() < KEPT {
            let header = message.headers().and_then(|headers| {
                let header = headers.iter().find(|header| header.key == EVENT_ID)?;
                String::from_utf8(header.value?.to_vec()).ok()
            });
            failed.push(Failed {
                topic: message.topic().to_owned(),
                event_id: header.unwrap_or_default(),
                code: error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
            });
        }
    }
}

/// Whether a line of librdkafka's log says that a topic was made anew.
fn is_remade(line: &str) -> bool {
    line.split_once(OTHER_ID).is_some_and(|(_, ids)| !ids.starts_with(NO_ID))
}

/// The topic that a line of librdkafka's log says may not be written.
fn forbidden_topic(text: &str) -> Option<&str> {
    let (_, named) = text.split_once(NOT_ADDED)?;
    let (topic, reason) = named.split_once('"')?;
    reason.contains(NOT_ALLOWED).then_some(topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_may_not_be_written_is_found_in_the_log() {
        let line = |topic: &str, reason: &str| {
            format!(
                "[thrd:main]: TxnCoordinator/1: Failed to add partition \"{topic}\" [0] to transaction: {reason}"
            )
        };
        let forbidden = line("p.cdc.k.t", "Broker: Topic authorization failed");
        assert_eq!(forbidden_topic(&forbidden), Some("p.cdc.k.t"));
        assert_eq!(forbidden_topic(&line("p.cdc.k.t", "Broker: Operation not attempted")), None);
        assert_eq!(forbidden_topic("Topic authorization failed"), None);
    }

    #[test]
    fn a_topic_that_was_made_anew_is_found_in_the_log() {
        let line = |id: &str| format!("[thrd:main]: Topic t changed id from {id} to XHVDJ5gnYFb3dtPFAwAAAA");
        assert!(is_remade(&line("a3qQm1wVTzOnY0nA5F0u1w")));
        assert!(!is_remade(&line("AAAAAAAAAAAAAAAAAAAAAA")));
        assert!(!is_remade("[thrd:main]: Topic t [0] Leader 1"));
    }
}
