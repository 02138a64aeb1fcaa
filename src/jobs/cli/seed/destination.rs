//! Where records of `seed` go.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::agent::exit::{Exit, Failure};
use crate::checkpoint::Checkpoint;
use crate::envelope::Record;
use crate::envelope::murmur2::partition_hash;
use crate::jobs::environment::Environment;
use crate::jobs::kafka::{Access, Brokers, Delivered, Outgoing, Producer};
use crate::jobs::seed::Seeded;
use crate::sink::{FileLog, FileLogOptions, Sink, SinkError};

/// How long brokers may be away.
const GIVES_UP: Duration = Duration::from_secs(60);
/// How often readers of a file log see more while records come slowly.
const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// Whether `--out` names Kafka.
pub(super) fn is_kafka(out: &Path) -> bool {
    out == Path::new("kafka")
}

/// Where records go.
pub(super) enum Destination {
    /// A topic.
    Kafka {
        /// Its name.
        topic: String,
        /// Writes.
        producer: Producer,
        /// Why the first record was not taken that was not.
        failed: Arc<Mutex<Option<String>>>,
    },
    /// A file log.
    FileLog {
        /// The topic.
        topic: String,
        /// Writes.
        log: Box<FileLog>,
        /// When it was committed.
        committed: Instant,
    },
}

impl Destination {
    /// Opens it.
    ///
    /// # Errors
    /// The brokers cannot be reached, there is no such topic, or the file log cannot be written.
    pub(super) fn open(out: &Path, environment: &Environment, topic: &str) -> Result<Self, Failure> {
        let topic = topic.to_owned();
        if !is_kafka(out) {
            let log = FileLog::open(out, FileLogOptions::default()).map_err(unwritable)?;
            return Ok(Self::FileLog { topic, log: Box::new(log), committed: Instant::now() });
        }
        let access = Access::of(environment)?;
        // By writing to it a topic would be made with the brokers' settings.
        Brokers::connect(access.clone())?.get(&topic)?;
        Ok(Self::Kafka { topic, producer: Producer::new(&access, GIVES_UP)?, failed: Arc::default() })
    }

    /// Writes a record, or begins to.
    ///
    /// # Errors
    /// It, or an earlier one, is not taken.
    pub(super) fn send(&mut self, record: &Seeded) -> Result<(), Failure> {
        match self {
            Self::Kafka { topic, producer, failed } => {
                check(topic, failed)?;
                let outgoing = Outgoing {
                    topic,
                    partition: None,
                    key: record.key.as_ref().map(String::as_bytes),
                    value: Some(&record.payload),
                    timestamp_ms: Some(record.timestamp_ms),
                };
                let failed = Arc::clone(failed);
                let report = move |delivered: Delivered| {
                    if let Err(code) = delivered {
                        let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        first.get_or_insert_with(|| code.to_string());
                    }
                };
                producer.send(&outgoing, report).map_err(|code| not_taken(topic, &code.to_string()))
            }
            Self::FileLog { topic, log, .. } => {
                let key = record.key.as_deref().unwrap_or("null");
                // Random payloads are made as JSON for a file log.
                let value = std::str::from_utf8(&record.payload).unwrap_or("null");
                let hash = partition_hash(key.as_bytes());
                log.send(&Record::aside(topic, hash, key, value, record.timestamp_ms)).map_err(unwritable)
            }
        }
    }

    /// Shows readers what was written, now and then.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn show(&mut self) -> Result<(), Failure> {
        if let Self::FileLog { log, committed, .. } = self
            && committed.elapsed() > SHOWN_EVERY
        {
            commit(log)?;
            *committed = Instant::now();
        }
        Ok(())
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// A record is not taken.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        match self {
            Self::FileLog { log, .. } => commit(log),
            Self::Kafka { topic, producer, failed } => {
                producer.flush(GIVES_UP + Duration::from_secs(5)).map_err(|error| {
                    let reason = producer.last_error().unwrap_or_else(|| error.to_string());
                    not_taken(topic, &reason)
                })?;
                check(topic, failed)
            }
        }
    }
}

fn commit(log: &mut FileLog) -> Result<(), Failure> {
    let checkpoint: Checkpoint = log.checkpoint().cloned().unwrap_or_default();
    log.commit(&checkpoint).map_err(unwritable)
}

fn check(topic: &str, failed: &Mutex<Option<String>>) -> Result<(), Failure> {
    match &*failed.lock().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(()),
        Some(reason) => Err(not_taken(topic, reason)),
    }
}

fn not_taken(topic: &str, reason: &str) -> Failure {
    Failure::new(Exit::Destination, format!("topic {topic} does not take a record: {reason}"))
        .next("what was taken before stays there; `cdc-jobs topics purge` takes it away")
}

fn unwritable(error: SinkError) -> Failure {
    let exit = match error.exit_code() {
        1 => Exit::Bug,
        2 => Exit::Usage,
        7 => Exit::Locked,
        _ => Exit::Destination,
    };
    Failure::new(exit, "the file log cannot be written").because(error)
}
