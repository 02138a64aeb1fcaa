//! Records of a file log, as of its last commit, and of those that follow.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::agent::exit::Exit;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::position::Positions;
use crate::jobs::engine::record::{Header, InputRecord};
use crate::jobs::engine::source::{Event, Source};
use crate::sink::file_log::{FileLogReader, Lines};

/// How often it is looked whether more is committed.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Reads topics of a file log. Of several partitions the record with the smallest timestamp comes first.
#[derive(Debug)]
pub struct FileSource {
    dir: PathBuf,
    topics: Vec<String>,
    reader: FileLogReader,
    partitions: Vec<Partition>,
    looked: Instant,
}

#[derive(Debug)]
struct Partition {
    input: usize,
    number: u32,
    /// Offset of the next line that is read.
    next: i64,
    /// Offset after the last line of the commit that is read.
    end: i64,
    lines: Option<Lines>,
    head: Option<InputRecord>,
    /// Whether its end was told since the last record.
    is_end_told: bool,
}

/// A line, as docs/file-log.md describes it.
#[derive(Deserialize)]
struct Line<'l> {
    offset: i64,
    ts_ms: i64,
    #[serde(borrow)]
    key: Option<&'l RawValue>,
    #[serde(borrow)]
    value: Option<&'l RawValue>,
    key_base64: Option<String>,
    value_base64: Option<String>,
    #[serde(default)]
    headers: Map<String, Value>,
}

impl FileSource {
    /// Opens the file log. `needed` says of a topic whether it must be there.
    ///
    /// # Errors
    /// There is none, or it lacks a topic that is needed.
    pub fn open(dir: &Path, topics: Vec<String>, needed: impl Fn(&str) -> bool) -> Result<Self, EngineError> {
        let reader = open(dir)?;
        let missing = |topic: &&String| needed(topic) && !reader.has_topic(topic);
        if let Some(missing) = topics.iter().find(missing) {
            let there: Vec<&str> = reader.topics().collect();
            let what = format!("the file log {} has no topic {missing}", dir.display());
            return Err(
                EngineError::new(Exit::Unreadable, what).next(format!("it has: {}", there.join(", ")))
            );
        }
        let looked = Instant::now();
        Ok(Self { dir: dir.to_owned(), topics, reader, partitions: Vec::new(), looked })
    }

    /// Looks whether more is committed.
    pub(super) fn look(&mut self) -> Result<(), EngineError> {
        self.reader = open(&self.dir)?;
        self.looked = Instant::now();
        for partition in &mut self.partitions {
            let topic = self.topics.get(partition.input).map_or("", String::as_str);
            partition.find_end(&self.reader, topic);
            if offset(self.reader.next_offset(topic, partition.number)) < partition.next {
                // Its beginning finds out what that means.
                let number = partition.number;
                let what = format!("topic {topic}, partition {number} ends before what was read of it");
                return Err(EngineError::passing(what));
            }
        }
        Ok(())
    }
}

fn offset(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn open(dir: &Path) -> Result<FileLogReader, EngineError> {
    FileLogReader::open(dir).map_err(|error| EngineError::new(Exit::Unreadable, error.to_string()))
}

impl Partition {
    fn find_end(&mut self, reader: &FileLogReader, topic: &str) {
        let end = offset(reader.next_offset(topic, self.number));
        if end > self.end {
            self.end = end;
            if let Some(lines) = &mut self.lines {
                *lines = reader.lines_at(topic, self.number, lines.place());
            }
        }
    }

    /// The next record, when there is one.
    fn head(&mut self, reader: &FileLogReader, topic: &str) -> Result<Option<&InputRecord>, EngineError> {
        while self.head.is_none() && self.next < self.end {
            let from = u64::try_from(self.next).unwrap_or_default();
            let lines = self.lines.get_or_insert_with(|| reader.lines_from(topic, self.number, from));
            let Some(line) = lines.next() else { break };
            let line = line.map_err(|error| EngineError::new(Exit::Damaged, error.to_string()))?;
            let record = parse(&line, self.input, self.number).map_err(|why| {
                let what = format!("topic {topic}, partition {}: offset {}: {why}", self.number, self.next);
                EngineError::new(Exit::Damaged, what)
                    .next("restore the file log; docs/file-log.md describes it")
            })?;
            if record.offset >= self.next {
                self.next = record.offset.saturating_add(1);
                self.head = Some(record);
            }
        }
        Ok(self.head.as_ref())
    }
}

fn parse(text: &str, input: usize, partition: u32) -> Result<InputRecord, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let bytes = |raw: Option<&RawValue>, base64: Option<String>| match base64 {
        Some(text) => STANDARD.decode(text).map(Some).map_err(|error| error.to_string()),
        None => Ok(raw.map(|raw| raw.get().as_bytes().to_vec())),
    };
    let headers =
        line.headers.into_iter().map(|(name, value)| header(name, value)).collect::<Result<_, _>>()?;
    Ok(InputRecord {
        input,
        partition,
        offset: line.offset,
        timestamp_ms: line.ts_ms,
        key: bytes(line.key, line.key_base64)?,
        value: bytes(line.value, line.value_base64)?,
        headers,
    })
}

fn header(name: String, value: Value) -> Result<Header, String> {
    let value = match value {
        Value::Null => None,
        Value::String(text) => Some(text.into_bytes()),
        other => {
            let text = other.get("base64").and_then(Value::as_str);
            let text = text.ok_or_else(|| format!("the header {name} is no text"))?;
            Some(STANDARD.decode(text).map_err(|error| error.to_string())?)
        }
    };
    Ok(Header { name, value })
}

impl Source for FileSource {
    fn topics(&self) -> &[String] {
        &self.topics
    }

    fn seek(&mut self, positions: &Positions) -> Result<(), EngineError> {
        self.reader = open(&self.dir)?;
        self.partitions.clear();
        for (input, topic) in self.topics.iter().enumerate() {
            for number in 0..self.reader.partitions() {
                let next = positions.get(topic, number).unwrap_or_default();
                let (lines, head, is_end_told) = (None, None, false);
                let mut partition = Partition { input, number, next, end: 0, lines, head, is_end_told };
                partition.find_end(&self.reader, topic);
                self.partitions.push(partition);
            }
        }
        Ok(())
    }

    fn partitions(&self, _: usize) -> u32 {
        self.reader.partitions()
    }

    fn first(&mut self, _: usize, _: u32) -> Result<i64, EngineError> {
        // Nothing is ever removed from a file log.
        Ok(0)
    }

    fn end(&mut self, input: usize, partition: u32) -> Result<i64, EngineError> {
        let found = self.partitions.iter().find(|known| (known.input, known.number) == (input, partition));
        Ok(found.map_or(0, |known| known.end))
    }

    fn next(&mut self, wait: Duration) -> Result<Event, EngineError> {
        if self.looked.elapsed() >= LOOK_AGAIN {
            self.look()?;
        }
        let mut oldest: Option<(i64, usize)> = None;
        for (place, partition) in self.partitions.iter_mut().enumerate() {
            let topic = self.topics.get(partition.input).map_or("", String::as_str);
            if let Some(head) = partition.head(&self.reader, topic)?
                && oldest.is_none_or(|(time, _)| head.timestamp_ms < time)
            {
                oldest = Some((head.timestamp_ms, place));
            }
        }
        if let Some(partition) = oldest.and_then(|(_, place)| self.partitions.get_mut(place)) {
            partition.is_end_told = false;
            if let Some(record) = partition.head.take() {
                return Ok(Event::Record(record));
            }
        }
        if let Some(partition) = self.partitions.iter_mut().find(|partition| !partition.is_end_told) {
            partition.is_end_told = true;
            return Ok(Event::AtEnd { input: partition.input, partition: partition.number });
        }
        std::thread::sleep(wait.min(LOOK_AGAIN));
        Ok(Event::Nothing)
    }

    fn next_before(
        &mut self,
        input: usize,
        partition: u32,
        to: i64,
    ) -> Result<Option<InputRecord>, EngineError> {
        let topic = self.topics.get(input).map_or("", String::as_str);
        let found =
            self.partitions.iter_mut().find(|known| (known.input, known.number) == (input, partition));
        let Some(found) = found else { return Ok(None) };
        let is_before = found.head(&self.reader, topic)?.is_some_and(|head| head.offset < to);
        Ok(if is_before { found.head.take() } else { None })
    }

    fn lag(&self) -> u64 {
        let unread = |partition: &Partition| {
            let read = u64::from(partition.head.is_some());
            u64::try_from(partition.end.saturating_sub(partition.next)).unwrap_or_default() + read
        };
        self.partitions.iter().map(unread).sum()
    }
}
