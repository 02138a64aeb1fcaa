//! The file log: what readers see is exactly what was committed, whatever happens to the writer.

#![allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]

mod crash;
mod faults;
mod format;
mod model;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cdc_agent::checkpoint::Checkpoint;
use cdc_agent::commitlog::{Position, SegmentId};
use cdc_agent::envelope::Record;
use cdc_agent::sink::{FileLog, FileLogOptions, FileLogReader, Sink, SinkError};

/// A record with bytes of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owned {
    topic: String,
    hash: u32,
    key: String,
    value: Option<String>,
    event_id: String,
    ts_ms: i64,
}

impl Owned {
    fn send(&self, log: &mut FileLog) -> Result<(), SinkError> {
        log.send(&Record {
            topic: &self.topic,
            partition_hash: self.hash,
            key: self.key.as_bytes(),
            value: self.value.as_deref().map(str::as_bytes),
            event_id: &self.event_id,
            ts_ms: self.ts_ms,
            position: at(0),
        })
    }
}

/// The event with this number, in a commit log that is one segment with one section.
fn at(number: u32) -> Position {
    Position { segment: SegmentId(1), marker: 20, entry: number, row: 0 }
}

/// The checkpoint after `committed` that says that `number` events are done.
fn done(committed: &Checkpoint, number: u32) -> Checkpoint {
    let mut checkpoint = committed.clone();
    checkpoint.advance(at(number), None).unwrap();
    checkpoint.next_generation();
    checkpoint
}

/// How many events the checkpoint says are done.
fn count_done(checkpoint: &Checkpoint) -> u32 {
    checkpoint.open_at(SegmentId(1)).map_or(0, |position| position.entry)
}

/// (topic, partition) → lines.
type Contents = BTreeMap<(String, u32), Vec<serde_json::Value>>;

/// What a log holds after these records were sent to an empty one with this many partitions.
fn expected(records: &[Owned], partitions: u32) -> Contents {
    let mut contents = Contents::new();
    for record in records {
        let place = (record.topic.clone(), record.hash % partitions);
        let lines = contents.entry(place).or_default();
        let key: serde_json::Value = serde_json::from_str(&record.key).unwrap();
        let value: Option<serde_json::Value> =
            record.value.as_ref().map(|value| serde_json::from_str(value).unwrap());
        lines.push(serde_json::json!({
            "offset": lines.len(),
            "ts_ms": record.ts_ms,
            "key": key,
            "value": value,
            "headers": {"event_id": record.event_id},
        }));
    }
    contents
}

/// What a reader sees.
fn contents(dir: &Path) -> Contents {
    let reader = FileLogReader::open(dir).unwrap();
    let mut contents = Contents::new();
    for topic in reader.topics() {
        for partition in 0..reader.partitions() {
            let lines: Vec<serde_json::Value> = reader
                .lines(topic, partition)
                .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
                .collect();
            assert_eq!(reader.next_offset(topic, partition), lines.len() as u64);
            if !lines.is_empty() {
                contents.insert((topic.to_owned(), partition), lines);
            }
        }
    }
    contents
}

/// Data files below `dir` with their bytes, by path.
fn data_files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![dir.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "jsonl") {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_dir(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound)) as u32
    }
}

/// Record `number` of the endless stream that belongs to a seed.
fn record(seed: u64, number: u32) -> Owned {
    let mut random = Random(seed ^ (u64::from(number) << 32));
    let length = random.below(300) as usize;
    Owned {
        topic: format!("p.cdc.ks.t{}", random.below(3)),
        hash: random.below(1 << 31),
        key: format!(r#"{{"id":{number}}}"#),
        value: (random.below(8) > 0).then(|| format!(r#"{{"op":"c","text":"ä\n{}"}}"#, "x".repeat(length))),
        event_id: format!("{:016x}{:016x}", random.next(), random.next()),
        ts_ms: i64::from(random.below(u32::MAX)) - (1 << 31),
    }
}

/// Options under which every path is taken often: files roll, buffers fill, handles run out.
fn small(partitions: u32) -> FileLogOptions {
    FileLogOptions {
        partitions: u16::try_from(partitions).unwrap().try_into().ok(),
        roll_bytes: 2000,
        write_bytes: 300,
        buffer_bytes: 1500,
        open_files: 2,
    }
}
