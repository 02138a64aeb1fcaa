//! What was seen before: for event ids and for `unique` rules.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

/// Remembers ids for a while after their first record. A repeat does not make the memory last longer; beyond the most
/// ids the oldest is forgotten and counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstSeen {
    first: HashMap<u128, i64>,
    /// Ids in the order in which they came, with the time under which they were remembered.
    order: VecDeque<(u128, i64)>,
    forgotten: u64,
}

/// How long and how much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds of Kafka time.
    pub within_ms: i64,
    /// Ids.
    pub most: usize,
}

/// 128 bits of the SHA-256 of a text.
#[must_use]
pub fn id_of(text: &[u8]) -> u128 {
    let digest = Sha256::digest(text);
    digest.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte))
}

impl FirstSeen {
    /// Whether the id was met at a record whose Kafka timestamp is at most `within_ms` older; else it is remembered.
    pub fn is_repeat(&mut self, id: u128, timestamp_ms: i64, limits: Limits) -> bool {
        let first = self.first.get(&id);
        if first.is_some_and(|first| timestamp_ms.saturating_sub(*first) <= limits.within_ms) {
            return true;
        }
        self.first.insert(id, timestamp_ms);
        self.order.push_back((id, timestamp_ms));
        while let Some((oldest, since)) = self.order.front() {
            let is_newest = self.first.get(oldest) == Some(since);
            let is_over = timestamp_ms.saturating_sub(*since) > limits.within_ms;
            if is_newest && !is_over && self.first.len() <= limits.most {
                break;
            }
            if is_newest {
                self.forgotten += u64::from(!is_over);
                self.first.remove(oldest);
            }
            self.order.pop_front();
        }
        false
    }

    /// Ids that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Ids that were forgotten before their time because there were too many.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Appends everything: two numbers, then 24 bytes for each id.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.forgotten.to_be_bytes());
        out.extend_from_slice(&(self.order.len() as u64).to_be_bytes());
        for (id, since) in &self.order {
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&since.to_be_bytes());
        }
    }

    /// Takes off what [`Self::save`] wrote; None when it is something else.
    pub fn load(bytes: &mut &[u8]) -> Option<Self> {
        let mut memory = Self { forgotten: u64::from_be_bytes(take(bytes)?), ..Self::default() };
        for _ in 0..u64::from_be_bytes(take(bytes)?) {
            let (id, since) = (u128::from_be_bytes(take(bytes)?), i64::from_be_bytes(take(bytes)?));
            // Of two entries of an id the later one counts.
            memory.first.insert(id, since);
            memory.order.push_back((id, since));
        }
        Some(memory)
    }
}

/// The first bytes of a text that is worked off.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::seen::{InMemory, Question, Seen};

    proptest! {
        /// The same answers as the reference of `unique` rules, also when it was written down in between.
        #[test]
        fn answers_as_the_reference(
            asked in prop::collection::vec((0_u128..12, 0_i64..400), 0..200),
            within_ms in 0_i64..200,
            most in 1_usize..9,
        ) {
            let (mut ours, mut reference) = (FirstSeen::default(), InMemory::default());
            for (number, (id, timestamp_ms)) in asked.into_iter().enumerate() {
                let values = id.to_string();
                let question = Question { rule: 0, partition: 0, values: &values, timestamp_ms, within_ms, most };
                let expected = reference.is_repeat(&question);
                prop_assert_eq!(ours.is_repeat(id, timestamp_ms, Limits { within_ms, most }), expected);
                if number % 7 == 0 {
                    let mut saved = Vec::new();
                    ours.save(&mut saved);
                    let mut rest = saved.as_slice();
                    ours = FirstSeen::load(&mut rest).unwrap();
                    prop_assert!(rest.is_empty());
                }
            }
            prop_assert_eq!(ours.forgotten(), reference.forgotten());
        }
    }

    #[test]
    fn what_is_cut_is_refused() {
        let mut memory = FirstSeen::default();
        memory.is_repeat(id_of(b"a"), 1, Limits { within_ms: 1, most: 1 });
        let mut saved = Vec::new();
        memory.save(&mut saved);
        for length in 0..saved.len() {
            assert_eq!(FirstSeen::load(&mut saved.get(..length).unwrap()), None, "{length}");
        }
    }
}
