//! Topics: found or made, and what each of them takes.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use rdkafka::admin::{NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use crate::sink::SinkError;

use super::admin::Admin;
use super::asking;
use super::client::{Purpose, config, unmade};
use super::context::Context;
use super::kept_partitions::KeptPartitions;
use super::notice::Notice;
use super::options::KafkaOptions;
use super::trouble::{Trouble, UNREACHED, forbids_topic, is_away, lasting, refuses_new_topic};

/// What a new topic of checkpoints is told: small segments are compacted soon, so that reading it back is quick.
const CHECKPOINT_SETTINGS: [(&str, &str); 3] =
    [("cleanup.policy", "compact"), ("segment.bytes", "16777216"), ("min.cleanable.dirty.ratio", "0.1")];
const TABLE_SETTINGS: [(&str, &str); 1] = [("cleanup.policy", "delete")];
/// A dead letter is longer than its record.
const RECORD_SETTINGS: [(&str, &str); 2] = [("cleanup.policy", "delete"), ("max.message.bytes", "16777216")];
const LATEST_SETTINGS: [(&str, &str); 1] = [("cleanup.policy", "compact")];

/// How often the partitions of a topic are counted again.
const COUNTED_EVERY: Duration = Duration::from_secs(30);
/// More log lines and errors than come up in a second while nothing is asked.
const TOLD_A_SECOND: usize = 64;
/// How long a new topic may take to be known everywhere.
const SPREADS_WITHIN: Duration = Duration::from_secs(30);

/// How long to wait for a topic's configuration, which is only checked. The broker of the unit tests knows none.
const DESCRIBED_WITHIN: Duration = Duration::from_millis(if cfg!(test) { 300 } else { 10_000 });

/// What a topic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Records of changes.
    Changes,
    /// Checkpoints.
    Checkpoints,
    /// Records of a job of which each stays for a while.
    Records,
    /// Records of a job of which the last of each key stays.
    Latest,
}

/// A topic that is there.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub(super) name: Box<str>,
    pub(super) partitions: u32,
    counted: Instant,
    /// Whether something was committed in it.
    is_written: bool,
}

impl Topic {
    /// It has so many partitions now; another number is told.
    fn recount(&mut self, now: u32, kept: &mut KeptPartitions, options: &KafkaOptions) {
        self.partitions = now;
        self.counted = Instant::now();
        tell_change(&self.name, kept.put(&self.name, now), now, options);
    }
}

/// `before`: the number of a topic's partitions, if it was another one.
fn tell_change(topic: &str, before: Option<u32>, now: u32, options: &KafkaOptions) {
    if let Some(before) = before {
        options.observer.tell(&Notice::PartitionsChanged { topic: topic.to_owned(), before, now });
    }
}

/// The topics that were used, by name.
pub(super) struct Topics {
    admin: Admin,
    /// Asks without making topics by asking.
    reader: BaseConsumer<Context>,
    pub(super) options: KafkaOptions,
    pub(super) kept: KeptPartitions,
    known: HashMap<Box<str>, usize>,
    topics: Vec<Topic>,
    last: usize,
    /// How long topics that were new were waited for.
    waited: Duration,
}

impl Topics {
    pub(super) fn new(options: &KafkaOptions) -> Result<Self, SinkError> {
        let admin = Admin::new(options)?;
        let reader = config(options, &Purpose::Reader { committed: false })
            .create_with_context(Context::new(options))
            .map_err(|error| unmade(&error).into_error())?;
        let (kept, waited) = (KeptPartitions::open(options), Duration::ZERO);
        let (known, topics) = (HashMap::new(), Vec::new());
        Ok(Self { admin, reader, options: options.clone(), kept, known, topics, last: 0, waited })
    }

    /// The client that reads what is not committed, too.
    pub(super) fn reader(&self) -> &BaseConsumer<Context> {
        &self.reader
    }

    /// Serves the clients that ask for topics: to be called often.
    pub(super) fn tend(&self) {
        asking::hear(&self.reader, TOLD_A_SECOND);
        self.admin.tend();
    }

    /// The topic of that name, made when it is missing.
    pub(super) fn get(&mut self, name: &str, kind: Kind) -> Result<&Topic, SinkError> {
        let is_last = self.topics.get(self.last).is_some_and(|last| *last.name == *name);
        if !is_last {
            self.last = match self.known.get(name) {
                Some(place) => *place,
                None => {
                    let since = Instant::now();
                    let added = self.add(name, kind);
                    self.waited += since.elapsed();
                    added?
                }
            };
        }
        self.topics.get(self.last).ok_or(SinkError::Failed)
    }

    /// How long topics that were new were waited for since the last call.
    pub(super) fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }

    fn add(&mut self, name: &str, kind: Kind) -> Result<usize, SinkError> {
        let found = self.count(name)?;
        let partitions = match found {
            Some(partitions) => partitions,
            None => self.make(name, kind)?,
        };
        self.verify(name, kind)?;
        let before = self.kept.put(name, partitions);
        if found.is_some() {
            tell_change(name, before, partitions, &self.options);
            self.compare(name, kind, partitions);
        }
        let place = self.topics.len();
        let is_written = self.kept.is_written(name);
        self.topics.push(Topic { name: Box::from(name), partitions, counted: Instant::now(), is_written });
        self.known.insert(Box::from(name), place);
        Ok(place)
    }

    /// Tells of a table's topic that has other partitions than one that is made.
    fn compare(&self, name: &str, kind: Kind, found: u32) {
        let new = self.options.topics.partitions.filter(|new| u32::from(*new) != found);
        if let (Kind::Changes, false, Some(new)) = (kind, self.options.is_own_topic(name), new) {
            self.options.observer.tell(&Notice::PartitionsDiffer { topic: name.to_owned(), found, new });
        }
    }

    /// Whether something was committed in the topic that was asked for last.
    pub(super) fn last_is_written(&self) -> bool {
        self.topics.get(self.last).is_some_and(|topic| topic.is_written)
    }

    /// For the first time something was committed in these topics.
    pub(super) fn wrote(&mut self, first_in: &BTreeSet<Box<str>>) {
        for name in first_in {
            self.kept.wrote(name);
            let place = self.known.get(name).copied();
            if let Some(topic) = place.and_then(|place| self.topics.get_mut(place)) {
                topic.is_written = true;
            }
        }
        if !first_in.is_empty() {
            self.keep_partitions();
        }
    }

    /// Keeps how many partitions the topics have, for the next agent.
    pub(super) fn keep_partitions(&mut self) {
        self.kept.keep();
    }

    /// Counts the partitions of the topic that was counted longest ago, when that is long enough. To be called
    /// between batches.
    pub(super) fn look_again(&mut self) {
        let Some(oldest) = self.topics.iter().enumerate().min_by_key(|(_, topic)| topic.counted) else {
            return;
        };
        let (place, name, before) = (oldest.0, oldest.1.name.clone(), oldest.1.partitions);
        if oldest.1.counted.elapsed() < COUNTED_EVERY {
            return;
        }
        let found = self.count(&name);
        if matches!(found, Ok(None)) && self.options.topics.create {
            return self.keep_only(|topic| topic.name != name);
        }
        // What else is wrong shows when something is sent.
        let now = found.ok().flatten().unwrap_or(before);
        if let Some(topic) = self.topics.get_mut(place) {
            topic.recount(now, &mut self.kept, &self.options);
        }
    }

    /// Looks at all topics that were used, with one question: for a new start after an error. Those that are gone are
    /// forgotten, where the agent makes topics: it makes them again when they are needed.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub(super) fn look_at_all(&mut self) -> Result<(), SinkError> {
        if self.topics.is_empty() {
            return Ok(());
        }
        let found = self.metadata(None)?;
        let counts = counts(&found);
        for topic in &mut self.topics {
            if let Some(now) = counts.get(&*topic.name) {
                topic.recount(*now, &mut self.kept, &self.options);
            }
        }
        if self.options.topics.create {
            self.keep_only(|topic| counts.contains_key(&*topic.name));
        }
        Ok(())
    }

    /// Whether a topic is known to be there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    fn keep_only(&mut self, stays: impl Fn(&Topic) -> bool) {
        self.topics.retain(stays);
        let places = self.topics.iter().enumerate();
        self.known = places.map(|(place, topic)| (topic.name.clone(), place)).collect();
        self.last = 0;
    }

    /// The number of partitions; `None` when there is no such topic.
    pub(super) fn count(&self, name: &str) -> Result<Option<u32>, SinkError> {
        let found = self.metadata(Some(name))?;
        let Some(topic) = found.topics().iter().find(|topic| topic.name() == name) else { return Ok(None) };
        match topic.error().map(RDKafkaErrorCode::from) {
            None => Ok(u32::try_from(topic.partitions().len()).ok().filter(|count| *count > 0)),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
            Some(RDKafkaErrorCode::LeaderNotAvailable) if !topic.partitions().is_empty() => {
                Ok(u32::try_from(topic.partitions().len()).ok())
            }
            Some(RDKafkaErrorCode::LeaderNotAvailable) => Ok(None),
            Some(code) => Err(self.error(&KafkaError::MetadataFetch(code), name, "cannot ask about it")),
        }
    }

    /// What the brokers say of a topic, or of all.
    pub(super) fn metadata(&self, name: Option<&str>) -> Result<Metadata, SinkError> {
        let answer = asking::metadata(&self.reader, name, self.options.start_timeout, &self.options.stop);
        answer.map_err(|unanswered| {
            unanswered.into_error(&self.options.bootstrap_servers, |error| {
                self.error(error, name.unwrap_or("(all)"), "cannot ask about it")
            })
        })
    }

    fn make(&self, name: &str, kind: Kind) -> Result<u32, SinkError> {
        if !self.options.topics.create {
            return Err(SinkError::Kafka {
                what: format!("topic {name} does not exist"),
                hint: "make it, or let the agent make it (kafka_create_topics)",
            });
        }
        let count = match kind {
            Kind::Changes | Kind::Records | Kind::Latest => {
                self.options.topics.partitions.map_or(-1, i32::from)
            }
            Kind::Checkpoints => 1,
        };
        let replicas = TopicReplication::Fixed(self.options.topics.replication.map_or(-1, i32::from));
        let settings: &[(&str, &str)] = match kind {
            Kind::Changes => &TABLE_SETTINGS,
            Kind::Checkpoints => &CHECKPOINT_SETTINGS,
            Kind::Records => &RECORD_SETTINGS,
            Kind::Latest => &LATEST_SETTINGS,
        };
        let retention = self.options.retention_ms.iter().find(|(begin, _)| name.starts_with(begin.as_str()));
        let retention = retention.filter(|_| kind == Kind::Records).map(|(_, ms)| ms.to_string());
        let topic = settings
            .iter()
            .copied()
            .chain(retention.iter().map(|ms| ("retention.ms", ms.as_str())))
            .fold(NewTopic::new(name, count, replicas), |topic, (key, value)| topic.set(key, value));
        match self.admin.create(&topic, self.options.start_timeout) {
            Ok(()) | Err(KafkaError::AdminOp(RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err(error) => {
                let refused = code_of(&error).and_then(|code| Some((code, refuses_new_topic(code)?)));
                return Err(match refused {
                    Some((code, (why, hint))) => SinkError::Unmade {
                        what: format!("topic {name} cannot be made: {why} ({code})"),
                        hint,
                    },
                    None => self.error(&error, name, "cannot make it"),
                });
            }
        }
        let partitions = self.wait_for(name)?;
        self.options.observer.tell(&Notice::TopicCreated { topic: name.to_owned(), partitions });
        Ok(partitions)
    }

    fn wait_for(&self, name: &str) -> Result<u32, SinkError> {
        let since = Instant::now();
        loop {
            if let Some(partitions) = self.count(name)? {
                return Ok(partitions);
            }
            if since.elapsed() > SPREADS_WITHIN {
                return Err(SinkError::Kafka {
                    what: format!("topic {name} was made, and the brokers do not know it yet"),
                    hint: "look at the controller's log, and start again",
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Checks how the topic is configured.
    fn verify(&self, name: &str, kind: Kind) -> Result<(), SinkError> {
        let resource = self.admin.describe(&ResourceSpecifier::Topic(name), DESCRIBED_WITHIN);
        let resource = match resource {
            Ok(resource) => resource,
            Err(reason) => {
                let topic = name.to_owned();
                self.options.observer.tell(&Notice::TopicUnverified { topic, reason });
                return Ok(());
            }
        };
        let policy = resource.get("cleanup.policy").and_then(|entry| entry.value.as_deref());
        match (kind, policy) {
            (Kind::Checkpoints, Some(policy)) if policy != "compact" => Err(SinkError::Kafka {
                what: format!("topic {name} has cleanup.policy={policy}: checkpoints in it would be deleted"),
                hint: "set its cleanup.policy to compact",
            }),
            (Kind::Latest, Some(policy)) if !policy.contains("compact") => Err(SinkError::Kafka {
                what: format!(
                    "topic {name} has cleanup.policy={policy}: the last record of a key may be deleted"
                ),
                hint: "set its cleanup.policy to compact",
            }),
            (Kind::Changes | Kind::Records, Some(policy)) if policy.contains("compact") => {
                Err(SinkError::Kafka {
                    what: format!("topic {name} has cleanup.policy={policy}: changes in it would be lost"),
                    hint: "set its cleanup.policy to delete",
                })
            }
            _ => Ok(()),
        }
    }

    fn error(&self, error: &KafkaError, topic: &str, what: &str) -> SinkError {
        let servers = &self.options.bootstrap_servers;
        let what = format!("topic {topic}: {what} ({servers}): {error}");
        let code = code_of(error);
        match code.and_then(lasting) {
            Some(hint) if code.is_some_and(forbids_topic) => SinkError::Forbidden { what, hint },
            Some(hint) => Trouble::Lasting { what, hint }.into_error(),
            None if code.is_some_and(is_away) => SinkError::Unreachable { what, hint: UNREACHED },
            None => SinkError::Kafka { what, hint: UNREACHED },
        }
    }
}

/// How many partitions each topic has.
pub(super) fn counts(found: &Metadata) -> HashMap<&str, u32> {
    let counted = found.topics().iter();
    counted
        .filter_map(|topic| Some((topic.name(), u32::try_from(topic.partitions().len()).ok()?)))
        .filter(|(_, partitions)| *partitions > 0)
        .collect()
}

/// The code of an error; the crate gives none of an answer to a question of the admin client.
fn code_of(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}
