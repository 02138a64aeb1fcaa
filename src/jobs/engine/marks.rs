//! What the last records of an input were. By them a topic or file log that was made anew is told from the one that was
//! read: its offsets begin at 0 again, and what stands below the old position would never be read.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::error::EngineError;
use super::position::Positions;
use super::record::InputRecord;
use super::source::Source;
use crate::agent::exit::Exit;

/// Records of a partition that are remembered. Of a compacted topic, or beside the markers of transactions, the offset
/// of a single one can hold no record.
const REMEMBERED: usize = 4;

/// A record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    offset: i64,
    ts_ms: i64,
    /// CRC-32 of key and value.
    crc: u32,
}

impl Mark {
    fn of(record: &InputRecord) -> Self {
        let mut sum = crc32fast::Hasher::new();
        for part in [&record.key, &record.value] {
            // What is null is not what is empty.
            sum.update(&[u8::from(part.is_some())]);
            sum.update(part.as_deref().unwrap_or_default());
        }
        Self { offset: record.offset, ts_ms: record.timestamp_ms, crc: sum.finalize() }
    }
}

/// The last records of each partition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks(BTreeMap<String, BTreeMap<u32, VecDeque<Mark>>>);

impl Marks {
    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Remembers a record that was read.
    pub fn see(&mut self, topic: &str, record: &InputRecord) {
        let partitions = match self.0.get_mut(topic) {
            Some(partitions) => partitions,
            None => self.0.entry(topic.to_owned()).or_default(),
        };
        let marks = partitions.entry(record.partition).or_default();
        marks.push_back(Mark::of(record));
        if marks.len() > REMEMBERED {
            marks.pop_front();
        }
    }

    /// Refuses inputs that are not those whose records are remembered. The source must be sought anew afterwards.
    ///
    /// # Errors
    /// An input ends before what was read of it, or holds other records; or it cannot be read.
    pub(super) fn check(&self, source: &mut dyn Source, positions: &Positions) -> Result<(), EngineError> {
        let topics = source.topics().to_vec();
        let mut from = Positions::default();
        for (input, topic) in topics.iter().enumerate() {
            for (partition, marks) in self.0.get(topic).into_iter().flatten() {
                if *partition >= source.partitions(input) {
                    let what = format!("topic {topic} has no partition {partition}, which was read before");
                    return Err(EngineError::passing(what));
                }
                let (end, next) = (source.end(input, *partition)?, positions.get(topic, *partition));
                if let Some(next) = next.filter(|next| *next > end) {
                    let what = format!("it ends at offset {end}, and was read up to {next}");
                    return Err(another(topic, *partition, &what));
                }
                if let Some(oldest) = marks.front() {
                    from.set(topic, *partition, oldest.offset);
                }
            }
        }
        source.seek(&from)?;
        for (input, topic) in topics.iter().enumerate() {
            for (partition, marks) in self.0.get(topic).into_iter().flatten() {
                compare(source, (input, topic, *partition), marks)?;
            }
        }
        Ok(())
    }
}

/// What is remembered with what is there. A record that is not there any more says nothing.
fn compare(
    source: &mut dyn Source,
    (input, topic, partition): (usize, &str, u32),
    marks: &VecDeque<Mark>,
) -> Result<(), EngineError> {
    let Some(last) = marks.back() else { return Ok(()) };
    while let Some(record) = source.next_before(input, partition, last.offset.saturating_add(1))? {
        let mark = marks.iter().find(|mark| mark.offset == record.offset);
        if mark.is_some_and(|mark| *mark != Mark::of(&record)) {
            let what = format!("at offset {} stands another record than was read there", record.offset);
            return Err(another(topic, partition, &what));
        }
    }
    Ok(())
}

fn another(topic: &str, partition: u32, what: &str) -> EngineError {
    let text = format!("topic {topic}, partition {partition} is not the one that this job read: {what}");
    EngineError::new(Exit::Unreadable, text).next(
        "it was made anew, or lost records that were read. Restore it; or read what it holds now from its first record, \
         without what the job knew: an empty --state directory and --begin-anew (docs/engine.md 3)",
    )
}
