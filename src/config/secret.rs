//! Secrets: in a file of their own, or in the environment; never among the options, never printed.

use std::ffi::OsString;

use super::environment::variable;

/// A secret. The key `<name>_file` names a file with it; without that, it is the value of the environment variable
/// `CDC_AGENT_<NAME>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// Key of hashed columns.
    ColumnHashKey,
    /// Password of the keystore.
    KeystorePassword,
    /// Password of the keys in the keystore.
    KeyPassword,
    /// Password of the Kafka user.
    KafkaSaslPassword,
    /// Password of the key of the agent's certificate for Kafka.
    KafkaSslKeyPassword,
    /// Password of the Cassandra role.
    CassandraPassword,
}

impl Secret {
    const ALL: [Self; 6] = [
        Self::ColumnHashKey,
        Self::KeystorePassword,
        Self::KeyPassword,
        Self::KafkaSaslPassword,
        Self::KafkaSslKeyPassword,
        Self::CassandraPassword,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ColumnHashKey => "column_hash_key",
            Self::KeystorePassword => "keystore_password",
            Self::KeyPassword => "key_password",
            Self::KafkaSaslPassword => "kafka_sasl_password",
            Self::KafkaSslKeyPassword => "kafka_ssl_key_password",
            Self::CassandraPassword => "cassandra_password",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|secret| secret.name() == name)
    }

    /// The option that names a file with it.
    #[must_use]
    pub fn key(self) -> String {
        format!("{}_file", self.name())
    }

    /// The environment variable that holds it.
    #[must_use]
    pub fn variable(self) -> String {
        variable(self.name())
    }

    /// The secret, when the environment has it.
    #[must_use]
    pub fn from_environment(self) -> Option<OsString> {
        std::env::var_os(self.variable())
    }
}
