//! A consumer of committed records that notes when each write reached it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::common::{now_ns, pause, stop_at_end_of_input, write_lines};

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    bootstrap_servers: String,
    #[arg(long)]
    topic: String,
    /// What the broker may wait for records before it answers without any.
    #[arg(long, default_value = "5")]
    fetch_wait_ms: u32,
    /// Gets a line for each record: number of the write, time of arrival.
    #[arg(long)]
    out: PathBuf,
}

/// Prints `ready` with the first record; goes on until standard input ends.
pub(crate) fn run(options: &Options) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", options.fetch_wait_ms.to_string())
        .create()
        .unwrap();
    let stopped = stop_at_end_of_input();
    let mut partitions = 0;
    while partitions == 0 && !stopped.load(Ordering::Relaxed) {
        let metadata = consumer.fetch_metadata(Some(&options.topic), Duration::from_secs(5)).unwrap();
        partitions = metadata.topics()[0].partitions().len();
        pause(50_000);
    }
    let mut places = TopicPartitionList::new();
    for partition in 0..partitions {
        let partition = i32::try_from(partition).unwrap();
        places.add_partition_offset(&options.topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&places).unwrap();
    let mut seen = Vec::new();
    while !stopped.load(Ordering::Relaxed) {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(20)) else { continue };
        let now = now_ns();
        if let Some(number) = message.key().and_then(number) {
            if seen.is_empty() {
                println!("ready");
            }
            seen.push([number, now]);
        }
    }
    write_lines(&options.out, seen);
}

/// The number of the write: the only column of the key, `{"id":7}`, in the agent's records as in the connector's. A heartbeat has none.
fn number(key: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(key).ok()?;
    text.strip_prefix("{\"id\":")?.strip_suffix('}')?.parse().ok()
}
