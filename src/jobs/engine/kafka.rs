//! Inputs and outputs in Kafka.

mod outlet;
mod source;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::agent::kafka::log_notice;
use crate::jobs::drift::AUDIT_TOPIC;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::secrets::resolve;
use crate::jobs::environment::{Environment, SecurityProtocol as Protocol};
use crate::jobs::topics::{FOREVER, HASHES_MS, LETTERS_MS, LONGEST_RECORD};
use crate::sink::kafka::{
    ClientOptions, Identity, KafkaOptions, Observer, Password, SaslMechanism, Security, SecurityProtocol,
};

pub use outlet::KafkaOutlet;
pub use source::KafkaSource;

/// How an environment's brokers are reached. `stop` ends waiting for them.
///
/// # Errors
/// A password cannot be found.
pub fn options(environment: &Environment, stop: &Arc<AtomicBool>) -> Result<KafkaOptions, EngineError> {
    let kafka = &environment.kafka;
    let mut security = Security {
        protocol: match kafka.security_protocol {
            Protocol::Plaintext => SecurityProtocol::Plaintext,
            Protocol::Ssl => SecurityProtocol::Ssl,
            Protocol::SaslPlaintext => SecurityProtocol::SaslPlaintext,
            Protocol::SaslSsl => SecurityProtocol::SaslSsl,
        },
        ca_file: kafka.ca_file.clone(),
        ..Security::default()
    };
    if let Some(sasl) = &kafka.credentials {
        let whose = format!("{}: kafka", environment.name.value);
        security.mechanism = Some(match sasl.mechanism.as_str() {
            "PLAIN" => SaslMechanism::Plain,
            "SCRAM-SHA-256" => SaslMechanism::ScramSha256,
            _ => SaslMechanism::ScramSha512,
        });
        security.username = Some(resolve(&format!("{whose}: username"), &sasl.credentials.username)?);
        let password = resolve(&format!("{whose}: password"), &sasl.credentials.password)?;
        security.password = Some(Password::new(password));
    }
    let servers = kafka.bootstrap_servers.join(",");
    Ok(KafkaOptions {
        security,
        extra: ClientOptions(vec![("message.max.bytes".to_owned(), LONGEST_RECORD.to_owned())]),
        stop: Arc::clone(stop),
        observer: Observer::new(log_notice),
        retention_ms: vec![
            (environment.topic("{prefix}.audit."), FOREVER),
            (AUDIT_TOPIC.to_owned(), FOREVER),
            (environment.topic("{prefix}.dlq."), LETTERS_MS),
            (environment.topic("{prefix}_hash_events"), HASHES_MS),
        ],
        ..KafkaOptions::new(&servers, &environment.topic_prefix.value, Identity::Job)
    })
}
