//! How to reach the brokers.

use rdkafka::ClientConfig;

use super::KafkaError;
use crate::jobs::environment::{Environment, SecurityProtocol};

/// Brokers, and who asks. The password stands in the configuration, which is never printed.
#[derive(Clone)]
pub struct Access {
    servers: String,
    config: ClientConfig,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("servers", &self.servers).finish_non_exhaustive()
    }
}

impl Access {
    /// Brokers at `host:port,…`, without encryption and password.
    #[must_use]
    pub fn plaintext(servers: &str) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", servers)
            .set("client.id", "cdc-jobs")
            .set("security.protocol", "plaintext")
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.max.ms", "2000")
            .set("log.connection.close", "false");
        Self { servers: servers.to_owned(), config }
    }

    /// The brokers of an environment; credentials are taken from where it says.
    ///
    /// # Errors
    /// A credential is not there.
    pub fn of(environment: &Environment) -> Result<Self, KafkaError> {
        let kafka = &environment.kafka;
        let mut access = Self::plaintext(&kafka.bootstrap_servers.join(","));
        let config = &mut access.config;
        config.set(
            "security.protocol",
            match kafka.security_protocol {
                SecurityProtocol::Plaintext => "plaintext",
                SecurityProtocol::Ssl => "ssl",
                SecurityProtocol::SaslPlaintext => "sasl_plaintext",
                SecurityProtocol::SaslSsl => "sasl_ssl",
            },
        );
        if let Some(sasl) = &kafka.credentials {
            config
                .set("sasl.mechanism", &sasl.mechanism)
                .set("sasl.username", sasl.credentials.username.text()?.as_str())
                .set("sasl.password", sasl.credentials.password.text()?.as_str());
        }
        if let Some(file) = &kafka.ca_file {
            config.set("ssl.ca.location", file.to_string_lossy());
        }
        Ok(access)
    }

    /// `host:port,…`
    #[must_use]
    pub fn servers(&self) -> &str {
        &self.servers
    }

    pub(super) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// A reader of committed records that commits nothing by itself and joins no group. The client has none without the name
    /// of a group, of which it only asks for the coordinator.
    pub(super) fn reader(&self, group: Option<&str>) -> ClientConfig {
        let mut config = self.config.clone();
        config
            .set("group.id", group.unwrap_or("cdc-jobs"))
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .set("queued.max.messages.kbytes", "8192");
        config
    }

    /// A producer that repeats nothing, and puts keys where the Java client puts them.
    pub(super) fn producer(&self, message_timeout_ms: u64) -> ClientConfig {
        let mut config = self.config.clone();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            .set("message.timeout.ms", message_timeout_ms.to_string());
        config
    }
}
