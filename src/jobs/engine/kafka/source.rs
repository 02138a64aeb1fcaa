//! Topics of Kafka as inputs, of one cluster or of several.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::position::Positions;
use crate::jobs::engine::record::{Header, InputRecord};
use crate::jobs::engine::source::{Event, Source};
use crate::sink::kafka::{Arrival, JobInput, KafkaOptions, Message};

/// Records of a partition that wait while another one is read; then it is not fetched for a while.
const MOST_WAITING: usize = 2_000;
/// How long one partition's next record is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records of one input before another one is asked.
const TURN: u32 = 256;
/// How often partitions are counted, and what is not read.
const COUNTED_EVERY: Duration = Duration::from_secs(30);

/// Reads topics.
#[derive(Debug)]
pub struct KafkaSource {
    names: Vec<String>,
    inputs: Vec<Input>,
    /// Whose turn it is, and how many records it had in this turn.
    turn: (usize, u32),
    counted: Instant,
    lag: u64,
}

#[derive(Debug)]
struct Input {
    kafka: JobInput,
    /// Without the topic there are no records, until it is there.
    may_be_missing: bool,
    partitions: BTreeMap<u32, Partition>,
}

#[derive(Debug, Default)]
struct Partition {
    /// Offset after the last record that was handed over.
    next: i64,
    waiting: VecDeque<InputRecord>,
    is_held: bool,
    /// The end was seen, and no record since.
    is_at_end: bool,
}

impl KafkaSource {
    /// Reads these topics, each with its cluster, its consumer group, and whether it may be missing.
    ///
    /// # Errors
    /// The options cannot be used.
    pub fn open(topics: &[(KafkaOptions, String, String, bool)]) -> Result<Self, EngineError> {
        let mut inputs = Vec::new();
        for (options, topic, group, may_be_missing) in topics {
            let kafka = JobInput::open(options, topic, group)?;
            inputs.push(Input { kafka, may_be_missing: *may_be_missing, partitions: BTreeMap::new() });
        }
        let names = topics.iter().map(|(_, topic, ..)| topic.clone()).collect();
        Ok(Self { names, inputs, turn: (0, 0), counted: Instant::now(), lag: 0 })
    }

    /// Whether topics have as many partitions as before, and how much is not read.
    fn count(&mut self) -> Result<(), EngineError> {
        self.counted = Instant::now();
        let mut lag = 0_u64;
        for (name, input) in self.names.iter().zip(&mut self.inputs) {
            let now = input.kafka.partitions()?;
            let before = as_count(input);
            if now != before {
                let what = format!("topic {name} has {now} partitions, and had {before}");
                return Err(EngineError::passing(what));
            }
            for (number, partition) in &input.partitions {
                let (_, end) = input.kafka.bounds(*number)?;
                if end < partition.next {
                    // Its beginning finds out what that means.
                    let what = format!("topic {name}, partition {number} ends before what was read of it");
                    return Err(EngineError::passing(what));
                }
                lag =
                    lag.saturating_add(u64::try_from(end.saturating_sub(partition.next)).unwrap_or_default());
            }
        }
        self.lag = lag;
        Ok(())
    }
}

fn as_count(input: &Input) -> u32 {
    u32::try_from(input.partitions.len()).unwrap_or(u32::MAX)
}

fn record(input: usize, message: Message) -> InputRecord {
    let headers = message.headers.into_iter().map(|(name, value)| Header { name, value }).collect();
    InputRecord {
        input,
        partition: message.partition,
        offset: message.offset,
        timestamp_ms: message.timestamp_ms,
        key: message.key,
        value: message.value,
        headers,
    }
}

impl Input {
    /// A record that waits, if there is one.
    fn waiting(&mut self) -> Result<Option<InputRecord>, EngineError> {
        let found = self.partitions.iter_mut().find(|(_, partition)| !partition.waiting.is_empty());
        let Some((number, partition)) = found else { return Ok(None) };
        let record = partition.waiting.pop_front();
        if partition.is_held && partition.waiting.is_empty() {
            partition.is_held = false;
            self.kafka.hold(*number, false)?;
        }
        Ok(record)
    }

    fn passed(&mut self, record: &InputRecord) {
        if let Some(partition) = self.partitions.get_mut(&record.partition) {
            partition.next = record.offset.saturating_add(1);
        }
    }
}

impl Source for KafkaSource {
    fn topics(&self) -> &[String] {
        &self.names
    }

    fn seek(&mut self, positions: &Positions) -> Result<(), EngineError> {
        for (name, input) in self.names.iter().zip(&mut self.inputs) {
            let count = input.kafka.partitions()?;
            if count == 0 && !input.may_be_missing {
                let what = format!("topic {name} does not exist yet, or has no partition");
                return Err(EngineError::passing(what).next("make it, or wait for whoever writes it"));
            }
            input.partitions.clear();
            let mut from = Vec::new();
            for number in 0..count {
                let (low, _) = input.kafka.bounds(number)?;
                let next = positions.get(name, number).unwrap_or(low).max(low);
                from.push((number, next));
                input.partitions.insert(number, Partition { next, ..Partition::default() });
            }
            input.kafka.assign(&from)?;
        }
        self.counted = Instant::now();
        Ok(())
    }

    fn partitions(&self, input: usize) -> u32 {
        self.inputs.get(input).map_or(0, as_count)
    }

    fn first(&mut self, input: usize, partition: u32) -> Result<i64, EngineError> {
        let Some(input) = self.inputs.get(input) else { return Ok(0) };
        Ok(input.kafka.bounds(partition)?.0)
    }

    fn end(&mut self, input: usize, partition: u32) -> Result<i64, EngineError> {
        let Some(input) = self.inputs.get(input) else { return Ok(0) };
        Ok(input.kafka.bounds(partition)?.1)
    }

    fn next(&mut self, wait: Duration) -> Result<Event, EngineError> {
        if self.counted.elapsed() >= COUNTED_EVERY {
            self.count()?;
        }
        let count = self.inputs.len().max(1);
        let part = wait / u32::try_from(count).unwrap_or(1);
        for is_patient in [false, true] {
            for _ in 0..count {
                let (number, had) = self.turn;
                self.turn = ((number + 1) % count, 0);
                let Some(input) = self.inputs.get_mut(number) else { continue };
                if let Some(record) = input.waiting()? {
                    input.passed(&record);
                    return Ok(Event::Record(record));
                }
                match input.kafka.next(if is_patient { part } else { Duration::ZERO })? {
                    Arrival::Message(message) => {
                        if had < TURN {
                            self.turn = (number, had + 1);
                        }
                        let record = record(number, message);
                        input.passed(&record);
                        return Ok(Event::Record(record));
                    }
                    Arrival::End(partition) => return Ok(Event::AtEnd { input: number, partition }),
                    Arrival::Nothing => {}
                }
            }
        }
        Ok(Event::Nothing)
    }

    fn next_before(
        &mut self,
        input: usize,
        partition: u32,
        to: i64,
    ) -> Result<Option<InputRecord>, EngineError> {
        let Some(source) = self.inputs.get_mut(input) else { return Ok(None) };
        let mut since = Instant::now();
        loop {
            let Some(wanted) = source.partitions.get_mut(&partition) else { return Ok(None) };
            if wanted.next >= to {
                return Ok(None);
            }
            match wanted.waiting.front().map(|record| record.offset < to) {
                Some(true) => {
                    let record = wanted.waiting.pop_front();
                    if wanted.is_held && wanted.waiting.is_empty() {
                        wanted.is_held = false;
                        source.kafka.hold(partition, false)?;
                    }
                    if let Some(record) = &record {
                        source.passed(record);
                    }
                    return Ok(record);
                }
                Some(false) => return Ok(None),
                None if wanted.is_at_end => return Ok(None),
                None => {}
            }
            match source.kafka.next(Duration::from_millis(100))? {
                Arrival::Message(message) => {
                    since = Instant::now();
                    let record = record(input, message);
                    let number = record.partition;
                    let Some(of) = source.partitions.get_mut(&number) else { continue };
                    of.waiting.push_back(record);
                    of.is_at_end = false;
                    if of.waiting.len() >= MOST_WAITING && !of.is_held && number != partition {
                        of.is_held = true;
                        source.kafka.hold(number, true)?;
                    }
                }
                Arrival::End(number) => {
                    if let Some(of) = source.partitions.get_mut(&number) {
                        of.is_at_end = true;
                    }
                }
                Arrival::Nothing if since.elapsed() > PATIENCE => {
                    return Err(EngineError::passing("the brokers send no records"));
                }
                Arrival::Nothing => {}
            }
        }
    }

    fn lag(&self) -> u64 {
        self.lag
    }
}
