//! What an error of librdkafka means for the records that were sent.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::sink::SinkError;

/// What is known after an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another producer has the transactional id now.
    Fenced(String),
    /// It will not work until somebody changes something.
    Lasting { what: String, hint: &'static str },
    /// The batch is not in Kafka, and will not be.
    Undone(String),
    /// Nobody knows whether the batch is in Kafka.
    Unknown(String),
}

impl Trouble {
    /// What `error`, met while doing `what`, says. `id` is the transactional id, or says that there is none. `hint` says of
    /// a code what to do when trying again does not help: [`lasting`], or less.
    pub(super) fn of(
        error: &KafkaError,
        what: &str,
        id: &str,
        hint: impl Fn(RDKafkaErrorCode) -> Option<&'static str>,
    ) -> Self {
        let code = error.rdkafka_error_code();
        let text = format!("{what}: {error}");
        if let Some(code) = code {
            if is_fencing(code) {
                return Self::Fenced(id.to_owned());
            }
            if let Some(hint) = hint(code) {
                return Self::Lasting { what: text, hint };
            }
        }
        match error {
            KafkaError::Transaction(error) if error.txn_requires_abort() => Self::Undone(text),
            _ => Self::Unknown(text),
        }
    }

    /// The error for the caller. `stopped`: somebody wants the program to end.
    pub(super) fn into_error(self) -> SinkError {
        match self {
            Self::Fenced(id) => SinkError::Fenced { id },
            Self::Lasting { what, hint } => SinkError::Kafka { what, hint },
            Self::Undone(what) => SinkError::RolledBack { what },
            Self::Unknown(what) => SinkError::Indefinite { what },
        }
    }
}

/// What to do when brokers do not answer.
pub(super) const UNREACHED: &str = "check that the brokers run and can be reached, and start again";

fn is_fencing(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch
    )
}

/// What to do about an error that trying again does not help.
pub(super) fn lasting(code: RDKafkaErrorCode) -> Option<&'static str> {
    use RDKafkaErrorCode as Code;
    Some(match code {
        Code::TransactionalIdAuthorizationFailed => {
            "allow this user WRITE and DESCRIBE on the transactional ids that begin with cdc-agent.<prefix>"
        }
        Code::ClusterAuthorizationFailed => "allow this user IDEMPOTENT_WRITE on the cluster",
        Code::TopicAuthorizationFailed => {
            "allow this user READ, WRITE, DESCRIBE (and CREATE, where topics are to be made) on the topics that begin \
             with <prefix>.cdc"
        }
        Code::GroupAuthorizationFailed => "allow this user READ on the group cdc-agent.<prefix>.checkpoints",
        Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL => {
            "check kafka_security_protocol, user, password and certificates"
        }
        Code::InvalidTransactionTimeout => {
            "the broker's transaction.max.timeout.ms is lower: give kafka_option transaction.timeout.ms"
        }
        Code::UnsupportedVersion | Code::UnsupportedFeature => {
            "this broker has no transactions: use kafka_delivery at-least-once, or a newer broker"
        }
        code if is_missing(code) => {
            "the topic was deleted, or lost partitions: make it again, or let the agent make it (kafka_create_topics), and \
             start again"
        }
        _ => return None,
    })
}

/// Whether a code says that a topic, or a part of it, is not there (any more).
pub(super) fn is_missing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(code, Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition)
}

/// Whether a code says that brokers do not answer, or that none is in charge: that passes without anybody changing
/// something here.
pub(super) fn is_away(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::BrokerNotAvailable
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::NotController
    )
}

/// Whether a code says that this one record will never be taken, while others may be.
pub(super) fn refuses_record(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::MessageSizeTooLarge | Code::InvalidRecord | Code::InvalidTimestamp | Code::PolicyViolation
    )
}

/// Why brokers do not make a topic, and what to do: nothing that passes.
pub(super) fn refuses_new_topic(code: RDKafkaErrorCode) -> Option<(&'static str, &'static str)> {
    use RDKafkaErrorCode as Code;
    Some(match code {
        Code::InvalidTopic => (
            "Kafka does not take its name, as a rule because a topic is there whose name differs only in `.` and `_`",
            "leave one of the two tables out (table_exclude_list), or let pointers stand for its records \
             (kafka_refused_tables, dead_letter)",
        ),
        Code::PolicyViolation => (
            "the brokers' policy for new topics does not allow it",
            "make it as the policy wants it, or give kafka_topic_partitions and kafka_topic_replication that it allows",
        ),
        Code::InvalidPartitions | Code::InvalidReplicationFactor => (
            "the brokers do not make topics with so many partitions or replicas",
            "give kafka_topic_partitions and kafka_topic_replication that they allow, or make it",
        ),
        _ => return None,
    })
}

/// Whether a code says that this user may not write the topic.
pub(super) fn forbids_topic(code: RDKafkaErrorCode) -> bool {
    code == RDKafkaErrorCode::TopicAuthorizationFailed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brokers_do_not_make_is_not_for_want_of_brokers() {
        use RDKafkaErrorCode as Code;
        for code in [
            Code::InvalidTopic,
            Code::PolicyViolation,
            Code::InvalidPartitions,
            Code::InvalidReplicationFactor,
        ] {
            assert!(
                refuses_new_topic(code).is_some_and(|(_, hint)| !hint.contains("run and can be reached"))
            );
        }
        for code in [Code::BrokerTransportFailure, Code::RequestTimedOut, Code::TopicAuthorizationFailed] {
            assert_eq!(refuses_new_topic(code), None);
        }
    }
}
