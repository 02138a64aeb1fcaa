//! How far inputs are read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// For each topic and partition the offset of the next record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Positions(BTreeMap<String, BTreeMap<u32, i64>>);

impl Positions {
    /// The offset of the next record; None of a partition that was never read.
    #[must_use]
    pub fn get(&self, topic: &str, partition: u32) -> Option<i64> {
        self.0.get(topic)?.get(&partition).copied()
    }

    /// Sets it.
    pub fn set(&mut self, topic: &str, partition: u32, next: i64) {
        match self.0.get_mut(topic) {
            Some(partitions) => _ = partitions.insert(partition, next),
            None => _ = self.0.insert(topic.to_owned(), BTreeMap::from([(partition, next)])),
        }
    }

    /// Whether it tells of no partition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Topic, partition, and the offset of the next record.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32, i64)> {
        self.0.iter().flat_map(|(topic, partitions)| {
            partitions.iter().map(move |(partition, next)| (topic.as_str(), *partition, *next))
        })
    }
}
