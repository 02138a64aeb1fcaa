//! Options of the Kafka sink.

use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args, ValueEnum};

use super::values::{TableName, ValueError, whole};

/// More records than fit into the most bytes of a batch.
const MOST_RECORDS: u64 = 100_000_000;
/// What the writer sends between two commits at most, whatever a batch may hold.
const MOST_BYTES: u64 = 64 << 20;
/// The longest transaction that brokers allow unless they are told otherwise (`transaction.max.timeout.ms`).
const MOST_MS: u64 = 900_000;

/// How records get into Kafka.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kafka")]
pub struct KafkaArgs {
    /// Brokers to ask first: <host>:<port>, several with commas
    #[arg(id = "kafka_bootstrap_servers", long = "bootstrap-servers", value_name = "HOST:PORT,…")]
    pub bootstrap_servers: Option<String>,
    /// What is promised of each record
    #[arg(id = "kafka_delivery", long = "delivery", value_name = "WORD", value_enum)]
    #[arg(default_value = "exactly-once")]
    pub delivery: DeliveryWord,
    /// Codec of record batches
    #[arg(id = "kafka_compression", long = "compression", value_name = "WORD", value_enum)]
    #[arg(default_value = "lz4")]
    pub compression: CompressionWord,
    /// Most records of a batch: it is committed when it has as many, at the next place in the log where that is possible
    #[arg(id = "kafka_batch_records", long = "batch-records", value_name = "N", default_value = "200000")]
    #[arg(value_parser = whole::<NonZeroU64>(1, MOST_RECORDS))]
    pub batch_records: NonZeroU64,
    /// Most bytes of keys and values of a batch
    #[arg(id = "kafka_batch_bytes", long = "batch-bytes", value_name = "BYTES", default_value = "67108864")]
    #[arg(value_parser = whole::<NonZeroU64>(1, MOST_BYTES))]
    pub batch_bytes: NonZeroU64,
    /// Most milliseconds from a batch's first record to its commit
    #[arg(id = "kafka_batch_ms", long = "batch-ms", value_name = "MS", default_value = "500")]
    #[arg(value_parser = whole::<NonZeroU64>(1, MOST_MS))]
    pub batch_ms: NonZeroU64,
    /// Make topics that are missing
    #[arg(id = "kafka_create_topics", long = "create-topics", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value = "true", default_missing_value = "true", hide_possible_values = true)]
    pub create_topics: bool,
    /// Partitions of topics that are made [default: the broker's num.partitions]
    #[arg(id = "kafka_topic_partitions", long = "topic-partitions", value_name = "N")]
    pub topic_partitions: Option<NonZeroU16>,
    /// Replicas of each partition of topics that are made [default: the broker's default.replication.factor]
    #[arg(id = "kafka_topic_replication", long = "topic-replication", value_name = "N")]
    pub topic_replication: Option<NonZeroU16>,
    /// What to do with a record that Kafka does not take, because it is too long or a broker refuses it
    #[arg(id = "kafka_refused", long = "refused", value_name = "WORD", value_enum, default_value = "fail")]
    pub refused: RefusedWord,
    /// The same for one table; can be given several times
    #[arg(id = "kafka_refused_tables", long = "refused-table", value_name = "KS.TABLE=WORD")]
    pub refused_tables: Vec<RefusedTable>,
    /// An option of librdkafka by its name, for example linger.ms=20; can be given several times. Those on which the
    /// promises rest, and those that load code, are refused
    #[arg(id = "kafka_option", long = "kafka-option", value_name = "NAME=VALUE")]
    pub options: Vec<ClientOption>,
    /// How connections are made
    #[arg(id = "kafka_security_protocol", long = "security-protocol", value_name = "WORD", value_enum)]
    #[arg(default_value = "plaintext")]
    pub security_protocol: ProtocolWord,
    /// How the agent proves who it is, with sasl_plaintext and sasl_ssl
    #[arg(id = "kafka_sasl_mechanism", long = "sasl-mechanism", value_name = "WORD", value_enum)]
    pub sasl_mechanism: Option<MechanismWord>,
    /// User name of PLAIN and SCRAM
    #[arg(id = "kafka_sasl_username", long = "sasl-username", value_name = "NAME")]
    pub sasl_username: Option<String>,
    /// File with the password of PLAIN and SCRAM in its first line. Default: the environment variable
    /// CDC_AGENT_KAFKA_SASL_PASSWORD
    #[arg(id = "kafka_sasl_password_file", long = "sasl-password-file", value_name = "FILE")]
    pub sasl_password_file: Option<PathBuf>,
    /// File with a JSON Web Token for OAUTHBEARER, read again before the token expires
    #[arg(id = "kafka_oauth_token_file", long = "oauth-token-file", value_name = "FILE")]
    pub oauth_token_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that brokers' certificates must come from [default: the system's]
    #[arg(id = "kafka_ssl_ca_file", long = "ssl-ca-file", value_name = "FILE")]
    pub ssl_ca_file: Option<PathBuf>,
    /// The agent's certificate (PEM)
    #[arg(id = "kafka_ssl_certificate_file", long = "ssl-certificate-file", value_name = "FILE")]
    pub ssl_certificate_file: Option<PathBuf>,
    /// The key (PEM) of the agent's certificate
    #[arg(id = "kafka_ssl_key_file", long = "ssl-key-file", value_name = "FILE")]
    pub ssl_key_file: Option<PathBuf>,
    /// File with the password of that key in its first line. Default: the environment variable
    /// CDC_AGENT_KAFKA_SSL_KEY_PASSWORD
    #[arg(id = "kafka_ssl_key_password_file", long = "ssl-key-password-file", value_name = "FILE")]
    pub ssl_key_password_file: Option<PathBuf>,
    /// Take any certificate of any broker: whoever stands between can read and change everything
    #[arg(id = "kafka_ssl_insecure", long = "ssl-insecure", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value = "false", default_missing_value = "true", hide_possible_values = true)]
    pub ssl_insecure: bool,
}

/// What is promised of each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeliveryWord {
    /// Once, for consumers that read only what is committed
    ExactlyOnce,
    /// At least once: a stop at a wrong moment repeats some
    AtLeastOnce,
}

/// Codec of record batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompressionWord {
    /// No compression
    None,
    /// LZ4
    Lz4,
    /// Zstandard
    Zstd,
}

/// What to do with a record that Kafka does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum RefusedWord {
    /// Stop
    Fail,
    /// Write a pointer to it (key, length, position, SHA-256) to <prefix>.cdc.__dead_letters, and go on
    DeadLetter,
    /// As dead_letter; one that is too long is also sent without its longest values, which `truncated` names
    Truncate,
}

/// How connections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ProtocolWord {
    /// TCP
    Plaintext,
    /// TLS
    Ssl,
    /// SASL over TCP
    SaslPlaintext,
    /// SASL over TLS
    SaslSsl,
}

/// How the agent proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MechanismWord {
    /// User name and password
    #[value(name = "PLAIN")]
    Plain,
    /// User name and password, by challenge
    #[value(name = "SCRAM-SHA-256")]
    ScramSha256,
    /// User name and password, by challenge
    #[value(name = "SCRAM-SHA-512")]
    ScramSha512,
    /// A token
    #[value(name = "OAUTHBEARER")]
    OauthBearer,
}

/// `<keyspace>.<table>=<word>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTable {
    /// Table.
    pub table: TableName,
    /// What happens to its records.
    pub refused: RefusedWord,
}

impl FromStr for RefusedTable {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (table, word) = text.split_once('=').ok_or(ValueError::RefusedTable)?;
        Ok(Self {
            table: table.parse().map_err(|_| ValueError::RefusedTable)?,
            refused: RefusedWord::from_str(word, false).map_err(|_| ValueError::RefusedTable)?,
        })
    }
}

/// `<name>=<value>` of librdkafka. The value may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientOption {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl std::fmt::Debug for ClientOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

impl FromStr for ClientOption {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => Err(ValueError::ClientOption),
        }
    }
}
