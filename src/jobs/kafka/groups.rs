//! Consumer groups: who reads, how far, and setting that back.

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::groups::GroupInfo;
use rdkafka::topic_partition_list::Offset;
use serde::Serialize;

use super::context::Heard;
use super::topics::Topic;
use super::{Brokers, KafkaError, LIMIT};
use crate::primitives;

/// A consumer group as its coordinator describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name (`group.id`).
    pub name: String,
    /// `Empty`, `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Dead`, as Kafka names them.
    pub state: String,
    /// `consumer`; empty of one whose offsets were committed without joining it, as Flink does.
    pub protocol_type: String,
    /// Who reads.
    pub members: Vec<Member>,
}

/// A consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its `client.id`.
    pub client_id: String,
    /// From where it is connected.
    pub host: String,
    /// What it reads: topics and their partitions.
    pub assigned: Vec<(String, Vec<i32>)>,
}

/// How far a group has read a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Committed {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the next record that it reads; None when it has committed none.
    pub committed: Option<i64>,
    /// The first offset that is still there.
    pub start: i64,
    /// The offset that the next record gets.
    pub end: i64,
}

impl Committed {
    /// Offsets that are left; None when nothing is committed.
    #[must_use]
    pub fn lag(&self) -> Option<i64> {
        self.committed.map(|offset| self.end.saturating_sub(offset).max(0))
    }
}

impl Group {
    /// Whether somebody reads with it, as far as its coordinator knows: who assigns partitions to itself, as Flink does, is
    /// no member.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !matches!(self.state.as_str(), "Empty" | "Dead") || !self.members.is_empty()
    }
}

fn group(found: &GroupInfo) -> Group {
    let members = found.members().iter().map(|member| Member {
        client_id: member.client_id().to_owned(),
        host: member.client_host().trim_start_matches('/').to_owned(),
        assigned: member.assignment().and_then(assigned).unwrap_or_default(),
    });
    Group {
        name: found.name().to_owned(),
        state: found.state().to_owned(),
        protocol_type: found.protocol_type().to_owned(),
        members: members.collect(),
    }
}

/// Reads ConsumerProtocolAssignment (Kafka's `clients/src/main/resources/common/message`): a version, then topics with
/// partitions, big-endian, texts and arrays with their lengths before them.
fn assigned(bytes: &[u8]) -> Option<Vec<(String, Vec<i32>)>> {
    let (rest, _version) = primitives::u16(bytes).ok()?;
    let (mut rest, count) = primitives::i32(rest).ok()?;
    let mut topics = Vec::new();
    for _ in 0..count {
        let (after, length) = primitives::u16(rest).ok()?;
        let (name, after) = after.split_at_checked(length.into())?;
        let (mut after, partitions) = primitives::i32(after).ok()?;
        let mut numbers = Vec::new();
        for _ in 0..partitions {
            let (next, number) = primitives::i32(after).ok()?;
            numbers.push(number);
            after = next;
        }
        topics.push((String::from_utf8(name.to_vec()).ok()?, numbers));
        rest = after;
    }
    Some(topics)
}

impl Brokers {
    /// All groups that this user may describe, by name.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn groups(&self) -> Result<Vec<Group>, KafkaError> {
        let refused = |error| KafkaError::refused("cannot list consumer groups", error);
        let found = self.reader.fetch_group_list(None, LIMIT).map_err(refused)?;
        let mut groups: Vec<Group> = found.groups().iter().map(group).collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    /// A group. One that nobody ever used is `Dead`, and has no members.
    ///
    /// # Errors
    /// The brokers do not answer, or refuse.
    pub fn group(&self, name: &str) -> Result<Group, KafkaError> {
        let refused = |error| KafkaError::refused(format!("cannot describe the group {name}"), error);
        let found = self.reader.fetch_group_list(Some(name), LIMIT).map_err(refused)?;
        Ok(found.groups().iter().find(|group| group.name() == name).map_or_else(
            || Group {
                name: name.to_owned(),
                state: "Dead".to_owned(),
                protocol_type: String::new(),
                members: Vec::new(),
            },
            group,
        ))
    }

    /// How far a group has read these topics, partition by partition.
    ///
    /// # Errors
    /// The brokers do not answer, or refuse.
    pub fn committed(&self, group: &str, topics: &[Topic]) -> Result<Vec<Committed>, KafkaError> {
        let offsets = self.committed_offsets(&self.member(group)?, group, topics)?;
        let mut found = Vec::new();
        for topic in topics {
            for range in self.ranges(topic)? {
                let offset = offsets.find_partition(&topic.name, range.partition);
                let committed = match offset.map(|element| element.offset()) {
                    Some(Offset::Offset(offset)) => Some(offset),
                    _ => None,
                };
                let (topic, partition) = (topic.name.clone(), range.partition);
                found.push(Committed { topic, partition, committed, start: range.start, end: range.end });
            }
        }
        Ok(found)
    }

    /// The topics of which a group has committed something, of these.
    ///
    /// # Errors
    /// The brokers do not answer, or refuse.
    pub fn topics_of(&self, group: &str, topics: Vec<Topic>) -> Result<Vec<Topic>, KafkaError> {
        let offsets = self.committed_offsets(&self.member(group)?, group, &topics)?;
        let has = |topic: &Topic| {
            let elements = offsets.elements_for_topic(&topic.name);
            elements.iter().any(|element| matches!(element.offset(), Offset::Offset(_)))
        };
        Ok(topics.into_iter().filter(has).collect())
    }

    fn committed_offsets(
        &self,
        member: &BaseConsumer<Heard>,
        group: &str,
        topics: &[Topic],
    ) -> Result<TopicPartitionList, KafkaError> {
        let mut asked = TopicPartitionList::new();
        for topic in topics {
            for partition in &topic.partitions {
                asked.add_partition(&topic.name, partition.partition);
            }
        }
        if asked.count() == 0 {
            return Ok(asked);
        }
        member
            .committed_offsets(asked, LIMIT)
            .map_err(|error| KafkaError::refused(format!("committed offsets of the group {group}"), error))
    }

    /// A client that may ask for and set offsets of the group, without joining it.
    fn member(&self, group: &str) -> Result<BaseConsumer<Heard>, KafkaError> {
        self.access.reader(Some(group)).create_with_context(self.heard.clone()).map_err(KafkaError::client)
    }

    /// Sets the committed offsets of a group that nobody reads with. The coordinator refuses it, too, when somebody does.
    ///
    /// # Errors
    /// The group is in use, or the brokers refuse.
    pub fn reset(&self, group: &str, topic: &str, offsets: &[(i32, i64)]) -> Result<(), KafkaError> {
        let in_use = || KafkaError::InUse(format!("the group {group} is in use: nothing was set"));
        if self.group(group)?.is_active() {
            return Err(in_use());
        }
        let refused = |error| KafkaError::refused(format!("offsets of the group {group}"), error);
        let mut wanted = TopicPartitionList::new();
        for (partition, offset) in offsets {
            wanted.add_partition_offset(topic, *partition, Offset::Offset(*offset)).map_err(refused)?;
        }
        let member = self.member(group)?;
        match member.commit(&wanted, CommitMode::Sync) {
            Ok(()) => Ok(()),
            Err(error) => match error.rdkafka_error_code() {
                Some(
                    RDKafkaErrorCode::UnknownMemberId
                    | RDKafkaErrorCode::IllegalGeneration
                    | RDKafkaErrorCode::RebalanceInProgress,
                ) => Err(in_use()),
                _ => Err(refused(error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_assignment() {
        // Version 1; topic `ab` with partitions 0 and 2; no user data.
        let bytes =
            [0, 1, 0, 0, 0, 1, 0, 2, b'a', b'b', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 255, 255, 255, 255];
        assert_eq!(assigned(&bytes), Some(vec![("ab".to_owned(), vec![0, 2])]));
        assert_eq!(assigned(&bytes[..20]), None, "cut off");
        assert_eq!(assigned(&[]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes: Vec<u8>) {
            let _ = assigned(&bytes);
        }
    }
}
