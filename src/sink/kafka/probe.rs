//! Questions to the brokers that change nothing: for `doctor`, and for the check of options.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::ResourceSpecifier;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

use crate::sink::SinkError;

use super::admin::Admin;
use super::asking;
use super::client::{Purpose, check, config, unmade};
use super::context::Context;
use super::options::{Delivery, KafkaOptions};
use super::trouble::lasting;

/// Checks the options as [`KafkaSink::open`](super::KafkaSink::open) does, without asking any broker.
///
/// # Errors
/// One of them cannot be used.
pub fn check_options(options: &KafkaOptions) -> Result<(), SinkError> {
    check(options)
}

/// Clients that only ask.
pub struct Probe {
    admin: Admin,
    reader: BaseConsumer<Context>,
    options: KafkaOptions,
}

/// The brokers that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brokers {
    /// How many there are.
    pub count: usize,
    /// The id of one of them.
    pub first: Option<i32>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicState {
    /// There is none of that name.
    Missing,
    /// It has so many partitions, and the fewest replicas of one of them are so many.
    Found {
        /// Partitions.
        partitions: usize,
        /// Replicas.
        replicas: usize,
    },
    /// This user may not see it, and what would help.
    Refused(String),
}

/// Settings by their name, as brokers print them.
pub type Settings = BTreeMap<String, String>;

impl Probe {
    /// Makes the clients. Nothing is asked yet.
    ///
    /// # Errors
    /// The options, or files that they name, cannot be used.
    pub fn new(options: KafkaOptions) -> Result<Self, SinkError> {
        check(&options)?;
        let admin = Admin::new(&options)?;
        let reader = config(&options, &Purpose::Reader { committed: true })
            .create_with_context(Context::new(&options))
            .map_err(|error| unmade(&error).into_error())?;
        Ok(Self { admin, reader, options })
    }

    /// The topic of the checkpoints.
    #[must_use]
    pub fn checkpoint_topic(&self) -> String {
        self.options.checkpoint_topic()
    }

    /// How long a transaction may be open that the sink asks for; `None` where it uses none.
    #[must_use]
    pub fn transaction_timeout(&self) -> Option<Duration> {
        let has_transactions = self.options.delivery == Delivery::ExactlyOnce;
        has_transactions.then(|| self.options.extra.transaction_timeout())
    }

    /// Whether the brokers answer, and let the agent in.
    ///
    /// # Errors
    /// They do not within the start's time limit.
    pub fn brokers(&self) -> Result<Brokers, SinkError> {
        let found = self.metadata(None)?;
        let first = found.brokers().first().map(|broker| broker.id());
        Ok(Brokers { count: found.brokers().len(), first })
    }

    /// Looks for a topic.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn topic(&self, name: &str) -> Result<TopicState, SinkError> {
        let found = self.metadata(Some(name))?;
        let Some(topic) = found.topics().iter().find(|topic| topic.name() == name) else {
            return Ok(TopicState::Missing);
        };
        match topic.error().map(RDKafkaErrorCode::from) {
            None | Some(RDKafkaErrorCode::LeaderNotAvailable) => {}
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                return Ok(TopicState::Missing);
            }
            Some(code) => {
                let hint = lasting(code).unwrap_or("look at the brokers' log");
                return Ok(TopicState::Refused(format!("{code}; {hint}")));
            }
        }
        let partitions = topic.partitions();
        let replicas = partitions.iter().map(|partition| partition.replicas().len()).min().unwrap_or(0);
        match partitions.len() {
            0 => Ok(TopicState::Missing),
            partitions => Ok(TopicState::Found { partitions, replicas }),
        }
    }

    /// How a topic is configured.
    ///
    /// # Errors
    /// In words: the brokers do not tell.
    pub fn topic_settings(&self, name: &str) -> Result<Settings, String> {
        self.settings(&ResourceSpecifier::Topic(name))
    }

    /// How a broker is configured.
    ///
    /// # Errors
    /// In words: it does not tell.
    pub fn broker_settings(&self, id: i32) -> Result<Settings, String> {
        self.settings(&ResourceSpecifier::Broker(id))
    }

    fn settings(&self, of: &ResourceSpecifier<'_>) -> Result<Settings, String> {
        let resource = self.admin.describe(of, self.options.start_timeout)?;
        Ok(resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect())
    }

    fn metadata(&self, topic: Option<&str>) -> Result<Metadata, SinkError> {
        let servers = &self.options.bootstrap_servers;
        let answer = asking::metadata(&self.reader, topic, self.options.start_timeout, &self.options.stop);
        answer.map_err(|unanswered| {
            unanswered.into_error(servers, |error| SinkError::Unreachable {
                what: format!("the brokers at {servers} do not answer: {error}"),
                hint: "check that they run and can be reached, kafka_bootstrap_servers and kafka_security_protocol",
            })
        })
    }
}
