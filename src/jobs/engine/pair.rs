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
    /// Whose records wait.
    held: [bool; 2],
    /// What was told beside records.
    ends: VecDeque<Event>,
}

impl Pair {
    /// Both.
    #[must_use]
    pub fn new(first: Box<dyn Source>, second: Box<dyn Source>) -> Self {
        let of_first = first.topics().len();
        let topics = first.topics().iter().chain(second.topics()).cloned().collect();
        Self {
            sources: [first, second],
            topics,
            of_first,
            heads: [None, None],
            held: [false, false],
            ends: VecDeque::new(),
        }
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

    /// Whether one of them has a record that need not wait.
    fn has_head(&self) -> bool {
        self.heads.iter().zip(self.held).any(|(head, is_held)| head.is_some() && !is_held)
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
        let wait = if self.has_head() { Duration::ZERO } else { wait / 2 };
        self.look(0, wait)?;
        let wait = if self.has_head() { Duration::ZERO } else { wait };
        self.look(1, wait)?;
        if let Some(end) = self.ends.pop_front() {
            return Ok(end);
        }
        let [first, second] = &mut self.heads;
        let takes_second = match (&first, &second, self.held) {
            (.., [true, true]) => return Ok(Event::Nothing),
            (.., [true, false]) => true,
            (.., [false, true]) => false,
            (Some(one), Some(two), _) => two.timestamp_ms < one.timestamp_ms,
            (one, ..) => one.is_none(),
        };
        let head = if takes_second { second.take() } else { first.take() };
        Ok(head.map_or(Event::Nothing, Event::Record))
    }

    fn hold(&mut self, is_held: &dyn Fn(usize) -> bool) {
        self.held = [is_held(0), is_held(self.of_first)];
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of one partition with these timestamps.
    struct Few(Vec<String>, VecDeque<i64>);

    impl Source for Few {
        fn topics(&self) -> &[String] {
            &self.0
        }

        fn seek(&mut self, _: &Positions) -> Result<(), EngineError> {
            Ok(())
        }

        fn partitions(&self, _: usize) -> u32 {
            1
        }

        fn first(&mut self, _: usize, _: u32) -> Result<i64, EngineError> {
            Ok(0)
        }

        fn end(&mut self, _: usize, _: u32) -> Result<i64, EngineError> {
            Ok(0)
        }

        fn next(&mut self, _: Duration) -> Result<Event, EngineError> {
            let record = self.1.pop_front().map(|timestamp_ms| InputRecord {
                input: 0,
                partition: 0,
                offset: timestamp_ms,
                timestamp_ms,
                key: None,
                value: None,
                headers: Vec::new(),
            });
            Ok(record.map_or(Event::Nothing, Event::Record))
        }

        fn next_before(&mut self, _: usize, _: u32, _: i64) -> Result<Option<InputRecord>, EngineError> {
            Ok(None)
        }

        fn lag(&self) -> u64 {
            0
        }
    }

    fn pair(first: &[i64], second: &[i64]) -> Pair {
        let few = |times: &[i64]| Box::new(Few(vec!["t".to_owned()], times.iter().copied().collect()));
        Pair::new(few(first), few(second))
    }

    /// The inputs and timestamps of what comes next, until nothing does.
    fn rest(pair: &mut Pair) -> Vec<(usize, i64)> {
        std::iter::from_fn(|| match pair.next(Duration::ZERO).unwrap() {
            Event::Record(record) => Some((record.input, record.timestamp_ms)),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn a_side_that_is_held_waits_and_the_other_one_goes_on() {
        let mut pair = pair(&[1, 2, 5], &[3, 4, 9]);
        pair.hold(&|input| input == 0);
        assert_eq!(rest(&mut pair), [(1, 3), (1, 4), (1, 9)]);
        pair.hold(&|_| true);
        assert_eq!(rest(&mut pair), []);
        pair.hold(&|_| false);
        assert_eq!(rest(&mut pair), [(0, 1), (0, 2), (0, 5)]);
    }

    #[test]
    fn the_older_record_comes_first() {
        assert_eq!(rest(&mut pair(&[1, 5], &[3, 4, 9])), [(0, 1), (1, 3), (1, 4), (0, 5), (1, 9)]);
    }
}
