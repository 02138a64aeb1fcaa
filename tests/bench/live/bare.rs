//! librdkafka alone: sends the records of a topic, which are in memory then, with the options that the agent's producer has.

use std::time::{Duration, Instant};

use clap::Args;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::common::processor_seconds;

/// As the agent's: records, bytes and time of a transaction, and how many ids take turns.
const MOST_RECORDS: u32 = 200_000;
const MOST_BYTES: usize = 64 << 20;
const MOST_TIME: Duration = Duration::from_millis(500);
const IDS: usize = 3;

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    bootstrap_servers: String,
    /// A topic of changes.
    #[arg(long)]
    from: String,
    /// Topics that exist, with as many partitions. Each gets everything once, in this order: `NAME` idempotent, `NAME=transactions` in transactions.
    #[arg(long)]
    to: Vec<String>,
    #[arg(long, default_value = "lz4")]
    compression: String,
}

struct Kept {
    partition: i32,
    key: Vec<u8>,
    value: Vec<u8>,
    event_id: String,
    timestamp: i64,
}

pub(crate) fn run(options: &Options) {
    let records = read(options);
    let bytes: usize = records.iter().map(|record| record.key.len() + record.value.len()).sum();
    for to in &options.to {
        let (topic, ids) = match to.split_once('=') {
            Some((topic, _)) => (topic, IDS),
            None => (to.as_str(), 0),
        };
        let before = processor_seconds();
        let (seconds, commits) = send(options, topic, ids, &records);
        let cpu_s = processor_seconds() - before;
        let records = records.len();
        println!(
            "{{\"topic\": \"{topic}\", \"records\": {records}, \"bytes\": {bytes}, \"seconds\": {seconds}, \"cpu_s\": {cpu_s}, \
             \"commits\": {commits}}}"
        );
    }
}

/// All records of changes that are committed in the topic.
fn read(options: &Options) -> Vec<Kept> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(&options.from), Duration::from_secs(20)).unwrap();
    let mut places = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        places.add_partition_offset(&options.from, partition.id(), Offset::Beginning).unwrap();
    }
    consumer.assign(&places).unwrap();
    let (mut records, mut left) = (Vec::new(), places.count());
    while left > 0 {
        match consumer.poll(Duration::from_secs(20)).expect("the topic is read to its end") {
            Ok(message) => records.extend(kept(&message)),
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => left -= 1,
            Err(error) => panic!("{error}"),
        }
    }
    records
}

/// `None` for heartbeats, which have no event id.
fn kept(message: &rdkafka::message::BorrowedMessage<'_>) -> Option<Kept> {
    let header = message.headers()?.iter().find(|header| header.key == "event_id")?;
    Some(Kept {
        partition: message.partition(),
        key: message.key()?.to_vec(),
        value: message.payload()?.to_vec(),
        event_id: String::from_utf8(header.value?.to_vec()).unwrap(),
        timestamp: message.timestamp().to_millis()?,
    })
}

fn producer(options: &Options, id: Option<String>) -> BaseProducer {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("enable.idempotence", "true")
        .set("compression.type", &options.compression)
        .set("queue.buffering.max.kbytes", "16384")
        .set("queue.buffering.max.messages", "25000")
        .set("linger.ms", if id.is_some() { "5" } else { "1" })
        .set("delivery.report.only.error", "true");
    let is_transactional = id.is_some();
    id.map(|id| config.set("transactional.id", id));
    let producer: BaseProducer = config.create().unwrap();
    if is_transactional {
        producer.init_transactions(Duration::from_secs(20)).unwrap();
    }
    producer
}

/// Gives the seconds until the last record is acknowledged, or committed, and the number of commits.
fn send(options: &Options, topic: &str, ids: usize, records: &[Kept]) -> (f64, u32) {
    let producers: Vec<BaseProducer> = (0..ids.max(1))
        .map(|number| producer(options, (ids > 0).then(|| format!("bench-{topic}-{number}"))))
        .collect();
    for producer in &producers {
        producer.client().fetch_metadata(Some(topic), Duration::from_secs(20)).unwrap();
    }
    let started = Instant::now();
    let (mut commits, mut held, mut bytes, mut began) = (0, 0, 0, Instant::now());
    for (at, record) in records.iter().enumerate() {
        let producer = &producers[usize::try_from(commits).unwrap() % producers.len()];
        if ids > 0 && held == 0 {
            producer.begin_transaction().unwrap();
            began = Instant::now();
        }
        produce(producer, topic, record);
        (held, bytes) = (held + 1, bytes + record.key.len() + record.value.len());
        let is_full =
            held >= MOST_RECORDS || bytes >= MOST_BYTES || (held % 256 == 0 && began.elapsed() >= MOST_TIME);
        if ids > 0 && (is_full || at + 1 == records.len()) {
            drain(producer);
            producer.commit_transaction(Duration::from_secs(20)).unwrap();
            (commits, held, bytes) = (commits + 1, 0, 0);
        }
    }
    producers.iter().for_each(drain);
    (started.elapsed().as_secs_f64(), commits)
}

fn produce(producer: &BaseProducer, topic: &str, record: &Kept) {
    loop {
        let header = Header { key: "event_id", value: Some(record.event_id.as_str()) };
        let outgoing = BaseRecord::to(topic)
            .partition(record.partition)
            .key(record.key.as_slice())
            .payload(record.value.as_slice())
            .timestamp(record.timestamp)
            .headers(OwnedHeaders::new_with_capacity(1).insert(header));
        match producer.send(outgoing) {
            Ok(()) => break,
            Err(_) => producer.poll(Duration::from_millis(1)),
        }
    }
}

/// Until everything is acknowledged.
fn drain(producer: &BaseProducer) {
    while producer.in_flight_count() > 0 {
        producer.poll(Duration::from_millis(1));
    }
}
