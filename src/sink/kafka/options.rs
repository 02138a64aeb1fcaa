//! What can be chosen about the Kafka sink.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::checkpoint::Fingerprint;
use crate::commitlog::SegmentId;

use super::notice::Notice;

/// How records are delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Records and checkpoint in one transaction: readers that read only what is committed see each record once.
    #[default]
    ExactlyOnce,
    /// The checkpoint follows when all records before it are acknowledged: a crash repeats some.
    AtLeastOnce,
}

/// What happens to a record that Kafka does not take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Refused {
    /// The sink fails.
    #[default]
    Fail,
    /// A record that says which one it was, how long, and where it stands in the log goes to the topic of dead letters.
    DeadLetter,
    /// As that, and when it is too long the record is sent without its longest values, too.
    Truncate,
}

/// Codec of record batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// LZ4.
    #[default]
    Lz4,
    /// Zstandard.
    Zstd,
}

/// How connections are made and who the agent is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// TCP.
    #[default]
    Plaintext,
    /// TLS; with a client certificate when one is given.
    Ssl,
    /// SASL over TCP.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

/// How the agent proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    /// User name and password.
    Plain,
    /// User name and password, by challenge.
    ScramSha256,
    /// User name and password, by challenge.
    ScramSha512,
    /// A token that stands in a file.
    OauthBearer,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a text on.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// librdkafka's default of `message.max.bytes`.
const LONGEST_RECORD: usize = 1_000_000;

/// How long a transaction may stay open, unless `transaction.timeout.ms` says otherwise. Readers of committed records wait
/// that long for a dead agent.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Options of librdkafka by its names. Their values are never shown: some are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ClientOptions(pub Vec<(String, String)>);

impl ClientOptions {
    /// What `message.max.bytes` says: the longest record that is sent, in bytes.
    pub(super) fn longest_record(&self) -> usize {
        let given = self.0.iter().rev().find(|(name, _)| name == "message.max.bytes");
        given.and_then(|(_, value)| value.parse().ok()).unwrap_or(LONGEST_RECORD)
    }

    /// What `transaction.timeout.ms` says: for how long a transaction may be open.
    pub(super) fn transaction_timeout(&self) -> Duration {
        let given = self.0.iter().rev().find(|(name, _)| name == "transaction.timeout.ms");
        let given = given.and_then(|(_, value)| value.parse().ok());
        given.map_or(TRANSACTION_TIMEOUT, Duration::from_millis)
    }

    /// Whether an option is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// How connections are made.
    pub protocol: SecurityProtocol,
    /// How the agent proves who it is, with SASL.
    pub mechanism: Option<SaslMechanism>,
    /// User of PLAIN and SCRAM.
    pub username: Option<String>,
    /// Password of PLAIN and SCRAM.
    pub password: Option<Password>,
    /// File with a JSON Web Token, read again whenever Kafka asks for a newer one.
    pub token_file: Option<PathBuf>,
    /// Certificates of authorities in PEM; the system's when none are given.
    pub ca_file: Option<PathBuf>,
    /// The agent's certificate in PEM.
    pub certificate_file: Option<PathBuf>,
    /// The key of the agent's certificate in PEM.
    pub key_file: Option<PathBuf>,
    /// Password of that key.
    pub key_password: Option<Password>,
    /// Take any certificate of any broker. Whoever stands between can then read and change everything.
    pub insecure: bool,
}

/// When a batch is full. It then is committed at the next place where a checkpoint can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Records.
    pub records: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Time since its first record.
    pub time: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { records: 200_000, bytes: 64 << 20, time: Duration::from_millis(500) }
    }
}

/// What is done about topics that do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicOptions {
    /// Make them; otherwise they are an error.
    pub create: bool,
    /// Partitions of a new one; the broker's default when not given.
    pub partitions: Option<u16>,
    /// Replicas of each partition; the broker's default when not given.
    pub replication: Option<u16>,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self { create: true, partitions: None, replication: None }
    }
}

/// Whose records they are: which transactional ids and which checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The agent beside a node: `cdc-agent.<prefix>.<host id>.0` to `.2`, checkpoint `<host id>`.
    Node {
        /// Cassandra's id of the node.
        host_id: String,
        /// Copy of the checkpoint on the agent's own disk.
        local: Option<PathBuf>,
    },
    /// A replay of these segments: `cdc-agent.<prefix>.replay.<segment id>`, a checkpoint for each segment.
    Replay {
        /// The segments, as far as their first section is whole.
        segments: BTreeMap<SegmentId, Fingerprint>,
        /// Whether their checkpoints may have been made with different options.
        again: bool,
    },
    /// A job: `cdc-jobs.<its name>`. It keeps no checkpoint of segments, but how far it read ([`JobLog`](super::JobLog)).
    Job,
}

/// Who is told what happens.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Notice) + Send + Sync>);

impl Observer {
    /// Calls `tell` for every notice, from any thread.
    pub fn new(tell: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, notice: &Notice) {
        (self.0)(notice);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// All of it.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// `host:port`, several with commas.
    pub bootstrap_servers: String,
    /// First part of the names of topics and transactional ids.
    pub prefix: String,
    /// Whose records.
    pub identity: Identity,
    /// How they are delivered.
    pub delivery: Delivery,
    /// Connections.
    pub security: Security,
    /// Codec.
    pub compression: Compression,
    /// When to commit.
    pub batch: BatchLimits,
    /// Missing topics.
    pub topics: TopicOptions,
    /// For missing topics whose names begin so: how long their records stay, in milliseconds (`retention.ms`), -1 for
    /// ever. Others have it from the brokers.
    pub retention_ms: Vec<(String, i64)>,
    /// What happens to records that Kafka does not take.
    pub refused: Refused,
    /// The same for single topics, by name.
    pub refused_by_topic: HashMap<String, Refused>,
    /// Options of librdkafka.
    pub extra: ClientOptions,
    /// How long to wait for Kafka's answers at start.
    pub start_timeout: Duration,
    /// Set from elsewhere to end waiting for Kafka, 5 s after it began: the sink then fails as if the batch was rolled
    /// back.
    pub stop: Arc<AtomicBool>,
    /// Who is told what happens.
    pub observer: Observer,
}

impl KafkaOptions {
    /// The defaults, for these brokers, this prefix and this identity; notices go nowhere.
    #[must_use]
    pub fn new(bootstrap_servers: &str, prefix: &str, identity: Identity) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.to_owned(),
            prefix: prefix.to_owned(),
            identity,
            delivery: Delivery::default(),
            security: Security::default(),
            compression: Compression::default(),
            batch: BatchLimits::default(),
            topics: TopicOptions::default(),
            retention_ms: Vec::new(),
            refused: Refused::default(),
            refused_by_topic: HashMap::new(),
            extra: ClientOptions::default(),
            start_timeout: Duration::from_secs(30),
            stop: Arc::default(),
            observer: Observer::new(|_| {}),
        }
    }

    /// The topic of the checkpoints.
    pub(super) fn checkpoint_topic(&self) -> String {
        format!("{}.cdc.__checkpoints", self.prefix)
    }

    /// Whether a topic is that of the records that the agent writes about itself.
    pub(super) fn is_control_topic(&self, topic: &str) -> bool {
        topic.strip_prefix(&self.prefix).is_some_and(|rest| rest == ".cdc.__control")
    }

    /// Whether a topic holds what the agent says of itself, not a table's records.
    pub(super) fn is_own_topic(&self, topic: &str) -> bool {
        let own = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix(".cdc.__"));
        own.is_some_and(|name| !name.contains('.'))
    }

    /// The topic of the pointers to records that Kafka did not take.
    pub(super) fn dead_letter_topic(&self) -> String {
        format!("{}.cdc.__dead_letters", self.prefix)
    }

    pub(super) fn refused(&self, topic: &str) -> Refused {
        self.refused_by_topic.get(topic).copied().unwrap_or(self.refused)
    }
}
