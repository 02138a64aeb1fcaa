//! Records of one change that several replicas publish: the first counts.

use std::collections::BTreeMap;

use super::first_seen::{FirstSeen, Limits, id_of};

/// How long an event's id is remembered, in milliseconds of Kafka time.
const WITHIN_MS: i64 = 24 * 3600 * 1000;

/// The event ids of each partition: all records of one Cassandra partition, from whichever node, are in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeats {
    partitions: BTreeMap<(usize, u32), FirstSeen>,
    limits: Limits,
}

impl Repeats {
    /// Remembers 24 hours, and of each partition at most so many ids.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { partitions: BTreeMap::new(), limits: Limits { within_ms: WITHIN_MS, most } }
    }

    /// Whether a record repeats one that was there before. Without an id it repeats nothing.
    pub fn is_repeat(&mut self, place: (usize, u32), event_id: Option<&str>, timestamp_ms: i64) -> bool {
        let Some(event_id) = event_id else { return false };
        // An id is 128 bits in lower-case hexadecimal digits; anything else is hashed.
        let is_id =
            event_id.len() == 32 && event_id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let id = match u128::from_str_radix(event_id, 16) {
            Ok(id) if is_id => id,
            _ => id_of(event_id.as_bytes()),
        };
        self.partitions.entry(place).or_default().is_repeat(id, timestamp_ms, self.limits)
    }

    /// Ids that are remembered, of all partitions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.partitions.values().map(FirstSeen::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ids that were forgotten before their time because there were too many.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.partitions.values().map(FirstSeen::forgotten).sum()
    }

    /// Appends everything.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.partitions.len() as u64).to_be_bytes());
        for ((input, partition), memory) in &self.partitions {
            out.extend_from_slice(&(*input as u64).to_be_bytes());
            out.extend_from_slice(&partition.to_be_bytes());
            memory.save(out);
        }
    }

    /// Takes off what [`Self::save`] wrote; None when it is something else. Ids that are more than `most`, because they
    /// were saved under a higher limit, are forgotten with the next one of their partition.
    pub fn load(bytes: &mut &[u8], most: usize) -> Option<Self> {
        let mut all = Self::new(most);
        for _ in 0..number(bytes)? {
            let input = usize::try_from(number(bytes)?).ok()?;
            let (partition, rest) = bytes.split_first_chunk::<4>()?;
            *bytes = rest;
            all.partitions.insert((input, u32::from_be_bytes(*partition)), FirstSeen::load(bytes)?);
        }
        Some(all)
    }
}

/// The number at the head of a text that is worked off.
pub(super) fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(u64::from_be_bytes(*head))
}
