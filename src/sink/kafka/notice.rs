//! What the Kafka sink tells while it works.

use std::fmt;

/// Something that whoever runs the agent may want to know. Shown in words; never with a secret or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It goes on only when Kafka does.
    Waiting {
        /// For what.
        what: String,
        /// How long already.
        seconds: u64,
    },
    /// Kafka and the local copy hold different checkpoints; the one with the higher generation is used.
    CheckpointsDiffer {
        /// Generation in Kafka, if there is one.
        kafka: Option<u64>,
        /// Generation of the local copy, if there is one.
        local: Option<u64>,
    },
    /// A topic did not exist and was made.
    TopicCreated {
        /// Its name.
        topic: String,
        /// Its partitions.
        partitions: u32,
    },
    /// A topic has other partitions than before: from here on, keys may stand in another partition than before.
    PartitionsChanged {
        /// Its name.
        topic: String,
        /// Their number before.
        before: u32,
        /// Their number now.
        now: u32,
    },
    /// A topic that was there has other partitions than new ones get.
    PartitionsDiffer {
        /// Its name.
        topic: String,
        /// Its partitions.
        found: u32,
        /// Those of new topics.
        new: u16,
    },
    /// What is kept of the numbers of partitions cannot be read.
    PartitionsUnread {
        /// Why.
        reason: String,
    },
    /// The numbers of partitions could not be kept.
    PartitionsUnkept {
        /// Why.
        reason: String,
    },
    /// A topic to which this program, or the one before it, sent records is not there any more, or was made anew by somebody
    /// while none ran: what stood in it is lost. Where the agent makes topics, it makes it again.
    TopicGone {
        /// Its name.
        topic: String,
        /// The place in the log up to which everything was committed then; empty when nothing is known of it.
        committed_to: String,
    },
    /// Kafka does not tell how a topic is configured.
    TopicUnverified {
        /// Its name.
        topic: String,
        /// Why.
        reason: String,
    },
    /// A record was not taken; a pointer to it went to the topic of dead letters.
    DeadLetter {
        /// The record's topic.
        topic: String,
        /// Where its event stands in the log.
        position: String,
        /// Length of key and value.
        bytes: u64,
        /// Why it was not taken.
        reason: String,
        /// In one word. When it is [`Untaken::Forbidden`], [`Notice::Forbidden`] or [`Notice::Unmade`] has told of it.
        kind: Untaken,
    },
    /// A topic may not be written: pointers stand for its records.
    Forbidden {
        /// Its name.
        topic: String,
    },
    /// A topic cannot be made: pointers stand for its records.
    Unmade {
        /// Which, and why.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// The copy of the checkpoint on disk could not be written. Kafka has it.
    LocalCopy {
        /// Why.
        reason: String,
    },
    /// The copy of the checkpoint on disk cannot be read; Kafka has one, which is used.
    LocalCopyUnread {
        /// Why.
        reason: String,
    },
    /// Certificates of brokers are not checked.
    Insecure,
    /// What librdkafka says.
    Client {
        /// Its severity: 3 is an error, 4 a warning, 6 information.
        level: u8,
        /// In its words.
        text: String,
    },
}

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untaken {
    /// It is too long.
    TooLong,
    /// Its topic may not be written, or cannot be made.
    Forbidden,
    /// A broker refuses it.
    Refused,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { what, seconds } => write!(f, "waiting for Kafka since {seconds} s: {what}"),
            Self::CheckpointsDiffer { kafka, local } => write!(
                f,
                "the checkpoint in Kafka ({}) and its local copy ({}) differ; the higher generation is used",
                generation(*kafka),
                generation(*local)
            ),
            Self::TopicCreated { topic, partitions } => {
                write!(f, "made topic {topic} with {partitions} partition(s)")
            }
            Self::PartitionsChanged { topic, before, now } => write!(
                f,
                "topic {topic} had {before} partition(s) and has {now}: from here on, keys may stand in another \
                 partition than before, and their order across the two is lost"
            ),
            Self::PartitionsDiffer { topic, found, new } => write!(
                f,
                "topic {topic} has {found} partition(s), and kafka_topic_partitions is {new}: that is for topics that are \
                 made; this one stays as it is"
            ),
            Self::PartitionsUnread { reason } => write!(
                f,
                "the numbers of partitions that topics had are not used, so neither one that was changed nor a topic that was \
                 deleted while the agent was stopped is noticed: {reason}"
            ),
            Self::PartitionsUnkept { reason } => write!(
                f,
                "the numbers of partitions are not kept, so neither one that changes nor a topic that is deleted while the \
                 agent is stopped is noticed: {reason}"
            ),
            Self::TopicGone { topic, committed_to } => write!(
                f,
                "topic {topic} was deleted: everything that was published to it up to {} is lost to whoever has \
                 not read it. It is made again, and goes on behind that; a snapshot of the table publishes its rows anew",
                if committed_to.is_empty() { "now" } else { committed_to.as_str() }
            ),
            Self::TopicUnverified { topic, reason } => write!(
                f,
                "cannot check how topic {topic} is configured: {reason}; allow DESCRIBE_CONFIGS on it, or see to its \
                 cleanup.policy"
            ),
            Self::DeadLetter { topic, position, bytes, reason, .. } => write!(
                f,
                "a record of {bytes} bytes at {position} was not taken by topic {topic}: {reason}; a pointer to it \
                 stands in the topic of dead letters"
            ),
            Self::Forbidden { topic } => write!(
                f,
                "this user may not write topic {topic}: pointers to its records stand in the topic of dead letters; allow \
                 WRITE and DESCRIBE (and CREATE, where topics are to be made) on it. It is tried again every 5 minutes"
            ),
            Self::Unmade { what, hint } => write!(
                f,
                "{what}: pointers to its records stand in the topic of dead letters; {hint}. It is tried again every 5 minutes"
            ),
            Self::LocalCopy { reason } => write!(f, "the local copy of the checkpoint is not written: {reason}"),
            Self::LocalCopyUnread { reason } => {
                write!(f, "Kafka's checkpoint is used, the local copy cannot be: {reason}")
            }
            Self::Insecure => f.write_str(
                "certificates of brokers are not checked: whoever stands between can read and change everything",
            ),
            Self::Client { text, .. } => write!(f, "librdkafka: {text}"),
        }
    }
}

fn generation(generation: Option<u64>) -> String {
    generation.map_or_else(|| "none".to_owned(), |generation| format!("generation {generation}"))
}
