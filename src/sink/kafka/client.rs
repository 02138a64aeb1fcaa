//! The configuration of librdkafka's clients, and what it may not be.

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use crate::sink::SinkError;

use super::options::{
    Compression, KafkaOptions, SaslMechanism, Security, SecurityProtocol, TRANSACTION_TIMEOUT,
};
use super::servers::check_servers;
use super::trouble::Trouble;

/// Kibibytes and records that may wait in librdkafka. A record takes about 400 bytes beside its own.
const QUEUE_KBYTES: &str = "16384";
const QUEUE_RECORDS: &str = "25000";

/// How long records of a transaction wait for a fuller request, in milliseconds, unless a commit sends them before.
/// With 1, as of others, librdkafka sends many small requests in a backlog, which cost the broker more, and asks without a
/// pause whether it may send the next while five are under way; with 50 nothing more was gained.
const TRANSACTION_LINGER: &str = "5";
/// The same of records that no commit sends, which are to be seen soon.
const LINGER: &str = "1";

/// The option that says what librdkafka logs in detail.
pub(super) const DEBUG: &str = "debug";
/// Its value with which failed connections are logged: few lines, only when connections change.
const CONNECTIONS: &str = "broker";
/// Its value with which it is logged, too, what is found out about topics: some lines at each question.
const TOPICS: &str = "broker,metadata";

/// Which client a configuration is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Producer in transactions, with this transactional id.
    Transactions(String),
    /// Producer that repeats nothing, but has no transactions.
    Idempotent,
    /// Reader of checkpoints.
    Reader {
        /// Only what is committed.
        committed: bool,
    },
    /// Topics.
    Admin,
    /// Reader of a job's input: only what is committed.
    Input {
        /// The job's consumer group; it only tells how far the job is.
        group: String,
    },
}

/// Names, and why they are refused.
type Refusals = &'static [(&'static [&'static str], &'static str)];

/// Options of librdkafka that cannot be passed on.
const REFUSED: Refusals = &[
    (
        &[
            "plugin.library.paths",
            "interceptors",
            "ssl.engine.location",
            "ssl.engine.id",
            "ssl.providers",
            "sasl.kerberos.kinit.cmd",
        ],
        "it loads or runs code",
    ),
    (&["bootstrap.servers", "metadata.broker.list"], "kafka_bootstrap_servers says it"),
    (
        &["security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username"],
        "kafka_security_protocol, kafka_sasl_mechanism and kafka_sasl_username say it",
    ),
    (
        &["sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "ssl_key"],
        "a secret stands in a file of its own or in a variable: kafka_sasl_password_file, kafka_ssl_key_password_file",
    ),
    (
        &["sasl.oauthbearer.*", "enable.sasl.oauthbearer.unsecure.jwt"],
        "tokens come from kafka_oauth_token_file, and this librdkafka is built without the client that fetches them (OIDC)",
    ),
    (
        &["ssl.ca.location", "ssl.certificate.location", "ssl.key.location"],
        "kafka_ssl_ca_file, kafka_ssl_certificate_file and kafka_ssl_key_file say it",
    ),
    (
        &["enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm"],
        "only kafka_ssl_insecure switches the check of certificates off",
    ),
    (
        &[
            "transactional.id",
            "enable.idempotence",
            "enable.gapless.guarantee",
            "acks",
            "request.required.acks",
            "isolation.level",
            "max.in.flight",
            "max.in.flight.requests.per.connection",
            "retries",
            "message.send.max.retries",
            "message.timeout.ms",
            "delivery.timeout.ms",
            "queuing.strategy",
            "delivery.report.only.error",
        ],
        "the agent's promises rest on its own value",
    ),
    (
        &[
            "group.id",
            "group.instance.id",
            "enable.auto.commit",
            "auto.commit.enable",
            "enable.auto.offset.store",
            "auto.offset.reset",
            "enable.partition.eof",
        ],
        "the agent reads its checkpoints from their start, without a group",
    ),
    (
        &["partitioner", "partitioner_cb", "sticky.partitioning.linger.ms"],
        "the agent chooses partitions, as the Java client does",
    ),
    (&["compression.type", "compression.codec"], "kafka_compression says it"),
    (&["log.queue", "test.mock.num.brokers", "enabled_events"], "the program needs its own value"),
];

/// Options that only producers know.
const PRODUCER_ONLY: &[&str] = &[
    "transaction.timeout.ms",
    "queue.buffering.max.messages",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.ms",
    "linger.ms",
    "queue.buffering.backpressure.threshold",
    "batch.num.messages",
    "batch.size",
    "request.timeout.ms",
    "compression.level",
    "msg_order_cmp",
];

/// Checks the options that are passed on to librdkafka.
///
/// # Errors
/// One of them is not for users to choose, or librdkafka does not know it or its value. Values are not repeated.
pub(super) fn check(options: &KafkaOptions) -> Result<(), SinkError> {
    for (name, _) in &options.extra.0 {
        // librdkafka takes `topic.acks` for `acks`.
        let of_topic = name.strip_prefix("topic.").unwrap_or(name);
        let is_meant = |refused: &&str| match refused.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == refused || of_topic == *refused,
        };
        let refusal = REFUSED.iter().find(|(names, _)| names.iter().any(is_meant));
        if let Some((_, reason)) = refusal {
            return Err(SinkError::Options(format!("kafka_option {name} is refused: {reason}")));
        }
    }
    check_servers(&options.bootstrap_servers)
        .map_err(|complaint| SinkError::Options(format!("kafka_bootstrap_servers, {complaint}")))?;
    check_security(&options.security)?;
    for purpose in [Purpose::Transactions("check".to_owned()), Purpose::Reader { committed: true }] {
        config(options, &purpose).create_native_config().map_err(refused_by_librdkafka)?;
    }
    Ok(())
}

fn refused_by_librdkafka(error: KafkaError) -> SinkError {
    match error {
        KafkaError::ClientConfig(_, what, name, _) => {
            let known = "names and values are those of librdkafka's CONFIGURATION.md";
            SinkError::Options(format!("kafka_option {name}: {}; {known}", what.trim_end().to_lowercase()))
        }
        other => SinkError::Options(format!("librdkafka refuses the options: {other}")),
    }
}

/// Why a client cannot be made: the files of the options are read only then.
pub(super) fn unmade(error: &KafkaError) -> Trouble {
    let what = format!("cannot make a Kafka client: {error}");
    let known = UNMADE.iter().find(|(words, _)| what.contains(words));
    let hint = known.map_or("check the options, and files that they name", |(_, hint)| hint);
    Trouble::Lasting { what, hint }
}

/// What librdkafka's reason for not making a client says (`rd_kafka_ssl_set_certs` of rdkafka_ssl.c), and what to do.
const UNMADE: [(&str, &str); 4] = [
    ("ssl.ca.location", "kafka_ssl_ca_file must name a file with certificates (PEM) that this user may read"),
    (
        "ssl.certificate.location",
        "kafka_ssl_certificate_file must name a file with a certificate (PEM) that this user may read",
    ),
    (
        "ssl.key.location",
        "kafka_ssl_key_file must name a file with a key (PEM) that this user may read; the password of one that is locked \
         stands in kafka_ssl_key_password_file or CDC_AGENT_KAFKA_SSL_KEY_PASSWORD: is it the right one?",
    ),
    (
        "Private key check failed",
        "the key in kafka_ssl_key_file is not that of the certificate in kafka_ssl_certificate_file",
    ),
];

fn check_security(security: &Security) -> Result<(), SinkError> {
    let complaint = |what: &str| Err(SinkError::Options(what.to_owned()));
    if security.certificate_file.is_some() != security.key_file.is_some() {
        return complaint("of kafka_ssl_certificate_file and kafka_ssl_key_file only one is given");
    }
    let is_sasl = matches!(security.protocol, SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl);
    match security.mechanism {
        None if is_sasl => complaint("kafka_security_protocol asks for SASL: give kafka_sasl_mechanism"),
        Some(_) if !is_sasl => {
            complaint("kafka_sasl_mechanism needs kafka_security_protocol sasl_ssl or sasl_plaintext")
        }
        Some(SaslMechanism::OauthBearer) if security.token_file.is_none() => {
            complaint("kafka_sasl_mechanism OAUTHBEARER needs kafka_oauth_token_file")
        }
        Some(SaslMechanism::OauthBearer) | None => Ok(()),
        Some(_) if security.username.is_none() || security.password.is_none() => complaint(
            "this kafka_sasl_mechanism needs kafka_sasl_username, and kafka_sasl_password_file or \
             CDC_AGENT_KAFKA_SASL_PASSWORD",
        ),
        Some(_) => Ok(()),
    }
}

/// The configuration of a client.
pub(super) fn config(options: &KafkaOptions, purpose: &Purpose) -> ClientConfig {
    let mut config = ClientConfig::new();
    // For the context to see what librdkafka does about its connections; it does not tell of it.
    let seen = match purpose {
        Purpose::Input { .. } => Some(TOPICS),
        // Nobody hears what it tells, which would pile up.
        Purpose::Admin => None,
        _ => Some(CONNECTIONS),
    };
    match seen {
        Some(seen) => config.set_log_level(RDKafkaLogLevel::Debug).set(DEBUG, seen),
        None => config.set_log_level(RDKafkaLogLevel::Emerg),
    };
    config
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("client.id", "cdc-agent")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "2000")
        // A topic that was deleted is told of; one that was made is waited for before anything is sent to it.
        .set("topic.metadata.propagation.max.ms", "5000")
        .set("log.connection.close", "false");
    secure(&mut config, &options.security);
    match purpose {
        Purpose::Transactions(id) => {
            produce(&mut config, options);
            config
                .set("transactional.id", id)
                .set("transaction.timeout.ms", TRANSACTION_TIMEOUT.as_millis().to_string())
                .set("linger.ms", TRANSACTION_LINGER);
        }
        Purpose::Idempotent => {
            produce(&mut config, options);
            // Kafka may be away for hours.
            config.set("message.timeout.ms", "0");
        }
        Purpose::Reader { committed } => {
            config
                .set("group.id", format!("cdc-agent.{}.checkpoints", options.prefix))
                .set("isolation.level", if *committed { "read_committed" } else { "read_uncommitted" })
                .set("enable.auto.commit", "false")
                .set("enable.auto.offset.store", "false")
                .set("auto.offset.reset", "earliest")
                .set("enable.partition.eof", "true")
                .set("queued.max.messages.kbytes", "2048")
                .set("fetch.wait.max.ms", "50");
        }
        Purpose::Input { group } => {
            config
                .set("group.id", group)
                .set("isolation.level", "read_committed")
                .set("enable.auto.commit", "false")
                .set("enable.auto.offset.store", "false")
                // Records that are gone are told of, not passed by.
                .set("auto.offset.reset", "error")
                .set("enable.partition.eof", "true")
                .set("queued.max.messages.kbytes", "16384")
                .set("fetch.wait.max.ms", "100");
        }
        Purpose::Admin => {}
    }
    let is_producer = matches!(purpose, Purpose::Transactions(_) | Purpose::Idempotent);
    for (name, value) in &options.extra.0 {
        if is_producer || !PRODUCER_ONLY.contains(&name.as_str()) {
            match (name == DEBUG, seen) {
                (true, Some(seen)) => config.set(name, format!("{value},{seen}")),
                (true, None) => &mut config,
                (false, _) => config.set(name, value),
            };
        }
    }
    if *purpose == Purpose::Idempotent {
        config.remove("transaction.timeout.ms");
    }
    config
}

fn produce(config: &mut ClientConfig, options: &KafkaOptions) {
    let compression = match options.compression {
        Compression::None => "none",
        Compression::Lz4 => "lz4",
        Compression::Zstd => "zstd",
    };
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", compression)
        .set("queue.buffering.max.kbytes", QUEUE_KBYTES)
        .set("queue.buffering.max.messages", QUEUE_RECORDS)
        .set("linger.ms", LINGER)
        // What is acknowledged leaves the queue without a word.
        .set("delivery.report.only.error", "true");
}

fn secure(config: &mut ClientConfig, security: &Security) {
    let protocol = match security.protocol {
        SecurityProtocol::Plaintext => "plaintext",
        SecurityProtocol::Ssl => "ssl",
        SecurityProtocol::SaslPlaintext => "sasl_plaintext",
        SecurityProtocol::SaslSsl => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(mechanism) = security.mechanism {
        let name = match mechanism {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
            SaslMechanism::OauthBearer => "OAUTHBEARER",
        };
        config.set("sasl.mechanism", name);
    }
    let texts = [
        ("sasl.username", security.username.as_deref()),
        ("sasl.password", security.password.as_ref().map(|password| password.text())),
        ("ssl.key.password", security.key_password.as_ref().map(|password| password.text())),
    ];
    for (name, text) in texts {
        text.map(|text| config.set(name, text));
    }
    let files = [
        ("ssl.ca.location", &security.ca_file),
        ("ssl.certificate.location", &security.certificate_file),
        ("ssl.key.location", &security.key_file),
    ];
    for (name, file) in files {
        file.as_ref().map(|file| config.set(name, file.to_string_lossy()));
    }
    if security.insecure {
        config
            .set("enable.ssl.certificate.verification", "false")
            .set("ssl.endpoint.identification.algorithm", "none");
    }
}

#[cfg(test)]
mod tests {
    use super::REFUSED;

    #[test]
    fn what_is_refused_stands_in_the_documentation() {
        let text = include_str!("../../../docs/kafka.md");
        let (_, section) = text.split_once("\n## 6. ").unwrap();
        let (section, _) = section.split_once("\n## 7. ").unwrap();
        for name in REFUSED.iter().flat_map(|(names, _)| *names) {
            assert!(section.contains(&format!("`{name}`")), "{name}");
        }
    }
}
