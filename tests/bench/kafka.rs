//! The Kafka sink beside a bare librdkafka producer that sends the same bytes to the same broker, in turns.
//!
//! `cargo bench --bench kafka -- --bootstrap-servers HOST:PORT --log DIR [--records N] [--rounds N] [--compression WORD]`: DIR
//! is a file log, whose records are sent again and again. `make bench-kafka` provides both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cdc_agent::checkpoint::{Checkpoint, Fingerprint};
use cdc_agent::commitlog::{Position, SegmentId};
use cdc_agent::envelope::Record;
use cdc_agent::sink::Sink;
use cdc_agent::sink::kafka::{BatchLimits, Compression, Delivery, Identity, KafkaOptions, KafkaSink};
use clap::Parser;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::value::RawValue;

const TOPIC: &str = "bench.cdc.k.t";

#[derive(Parser)]
struct Options {
    #[arg(long)]
    bootstrap_servers: String,
    /// A file log.
    #[arg(long)]
    log: PathBuf,
    #[arg(long, default_value = "400000")]
    records: usize,
    #[arg(long, default_value = "3")]
    rounds: usize,
    #[arg(long, default_value = "lz4")]
    compression: String,
    /// Of the sink's batches, in milliseconds.
    #[arg(long, default_value = "500")]
    batch_ms: u64,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(serde::Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    key: &'l RawValue,
    #[serde(borrow)]
    value: &'l RawValue,
}

struct Text {
    key: String,
    value: String,
    hash: u32,
}

fn texts(log: &Path) -> Vec<Text> {
    let mut found = Vec::new();
    for topic in
        std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        for partition in std::fs::read_dir(topic).unwrap() {
            for file in std::fs::read_dir(partition.unwrap().path()).unwrap() {
                let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
                found.extend(text.split_terminator('\n').map(|line| {
                    let line: Line<'_> = serde_json::from_str(line).unwrap();
                    let (key, value) = (line.key.get().to_owned(), line.value.get().to_owned());
                    let hash = cdc_agent::envelope::murmur2::partition_hash(key.as_bytes());
                    Text { key, value, hash }
                }));
            }
        }
    }
    found.retain(|text| text.value.len() < 4096);
    found
}

/// Sends every record; gives the seconds until all are acknowledged.
fn bare(options: &Options, texts: &[Text], partitions: u32) -> f64 {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("enable.idempotence", "true")
        .set("compression.type", &options.compression)
        .set("linger.ms", "5")
        .set("delivery.report.only.error", "true")
        .create()
        .unwrap();
    producer.client().fetch_metadata(Some(TOPIC), Duration::from_secs(20)).unwrap();
    let started = Instant::now();
    for text in texts.iter().cycle().take(options.records) {
        let partition = i32::try_from(text.hash % partitions).unwrap();
        loop {
            let header = Header { key: "event_id", value: Some("00112233445566778899aabbccddeeff") };
            let record = BaseRecord::to(TOPIC)
                .partition(partition)
                .key(text.key.as_str())
                .payload(text.value.as_str())
                .timestamp(1_700_000_000_000)
                .headers(OwnedHeaders::new_with_capacity(1).insert(header));
            match producer.send(record) {
                Ok(()) => break,
                Err(_) => producer.poll(Duration::from_millis(1)),
            }
        }
    }
    while producer.in_flight_count() > 0 {
        producer.poll(Duration::from_millis(1));
    }
    started.elapsed().as_secs_f64()
}

/// The same through the sink; gives the seconds, and the number of commits.
fn sink(options: &Options, texts: &[Text], delivery: Delivery, host: usize) -> (f64, u64) {
    let identity = Identity::Node { host_id: format!("bench-{host}"), local: None };
    let compression = match options.compression.as_str() {
        "none" => Compression::None,
        "zstd" => Compression::Zstd,
        _ => Compression::Lz4,
    };
    let batch = BatchLimits { time: Duration::from_millis(options.batch_ms), ..BatchLimits::default() };
    let options_of_sink = KafkaOptions {
        delivery,
        compression,
        batch,
        ..KafkaOptions::new(&options.bootstrap_servers, "bench", identity)
    };
    let mut sink = KafkaSink::open(options_of_sink).unwrap();
    sink.partitions(TOPIC).unwrap();
    let mut checkpoint = sink.checkpoint().cloned().unwrap();
    let (started, mut commits) = (Instant::now(), 0);
    for (entry, text) in (0..).zip(texts.iter().cycle().take(options.records)) {
        let position = Position { segment: SegmentId(1), marker: 20, entry, row: 0 };
        let record = Record {
            topic: TOPIC,
            partition_hash: text.hash,
            key: text.key.as_bytes(),
            value: Some(text.value.as_bytes()),
            event_id: "00112233445566778899aabbccddeeff",
            ts_ms: 1_700_000_000_000,
            position,
        };
        sink.send(&record).unwrap();
        if entry % 256 == 0 && sink.is_full() {
            commit(&mut sink, &mut checkpoint, position);
            commits += 1;
        }
    }
    let last = u32::try_from(options.records).unwrap();
    commit(&mut sink, &mut checkpoint, Position { segment: SegmentId(1), marker: 20, entry: last, row: 0 });
    (started.elapsed().as_secs_f64(), commits + 1)
}

fn commit(sink: &mut KafkaSink, checkpoint: &mut Checkpoint, position: Position) {
    checkpoint.advance(position, Some(Fingerprint::of(b"d", b"s"))).unwrap();
    checkpoint.next_generation();
    sink.commit(checkpoint).unwrap();
}

/// Peak of the anonymous memory since the last call, in MiB, looked at every 20 ms.
struct Memory(Arc<AtomicU64>, Arc<AtomicBool>);

impl Memory {
    fn watch() -> Self {
        let (peak, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (of_thread, stopped) = (Arc::clone(&peak), Arc::clone(&stop));
        std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let status = std::fs::read_to_string("/proc/self/status").unwrap();
                let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
                let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
                of_thread.fetch_max(kib / 1024, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self(peak, stop)
    }

    fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn main() {
    let options = Options::parse();
    let texts = texts(&options.log);
    let memory = Memory::watch();
    let partitions = {
        let identity = Identity::Node { host_id: "bench".to_owned(), local: None };
        let mut sink =
            KafkaSink::open(KafkaOptions::new(&options.bootstrap_servers, "bench", identity)).unwrap();
        sink.partitions(TOPIC).unwrap()
    };
    let bytes: usize = texts.iter().map(|text| text.key.len() + text.value.len()).sum();
    println!(
        "{} records of {} bytes on average, {partitions} partition(s), {}",
        options.records,
        bytes / texts.len().max(1),
        options.compression
    );
    let rate = |seconds: f64| f64::from(u32::try_from(options.records).unwrap()) / seconds;
    for round in 0..options.rounds {
        memory.take();
        let bare = rate(bare(&options, &texts, partitions));
        let bare_memory = memory.take();
        let (seconds, commits) = sink(&options, &texts, Delivery::ExactlyOnce, 2 * round + 1);
        let (exact, exact_memory) = (rate(seconds), memory.take());
        let (seconds, _) = sink(&options, &texts, Delivery::AtLeastOnce, 2 * round + 2);
        let (least, least_memory) = (rate(seconds), memory.take());
        println!(
            "round {round}: bare {bare:.0}/s ({bare_memory} MiB); exactly-once {exact:.0}/s, {:.2} of bare, {commits} commits \
             ({exact_memory} MiB); at-least-once {least:.0}/s, {:.2} of bare ({least_memory} MiB); exactly-once {:.2} of \
             at-least-once",
            exact / bare,
            least / bare,
            exact / least
        );
    }
    memory.1.store(true, Ordering::Relaxed);
}
