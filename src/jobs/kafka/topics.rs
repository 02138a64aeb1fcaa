//! Topics: found, described, made, deleted, emptied.

use std::collections::BTreeMap;

use rdkafka::TopicPartitionList;
use rdkafka::admin::{NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::Offset;
use serde::Serialize;

use super::offsets::Range;
use super::{Brokers, KafkaError};

/// A topic as the brokers describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<Partition>,
}

/// A partition as the brokers describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// Its number.
    pub partition: i32,
    /// The broker that leads it; -1 when none does.
    pub leader: i32,
    /// The brokers that hold it.
    pub replicas: Vec<i32>,
    /// Those that have all of it.
    pub isr: Vec<i32>,
}

impl Topic {
    /// Replicas of a partition, of the one that has the fewest.
    #[must_use]
    pub fn replication(&self) -> usize {
        self.partitions.iter().map(|partition| partition.replicas.len()).min().unwrap_or(0)
    }

    /// Whether Kafka itself writes it.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.name.starts_with("__")
    }
}

/// A setting of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its value; None of one that is secret.
    pub value: Option<String>,
    /// Whether it is the broker's and not the topic's own.
    pub is_default: bool,
}

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Partitions; None: the broker's default.
    pub partitions: Option<i32>,
    /// Replicas; None: the broker's default.
    pub replication: Option<i32>,
    /// Settings by Kafka's names.
    pub settings: Vec<(String, String)>,
}

fn topic(found: &MetadataTopic) -> Topic {
    let mut partitions: Vec<Partition> = found
        .partitions()
        .iter()
        .map(|partition| Partition {
            partition: partition.id(),
            leader: partition.leader(),
            replicas: partition.replicas().to_vec(),
            isr: partition.isr().to_vec(),
        })
        .collect();
    partitions.sort_by_key(|partition| partition.partition);
    Topic { name: found.name().to_owned(), partitions }
}

impl Brokers {
    /// All topics that this user may describe, by name.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn topics(&self) -> Result<Vec<Topic>, KafkaError> {
        let found = self.metadata(None)?;
        let mut topics: Vec<Topic> = found.topics().iter().map(topic).collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// A topic; None when there is none of this name.
    ///
    /// # Errors
    /// The brokers do not answer, or refuse.
    pub fn find(&self, name: &str) -> Result<Option<Topic>, KafkaError> {
        let found = self.metadata(Some(name))?;
        let Some(found) = found.topics().iter().find(|topic| topic.name() == name) else { return Ok(None) };
        match found.error().map(RDKafkaErrorCode::from) {
            None | Some(RDKafkaErrorCode::LeaderNotAvailable) => {
                Ok(Some(topic(found)).filter(|topic| !topic.partitions.is_empty()))
            }
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
            Some(reason) => Err(KafkaError::Refused { what: format!("topic {name}"), reason }),
        }
    }

    /// A topic that must be there.
    ///
    /// # Errors
    /// It is not; else as [`Self::find`].
    pub fn get(&self, name: &str) -> Result<Topic, KafkaError> {
        self.find(name)?.ok_or_else(|| KafkaError::NoTopic(name.to_owned()))
    }

    /// The settings of topics, in their order.
    ///
    /// # Errors
    /// The brokers do not answer, or refuse.
    pub fn settings(&self, names: &[&str]) -> Result<Vec<BTreeMap<String, Setting>>, KafkaError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<ResourceSpecifier<'_>> =
            names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let what = || format!("settings of {}", names.join(", "));
        let found = pollster::block_on(self.admin.describe_configs(&asked, &Self::options()))
            .map_err(|error| KafkaError::refused(what(), error))?;
        let mut by_name = BTreeMap::new();
        for resource in found {
            let resource = resource.map_err(|reason| KafkaError::Refused { what: what(), reason })?;
            let settings = resource.entries.into_iter().map(|entry| {
                let value = if entry.is_sensitive { None } else { entry.value };
                // A topic's own entry has its value from the topic.
                let is_default = entry.source != rdkafka::admin::ConfigSource::DynamicTopic;
                (entry.name, Setting { value, is_default })
            });
            if let rdkafka::admin::OwnedResourceSpecifier::Topic(name) = resource.specifier {
                by_name.insert(name, settings.collect::<BTreeMap<_, _>>());
            }
        }
        Ok(names.iter().map(|name| by_name.remove(*name).unwrap_or_default()).collect())
    }

    /// Makes a topic, and waits until the brokers know it. False when there is one already.
    ///
    /// # Errors
    /// The brokers refuse.
    pub fn create(&self, wanted: &Wanted) -> Result<bool, KafkaError> {
        let replicas = TopicReplication::Fixed(wanted.replication.unwrap_or(-1));
        let new = wanted.settings.iter().fold(
            NewTopic::new(&wanted.name, wanted.partitions.unwrap_or(-1), replicas),
            |new, (key, value)| new.set(key, value),
        );
        let what = || format!("cannot make topic {}", wanted.name);
        let made = pollster::block_on(self.admin.create_topics([&new], &Self::options()))
            .map_err(|error| KafkaError::refused(what(), error))?;
        match made.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => return Ok(false),
            Some(Err((_, reason))) => return Err(KafkaError::Refused { what: what(), reason }),
            Some(Ok(_)) | None => {}
        }
        self.wait_until(&wanted.name, true).map(|()| true)
    }

    /// Deletes topics that are there, and waits until the brokers no longer know them.
    ///
    /// # Errors
    /// The brokers refuse one of them; the others may be gone.
    pub fn delete(&self, names: &[&str]) -> Result<(), KafkaError> {
        let gone = pollster::block_on(self.admin.delete_topics(names, &Self::options()))
            .map_err(|error| KafkaError::refused("cannot delete topics", error))?;
        for result in gone {
            if let Err((name, reason)) = result {
                return Err(KafkaError::Refused { what: format!("cannot delete topic {name}"), reason });
            }
        }
        names.iter().try_for_each(|name| self.wait_until(name, false))
    }

    fn wait_until(&self, name: &str, is_there: bool) -> Result<(), KafkaError> {
        let since = std::time::Instant::now();
        while self.find(name)?.is_some() != is_there {
            if since.elapsed() > super::LIMIT {
                let what =
                    if is_there { "is not known to all brokers yet" } else { "is still known to brokers" };
                return Err(KafkaError::Unfit(format!("topic {name} {what} after {:?}", super::LIMIT)));
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(())
    }

    /// Deletes the records of a topic before the given ends (DeleteRecords); the topic stays, its offsets go on.
    ///
    /// # Errors
    /// The brokers refuse: they keep the records of compacted topics.
    pub fn purge(&self, topic: &str, ends: &[Range]) -> Result<(), KafkaError> {
        let what = || format!("cannot delete the records of {topic}");
        let refused = |error: ClientError| KafkaError::refused(what(), error);
        let mut places = TopicPartitionList::new();
        for range in ends {
            places
                .add_partition_offset(topic, range.partition, Offset::Offset(range.end))
                .map_err(refused)?;
        }
        let done =
            pollster::block_on(self.admin.delete_records(&places, &Self::options())).map_err(refused)?;
        for element in done.elements() {
            element.error().map_err(refused)?;
        }
        Ok(())
    }
}
