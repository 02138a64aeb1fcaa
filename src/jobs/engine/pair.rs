//! Two sources as one: the inputs of the first, then those of the second.

use std::collections::VecDeque;
use std::time::Duration;

use super::error::EngineError;
use super::position::Positions;
use super::record::InputRecord;
use super::source::{Event, Source};

/// Reads two sources. Of their next records the one with the smaller timestamp comes first, as far as both have one.
pub struct Pair {
    sources: [Box<dyn Source>; 2],
    topics: Vec<String>,
    /// How many inputs the first one has.
    of_first: usize,
    heads: [Option<InputRecord>; 2],
    /// What was told beside records.
    ends: VecDeque<Event>,
}

impl Pair {
    /// Both.
    #[must_use]
    pub fn new(first: Box<dyn Source>, second: Box<dyn Source>) -> Self {
        let of_first = first.topics().len();
        let topics = first.topics().iter().chain(second.topics()).cloned().collect();
        Self { sources: [first, second], topics, of_first, heads: [None, None], ends: VecDeque::new() }
    }

    /// The source of an input, and its number there.
    fn place(&self, input: usize) -> (usize, usize) {
        match input.checked_sub(self.of_first) {
            None => (0, input),
            Some(input) => (1, input),
        }
    }

    fn source(&mut self, number: usize) -> &mut dyn Source {
        let [first, second] = &mut self.sources;
        if number == 0 { first.as_mut() } else { second.as_mut() }
    }

    /// Sees to it that a source's next record is at hand, if it has one.
    fn look(&mut self, number: usize, wait: Duration) -> Result<(), EngineError> {
        if self.heads.get(number).is_some_and(Option::is_some) {
            return Ok(());
        }
        let shift = if number == 0 { 0 } else { self.of_first };
        match self.source(number).next(wait)? {
            Event::Record(mut record) => {
                record.input += shift;
                if let Some(head) = self.heads.get_mut(number) {
                    *head = Some(record);
                }
            }
            Event::AtEnd { input, partition } => {
                self.ends.push_back(Event::AtEnd { input: input + shift, partition });
            }
            Event::Nothing => {}
        }
        Ok(())
    }
}

impl Source for Pair {
    fn topics(&self) -> &[String] {
        &self.topics
    }

    fn seek(&mut self, positions: &Positions) -> Result<(), EngineError> {
        self.heads = [None, None];
        self.ends.clear();
        self.sources.iter_mut().try_for_each(|source| source.seek(positions))
    }

    fn partitions(&self, input: usize) -> u32 {
        let (number, input) = self.place(input);
        self.sources.get(number).map_or(0, |source| source.partitions(input))
    }

    fn first(&mut self, input: usize, partition: u32) -> Result<i64, EngineError> {
        let (number, input) = self.place(input);
        self.source(number).first(input, partition)
    }

    fn end(&mut self, input: usize, partition: u32) -> Result<i64, EngineError> {
        let (number, input) = self.place(input);
        self.source(number).end(input, partition)
    }

    fn next(&mut self, wait: Duration) -> Result<Event, EngineError> {
        // One that has records does not wait for one that has none.
        let has_head = self.heads.iter().any(Option::is_some);
        let wait = if has_head { Duration::ZERO } else { wait / 2 };
        self.look(0, wait)?;
        let wait = if self.heads.iter().any(Option::is_some) { Duration::ZERO } else { wait };
        self.look(1, wait)?;
        if let Some(end) = self.ends.pop_front() {
            return Ok(end);
        }
        let [first, second] = &mut self.heads;
        let takes_second = match (&first, &second) {
            (Some(one), Some(two)) => two.timestamp_ms < one.timestamp_ms,
            (one, _) => one.is_none(),
        };
        let head = if takes_second { second.take() } else { first.take() };
        Ok(head.map_or(Event::Nothing, Event::Record))
    }

    fn next_before(
        &mut self,
        input: usize,
        partition: u32,
        to: i64,
    ) -> Result<Option<InputRecord>, EngineError> {
        let (number, inner) = self.place(input);
        let record = self.source(number).next_before(inner, partition, to)?;
        Ok(record.map(|record| InputRecord { input, ..record }))
    }

    fn lag(&self) -> u64 {
        let held = self.heads.iter().filter(|head| head.is_some()).count();
        let behind: u64 = self.sources.iter().map(|source| source.lag()).sum();
        behind + u64::try_from(held).unwrap_or_default()
    }

    fn committed(&mut self, positions: &Positions) {
        self.sources.iter_mut().for_each(|source| source.committed(positions));
    }
}
