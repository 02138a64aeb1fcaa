//! Where a job reads and writes: Kafka, or a file log.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::EngineError;
use super::files::{FileOutlet, FileSource};
use super::outlet::Outlet;
use super::source::Source;
use crate::jobs::environment::Environment;
use crate::sink::file_log::FileLogOptions;

/// A broker, or a directory in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The brokers of the environment.
    Kafka,
    /// A file log: docs/file-log.md.
    Directory(PathBuf),
}

impl std::str::FromStr for Place {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "kafka" { Self::Kafka } else { Self::Directory(text.into()) })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kafka => f.write_str("kafka"),
            Self::Directory(path) => path.display().fmt(f),
        }
    }
}

/// A topic of an environment, and the consumer group that reads it.
#[derive(Debug, Clone)]
pub struct Input {
    /// Whose brokers.
    pub environment: Environment,
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// Whether it may be missing: then it has no record until it is there.
    pub may_be_missing: bool,
}

/// Opens the inputs of a job.
///
/// # Errors
/// They cannot be reached or refuse.
pub fn open_source(
    from: &Place,
    inputs: &[Input],
    stop: &Arc<AtomicBool>,
) -> Result<Box<dyn Source>, EngineError> {
    match from {
        Place::Directory(dir) => {
            let topics = inputs.iter().map(|input| input.topic.clone()).collect();
            let needed =
                |topic: &str| inputs.iter().any(|input| input.topic == topic && !input.may_be_missing);
            Ok(Box::new(FileSource::open(dir, topics, needed)?))
        }
        Place::Kafka => kafka_source(inputs, stop),
    }
}

/// Takes the outputs of a job over. `group` is its consumer group where its inputs are in the same cluster, and
/// `compacted` the topics of which the last record of each key stays.
///
/// # Errors
/// The destination cannot be reached or refuses.
pub fn open_outlet(
    out: &Place,
    environment: &Environment,
    job: &str,
    (group, compacted): (Option<&str>, &[&str]),
    partitions: Option<NonZeroU16>,
    stop: &Arc<AtomicBool>,
) -> Result<Box<dyn Outlet>, EngineError> {
    match out {
        Place::Directory(dir) => {
            let options = FileLogOptions { partitions, ..FileLogOptions::default() };
            Ok(Box::new(FileOutlet::open(dir, job, options)?))
        }
        Place::Kafka => kafka_outlet(environment, job, group, compacted, stop),
    }
}

#[cfg(feature = "kafka")]
fn kafka_source(inputs: &[Input], stop: &Arc<AtomicBool>) -> Result<Box<dyn Source>, EngineError> {
    use super::kafka::{KafkaSource, options};

    let mut topics = Vec::new();
    for input in inputs {
        let options = options(&input.environment, stop)?;
        topics.push((options, input.topic.clone(), input.group.clone(), input.may_be_missing));
    }
    Ok(Box::new(KafkaSource::open(&topics)?))
}

#[cfg(feature = "kafka")]
fn kafka_outlet(
    environment: &Environment,
    job: &str,
    group: Option<&str>,
    compacted: &[&str],
    stop: &Arc<AtomicBool>,
) -> Result<Box<dyn Outlet>, EngineError> {
    use super::kafka::{KafkaOutlet, options};

    Ok(Box::new(KafkaOutlet::open(&options(environment, stop)?, job, group, compacted)?))
}

#[cfg(not(feature = "kafka"))]
fn kafka_source(_: &[Input], _: &Arc<AtomicBool>) -> Result<Box<dyn Source>, EngineError> {
    Err(without_kafka())
}

#[cfg(not(feature = "kafka"))]
fn kafka_outlet(
    _: &Environment,
    _: &str,
    _: Option<&str>,
    _: &[&str],
    _: &Arc<AtomicBool>,
) -> Result<Box<dyn Outlet>, EngineError> {
    Err(without_kafka())
}

#[cfg(not(feature = "kafka"))]
fn without_kafka() -> EngineError {
    EngineError::new(crate::agent::exit::Exit::Usage, "this cdc-jobs was built without Kafka")
        .next("build it with the feature kafka, or give file logs: --from DIR --out DIR")
}
