//! `environments.yaml`: where the jobs run. One environment has one topic prefix and one data centre.

mod across;
mod folder;
mod read;

use std::path::PathBuf;

use super::fields::Placed;
use super::network::{Host, Network};
use super::secret::Credentials;

pub use read::read;

/// All environments, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environments(pub Vec<Environment>);

/// One side: what a job may read, and the one data centre that it may write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name, as commands use it.
    pub name: Placed<String>,
    /// First part of its topics; `{prefix}` in the name of a topic.
    pub topic_prefix: Placed<String>,
    /// How to reach Kafka.
    pub kafka: Kafka,
    /// The data centre.
    pub cassandra: Cassandra,
    /// Who reads.
    pub consumer_groups: ConsumerGroups,
    /// Where the state of jobs is kept.
    pub checkpoints: Checkpoints,
}

/// How to reach Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port`, at least one.
    pub bootstrap_servers: Vec<String>,
    /// `security.protocol` of Kafka's clients.
    pub security_protocol: SecurityProtocol,
    /// Who the jobs are; there with `SASL_…` alone.
    pub credentials: Option<SaslCredentials>,
    /// File with the certificates that are trusted.
    pub ca_file: Option<PathBuf>,
}

/// `security.protocol` of Kafka's clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Neither encryption nor authentication.
    Plaintext,
    /// TLS.
    Ssl,
    /// Authentication alone.
    SaslPlaintext,
    /// TLS and authentication.
    SaslSsl,
}

/// A user of Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaslCredentials {
    /// `sasl.mechanism` of Kafka's clients.
    pub mechanism: String,
    /// Name and password.
    pub credentials: Credentials,
}

/// One data centre of a Cassandra cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cassandra {
    /// Its name, as `system.local` of its nodes says it.
    pub datacenter: Placed<String>,
    /// Nodes to begin with, each inside the allowed networks or domains.
    pub hosts: Vec<Placed<Host>>,
    /// Port of CQL.
    pub port: u16,
    /// Where nodes may be; names are resolved and compared when a job connects.
    pub allowed_networks: Vec<Placed<Network>>,
    /// Domains that host names must belong to.
    pub allowed_domains: Vec<Placed<String>>,
    /// The keyspace that jobs write to.
    pub keyspace: Placed<String>,
    /// Who the jobs are.
    pub credentials: Option<Placed<Credentials>>,
    /// File with the certificates that are trusted; without it the connection has no TLS.
    pub ca_file: Option<PathBuf>,
}

/// The consumer group of each kind of job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroups {
    /// Data quality.
    pub dq: Placed<String>,
    /// Hashes of rows.
    pub hash: Placed<String>,
    /// Audit trail.
    pub audit: Placed<String>,
    /// Drift; where the file does not name it, that of the audit trail with `-drift` behind it.
    pub drift: Placed<String>,
}

impl ConsumerGroups {
    /// All of them.
    pub fn all(&self) -> [&Placed<String>; 4] {
        [&self.dq, &self.hash, &self.audit, &self.drift]
    }
}

/// Where and how often the state of jobs is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// URI of a folder: `file:///var/lib/flink/onprem`, `s3://bucket/onprem`.
    pub directory: Placed<String>,
    /// Seconds from one to the next.
    pub interval_s: u64,
}

impl Environment {
    /// The name of a topic with this environment's prefix.
    #[must_use]
    pub fn topic(&self, pattern: &str) -> String {
        pattern.replace("{prefix}", &self.topic_prefix.value)
    }

    /// The topic of the agents' records of a table.
    #[must_use]
    pub fn cdc_topic(&self, keyspace: &str, table: &str) -> String {
        format!("{}.cdc.{keyspace}.{table}", self.topic_prefix.value)
    }

    /// The topic of the audit trail of a table.
    #[must_use]
    pub fn audit_topic(&self, keyspace: &str, table: &str) -> String {
        format!("{}.audit.{keyspace}.{table}", self.topic_prefix.value)
    }

    /// The topic of the valid rows of a table, where they are asked for.
    #[must_use]
    pub fn valid_topic(&self, keyspace: &str, table: &str) -> String {
        format!("{}.valid.{keyspace}.{table}", self.topic_prefix.value)
    }

    /// The topic of the hash events of all tables.
    #[must_use]
    pub fn hash_topic(&self) -> String {
        format!("{}_hash_events", self.topic_prefix.value)
    }

    /// The topic of how far the jobs of the embedded engine are.
    #[must_use]
    pub fn positions_topic(&self) -> String {
        format!("{}.jobs.__checkpoints", self.topic_prefix.value)
    }
}
