//! What is committed, read without disturbing anybody.

use std::path::Path;

use crate::agent::config::check::is_kafka;
use crate::agent::exit::{Exit, Failure};
use crate::agent::pipeline::writer::sink_failure;
use crate::agent::socket::Request;
use crate::checkpoint::Checkpoint;
use crate::cli::StoredArgs;
use crate::sink::FileLogReader;

/// A checkpoint, and where it stands.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) from: String,
    pub(super) checkpoint: Checkpoint,
}

/// What is committed: a running agent says it, else the destination; of Kafka and the local copy the one with the higher
/// generation.
///
/// # Errors
/// Neither can be read.
pub(super) fn read(args: &StoredArgs) -> Result<Stored, Failure> {
    let state = &args.options.live.log.state_dir;
    match super::asked(state, &Request::Checkpoint)? {
        Some((items, _)) => {
            let item = items.first().and_then(|item| item.get("checkpoint")).cloned().unwrap_or_default();
            let checkpoint = serde_json::from_value(item).map_err(|error| {
                Failure::new(Exit::Destination, "the running agent's checkpoint cannot be read")
                    .because(error)
                    .next("use the program that the running agent was started from")
            })?;
            Ok(Stored { from: format!("the running agent of {}", state.display()), checkpoint })
        }
        None => of_destination(args),
    }
}

/// What stands in the destination. No agent is asked.
///
/// # Errors
/// It cannot be read.
pub(super) fn of_destination(args: &StoredArgs) -> Result<Stored, Failure> {
    if is_kafka(&args.out) { of_kafka(args) } else { of_file_log(&args.out) }
}

fn of_file_log(dir: &Path) -> Result<Stored, Failure> {
    let reader = FileLogReader::open(dir).map_err(sink_failure)?;
    let from = format!("the file log {}", dir.display());
    Ok(Stored { from, checkpoint: reader.checkpoint().clone() })
}

#[cfg(not(feature = "kafka"))]
fn of_kafka(_: &StoredArgs) -> Result<Stored, Failure> {
    Err(Failure::new(Exit::Usage, "this cdc-agent was built without Kafka")
        .next("build it with the feature kafka, or name a file log (--out DIR)"))
}

#[cfg(feature = "kafka")]
fn of_kafka(args: &StoredArgs) -> Result<Stored, Failure> {
    use crate::sink::kafka::{KafkaOptions, KafkaSink, TopicOptions};

    let options = crate::agent::run::offline::kafka_options(&args.options)?;
    let topics = TopicOptions { create: false, ..options.topics };
    let found = KafkaSink::stored(&KafkaOptions { topics, ..options });
    let found = found.map_err(sink_failure)?;
    let from = match found.is_local {
        true => "the local copy in the state directory, which is newer than Kafka's",
        false => "Kafka's checkpoint topic",
    };
    Ok(Stored { from: from.to_owned(), checkpoint: found.checkpoint.unwrap_or_default() })
}
