//! Offsets: where partitions begin and end, and where they stood at a time.

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::Offset;
use serde::Serialize;

use super::topics::Topic;
use super::{Brokers, KafkaError, LIMIT};

/// What a partition holds: offsets from `start` on, before `end`. Not each of them is a record: transactions and
/// compaction leave gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The partition.
    pub partition: i32,
    /// The first offset that is still there.
    pub start: i64,
    /// The offset that the next record gets.
    pub end: i64,
}

impl Range {
    /// How many offsets there are, at least the number of records.
    #[must_use]
    pub fn offsets(&self) -> i64 {
        self.end.saturating_sub(self.start).max(0)
    }
}

impl Brokers {
    /// What the partitions of a topic hold.
    ///
    /// # Errors
    /// The brokers do not answer, or refuse.
    pub fn ranges(&self, topic: &Topic) -> Result<Vec<Range>, KafkaError> {
        let ask = |partition: i32| {
            let (start, end) =
                self.reader.fetch_watermarks(&topic.name, partition, LIMIT).map_err(|error| {
                    KafkaError::refused(format!("offsets of {} partition {partition}", topic.name), error)
                })?;
            Ok(Range { partition, start, end })
        };
        topic.partitions.iter().map(|partition| ask(partition.partition)).collect()
    }

    /// For each partition the offset of the first record whose timestamp is at least `time_ms`, milliseconds since the
    /// epoch; its end when there is none.
    ///
    /// # Errors
    /// The brokers do not answer, or refuse.
    pub fn at_time(
        &self,
        topic: &str,
        ranges: &[Range],
        time_ms: i64,
    ) -> Result<Vec<(i32, i64)>, KafkaError> {
        let refused = |error| KafkaError::refused(format!("offsets of {topic} at a time"), error);
        let mut asked = TopicPartitionList::new();
        for range in ranges {
            let time = Offset::Offset(time_ms.max(0));
            asked.add_partition_offset(topic, range.partition, time).map_err(refused)?;
        }
        let found = self.reader.offsets_for_times(asked, LIMIT).map_err(refused)?;
        let place = |range: &Range| match found
            .find_partition(topic, range.partition)
            .map(|element| element.offset())
        {
            Some(Offset::Offset(offset)) => (range.partition, offset),
            _ => (range.partition, range.end),
        };
        Ok(ranges.iter().map(place).collect())
    }
}

/// A place in each partition of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first record that is still there.
    Beginning,
    /// Behind the last record.
    End,
    /// This offset.
    Offset(i64),
    /// So many offsets before the end.
    Last(i64),
    /// The first record whose timestamp is at least this, milliseconds since the epoch.
    Time(i64),
}

impl Brokers {
    /// The offset of a place in each of the partitions.
    ///
    /// # Errors
    /// A partition does not reach to that offset, or no longer has it; else as [`Self::at_time`].
    pub fn offsets(
        &self,
        topic: &str,
        ranges: &[Range],
        place: Place,
    ) -> Result<Vec<(i32, i64)>, KafkaError> {
        let offset = |range: &Range| match place {
            Place::Beginning => Ok(range.start),
            Place::End | Place::Time(_) => Ok(range.end),
            Place::Last(count) => Ok(range.end.saturating_sub(count).max(range.start)),
            Place::Offset(offset) if (range.start..=range.end).contains(&offset) => Ok(offset),
            Place::Offset(offset) => Err(KafkaError::Unfit(format!(
                "{topic} partition {} holds the offsets from {} to {}, and not {offset}",
                range.partition, range.start, range.end
            ))),
        };
        match place {
            Place::Time(time_ms) => self.at_time(topic, ranges, time_ms),
            _ => ranges.iter().map(|range| Ok((range.partition, offset(range)?))).collect(),
        }
    }
}
