//! Which producer is next: three transactional ids in turn beside a node, one for each segment of a replay.
//!
//! A transactional id that has just committed must wait until Kafka has written that into every partition. Another id
//! need not, and because a transaction begins only after the one before it is committed, the order is the same.

use crate::commitlog::SegmentId;

use super::doubt::Doubts;
use super::options::{Delivery, Identity, KafkaOptions};
use super::producer::Producer;
use super::trouble::Trouble;

/// Transactional ids beside a node.
const IDS: u32 = 3;

pub(super) enum Turn {
    /// One without transactions.
    Idempotent(Box<Producer>),
    /// All of a node's, each taken over at the start.
    Rotating { producers: Vec<Producer>, at: usize },
    /// The segment that is replayed at the moment.
    PerSegment { options: Box<KafkaOptions>, current: Option<(SegmentId, Box<Producer>)> },
}

impl Turn {
    /// Takes over all ids that are known beforehand.
    pub(super) fn start(options: &KafkaOptions, doubts: &Doubts) -> Result<Self, Trouble> {
        match (&options.identity, options.delivery) {
            (_, Delivery::AtLeastOnce) => {
                Producer::idempotent(options).map(|producer| Self::Idempotent(Box::new(producer)))
            }
            (Identity::Node { host_id, .. }, Delivery::ExactlyOnce) => {
                let ids = (0..IDS).map(|number| format!("cdc-agent.{}.{host_id}.{number}", options.prefix));
                let producers =
                    ids.map(|id| Producer::transactional(options, id, doubts)).collect::<Result<_, _>>()?;
                Ok(Self::Rotating { producers, at: 0 })
            }
            (Identity::Replay { .. } | Identity::Job, Delivery::ExactlyOnce) => {
                Ok(Self::PerSegment { options: Box::new(options.clone()), current: None })
            }
        }
    }

    /// Whether another id must be taken over before a change of `segment` can be sent.
    pub(super) fn needs(&self, segment: SegmentId) -> bool {
        match self {
            Self::PerSegment { current, .. } => current.as_ref().is_none_or(|(known, _)| *known != segment),
            Self::Idempotent(_) | Self::Rotating { .. } => false,
        }
    }

    /// Takes over the id of a segment.
    pub(super) fn take_over(&mut self, segment: SegmentId) -> Result<(), Trouble> {
        if let Self::PerSegment { options, current } = self {
            *current = None;
            let producer = Producer::transactional(options, replay_id(options, segment), &Doubts::default())?;
            *current = Some((segment, Box::new(producer)));
        }
        Ok(())
    }

    /// The producer whose turn it is.
    pub(super) fn current(&mut self) -> Option<&mut Producer> {
        match self {
            Self::Idempotent(producer) => Some(producer),
            Self::Rotating { producers, at } => producers.get_mut(*at),
            Self::PerSegment { current, .. } => current.as_mut().map(|(_, producer)| producer.as_mut()),
        }
    }

    /// Has librdkafka tell all producers what it has to tell, and ask them for what it needs.
    pub(super) fn serve(&self) {
        match self {
            Self::Idempotent(producer) => producer.serve(),
            Self::Rotating { producers, .. } => producers.iter().for_each(Producer::serve),
            Self::PerSegment { current, .. } => current.iter().for_each(|(_, producer)| producer.serve()),
        }
    }

    /// Records that are not acknowledged.
    pub(super) fn queued(&self) -> u64 {
        match self {
            Self::Idempotent(producer) => producer.queued(),
            Self::Rotating { producers, .. } => producers.iter().map(Producer::queued).sum(),
            Self::PerSegment { current, .. } => current.as_ref().map_or(0, |(_, producer)| producer.queued()),
        }
    }

    /// A transaction is committed: the next producer is next.
    pub(super) fn next(&mut self) {
        if let Self::Rotating { producers, at } = self {
            *at = (*at + 1) % producers.len().max(1);
        }
    }
}

/// The transactional id of a segment's replay.
pub(super) fn replay_id(options: &KafkaOptions, segment: SegmentId) -> String {
    format!("cdc-agent.{}.replay.{segment}", options.prefix)
}

/// Ends what an earlier replay of these segments left open.
pub(super) fn fence_replays(options: &KafkaOptions) -> Result<(), Trouble> {
    if let (Identity::Replay { segments, .. }, Delivery::ExactlyOnce) = (&options.identity, options.delivery)
    {
        for segment in segments.keys() {
            Producer::transactional(options, replay_id(options, *segment), &Doubts::default())?;
        }
    }
    Ok(())
}
