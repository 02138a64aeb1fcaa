//! What is committed, read without taking anything over: a running agent is not disturbed.

use crate::checkpoint::Checkpoint;
use crate::sink::SinkError;

use super::layout::Layout;
use super::options::{Identity, KafkaOptions};
use super::read_back::Place;
use super::topics::{Kind, Topics};
use super::{KafkaSink, client, local, read_back};

/// What is committed.
#[derive(Debug)]
pub struct Stored {
    /// `None` when nothing ever was.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the copy on the agent's disk is the newer one.
    pub is_local: bool,
}

impl KafkaSink {
    /// Reads the checkpoint, of Kafka and the local copy the one with the higher generation. A transaction that is not
    /// ended is waited for.
    ///
    /// # Errors
    /// The brokers cannot be reached or refuse, there is no topic, or one of both cannot be read.
    pub fn stored(options: &KafkaOptions) -> Result<Stored, SinkError> {
        client::check(options)?;
        let mut topics = Topics::new(options)?;
        let layout = Layout::of(&options.identity);
        let topic = options.checkpoint_topic();
        let partition = layout.partition(topics.get(&topic, Kind::Checkpoints)?.partitions);
        let place = Place { topic, partition };
        let wanted = |key: &str| layout.wants(key);
        let found = read_back::read(options, &topics, &place, 0, wanted, || Ok(()))?;
        let kafka = layout.restore(&found.values)?.checkpoint;
        let local = match &options.identity {
            Identity::Node { local: Some(path), .. } => local::load(path)?,
            _ => None,
        };
        let generation = |checkpoint: &Option<Checkpoint>| checkpoint.as_ref().map(Checkpoint::generation);
        let is_local = generation(&local) > generation(&kafka);
        Ok(Stored { checkpoint: if is_local { local } else { kafka }, is_local })
    }
}
