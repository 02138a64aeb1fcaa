//! What can go wrong with the brokers.

use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};

use crate::agent::exit::{Exit, Failure};
use crate::jobs::secret::SecretError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// Nobody answers.
    #[error("no broker answers at {servers}: {reason}")]
    Unreachable {
        /// Which.
        servers: String,
        /// What the client says.
        reason: String,
    },
    /// The brokers do not let this user in, or the two sides do not trust each other's certificates.
    #[error("the brokers at {servers} do not let in: {reason}")]
    ShutOut {
        /// Which.
        servers: String,
        /// What the client says.
        reason: String,
    },
    /// The brokers refuse a request.
    #[error("{what}: {reason}")]
    Refused {
        /// What was asked for.
        what: String,
        /// What they say.
        reason: RDKafkaErrorCode,
    },
    /// The client cannot be made, or gave up by itself.
    #[error("{0}")]
    Client(ClientError),
    /// There is no such topic.
    #[error("there is no topic {0}")]
    NoTopic(String),
    /// What was asked for cannot be.
    #[error("{0}")]
    Unfit(String),
    /// Somebody uses it.
    #[error("{0}")]
    InUse(String),
    /// A credential is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl KafkaError {
    pub(super) fn client(error: ClientError) -> Self {
        Self::Client(error)
    }

    /// The error of a request.
    pub(super) fn refused(what: impl Into<String>, error: ClientError) -> Self {
        match error.rdkafka_error_code() {
            Some(reason) => Self::Refused { what: what.into(), reason },
            None => Self::Client(error),
        }
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "check bootstrap_servers, and that the brokers run",
            Self::ShutOut { .. } => "check security_protocol, user, password and certificates",
            Self::Refused { reason, .. } => match reason {
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed => {
                    "let the user do this (ACLs; docs/jobs-commands.md says which each command needs)"
                }
                RDKafkaErrorCode::PolicyViolation => {
                    "the broker keeps this topic as it is: a compacted topic cannot be purged, delete and create it"
                }
                RDKafkaErrorCode::InvalidReplicationFactor => {
                    "ask for no more replicas than there are brokers"
                }
                _ => "look at the brokers' logs, and try again",
            },
            Self::Client(_) => "check the settings of Kafka in environments.yaml, and files that they name",
            Self::NoTopic(_) => "`cdc-jobs topics list` shows them, `cdc-jobs topics create` makes them",
            Self::Unfit(_) => "see --help",
            Self::InUse(_) => "stop its consumers first",
            Self::Secret(_) => "set it, or correct environments.yaml",
        }
    }
}

impl From<KafkaError> for Failure {
    fn from(error: KafkaError) -> Self {
        let exit = match &error {
            KafkaError::Unfit(_) | KafkaError::Secret(_) | KafkaError::NoTopic(_) => Exit::Usage,
            KafkaError::InUse(_) => Exit::Locked,
            KafkaError::Unreachable { .. }
            | KafkaError::ShutOut { .. }
            | KafkaError::Refused { .. }
            | KafkaError::Client(_) => Exit::Destination,
        };
        Self::new(exit, error.to_string()).next(error.advice())
    }
}
