//! What `unique` rules remember.

use std::collections::{HashMap, VecDeque};

/// The memory of `unique` rules. The embedded engine keeps it with its offsets; [`InMemory`] is the reference.
pub trait Seen {
    /// Whether the rule with this number met these values in this partition before, at a record whose Kafka timestamp is at most
    /// `within_ms` older. When it did not, it remembers them from this record on: a repeat does not make the memory
    /// last longer. At most `most` values are remembered; beyond that the oldest is forgotten.
    fn is_repeat(&mut self, question: &Question<'_>) -> bool;
}

/// What a `unique` rule asks.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The number of the rule.
    pub rule: usize,
    /// Kafka partition of the record: each has a memory of its own.
    pub partition: i32,
    /// The values, as one text that no other values have.
    pub values: &'q str,
    /// Kafka timestamp of the record.
    pub timestamp_ms: i64,
    /// How long values are remembered.
    pub within_ms: i64,
    /// How many values are remembered.
    pub most: usize,
}

/// Remembers in memory, each rule and partition by itself.
#[derive(Debug, Clone, Default)]
pub struct InMemory {
    rules: HashMap<(usize, i32), Memory>,
    forgotten: u64,
}

#[derive(Debug, Clone, Default)]
struct Memory {
    first: HashMap<String, i64>,
    /// Values in the order in which they came, with the time under which they were remembered.
    order: VecDeque<(String, i64)>,
}

impl InMemory {
    /// Values that were forgotten before their time because there were too many.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The answer to a question, without remembering anything.
    #[must_use]
    pub fn knows(&self, question: &Question<'_>) -> bool {
        let memory = self.rules.get(&(question.rule, question.partition));
        let first = memory.and_then(|memory| memory.first.get(question.values));
        first.is_some_and(|first| question.timestamp_ms.saturating_sub(*first) <= question.within_ms)
    }
}

impl Seen for InMemory {
    fn is_repeat(&mut self, question: &Question<'_>) -> bool {
        if self.knows(question) {
            return true;
        }
        let memory = self.rules.entry((question.rule, question.partition)).or_default();
        memory.first.insert(question.values.to_owned(), question.timestamp_ms);
        memory.order.push_back((question.values.to_owned(), question.timestamp_ms));
        while let Some((values, since)) = memory.order.front() {
            let is_newest = memory.first.get(values) == Some(since);
            let is_over = question.timestamp_ms.saturating_sub(*since) > question.within_ms;
            if is_newest && !is_over && memory.first.len() <= question.most {
                break;
            }
            if is_newest {
                self.forgotten += u64::from(!is_over);
                memory.first.remove(values);
            }
            memory.order.pop_front();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(seen: &mut InMemory, values: &str, timestamp_ms: i64) -> bool {
        seen.is_repeat(&Question { rule: 0, partition: 0, values, timestamp_ms, within_ms: 100, most: 3 })
    }

    #[test]
    fn the_first_counts_until_its_time_is_over() {
        let mut seen = InMemory::default();
        assert!(!ask(&mut seen, "a", 0));
        assert!(ask(&mut seen, "a", 60) && ask(&mut seen, "a", 100));
        // 101 ms after the first, though 1 ms after a repeat.
        assert!(!ask(&mut seen, "a", 101));
        assert!(ask(&mut seen, "a", 201));
        assert!(ask(&mut seen, "a", 0), "an earlier timestamp is a repeat, too");
    }

    #[test]
    fn memory_is_bounded() {
        let mut seen = InMemory::default();
        for (number, values) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert!(!ask(&mut seen, values, i64::try_from(number).unwrap()));
        }
        assert_eq!(seen.forgotten(), 1);
        assert!(!ask(&mut seen, "a", 5), "forgotten");
        assert!(ask(&mut seen, "d", 5));
        for number in 0..10_000 {
            ask(&mut seen, &number.to_string(), 1000 + number * 200);
        }
        assert!(seen.rules[&(0, 0)].order.len() <= 2, "what is over is forgotten");
    }
}
