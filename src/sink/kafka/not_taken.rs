//! Records that Kafka does not take, and topics that the agent may not write: what stands in their place.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use crate::envelope::Record;
use crate::sink::SinkError;

use super::context::Failed;
use super::notice::{Notice, Untaken};
use super::options::{Delivery, Refused};
use super::producer::{Outgoing, Stuck};
use super::topics::Kind;
use super::trouble::{forbids_topic, lasting, refuses_record};
use super::{KafkaSink, dead_letter, outgoing, partition, shorten};

/// What a shortened record takes at most, in bytes: less than any broker is configured for.
const SHORTENED_TO: usize = 512 << 10;

/// When a topic that could not be written is tried again: somebody may have allowed it. Each try that fails takes a
/// batch back.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// What Kafka does not take, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct NotTaken {
    /// By topic and content identity.
    records: HashMap<(String, String), Refusal>,
    /// Those of them for which something else stands in the batch at hand. Once that is committed nobody asks for them.
    replaced: Vec<(String, String)>,
    /// Topics that the agent may not write, or that cannot be made; since when that is known, and why.
    topics: HashMap<String, (Instant, String)>,
}

/// Why Kafka does not take a record.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    reason: String,
    is_too_long: bool,
    /// Whether it was sent without its longest values already.
    was_shortened: bool,
}

impl Refusal {
    /// It is longer than librdkafka sends.
    pub(super) fn too_long_to_send() -> Self {
        let reason = "it is longer than message.max.bytes, the longest that the agent sends".to_owned();
        Self { reason, is_too_long: true, was_shortened: false }
    }
}

impl NotTaken {
    /// Why this record is not taken, if that is known.
    pub(super) fn refusal(&self, record: &Record<'_>) -> Option<Refusal> {
        if self.records.is_empty() {
            return None;
        }
        self.records.get(&(record.topic.to_owned(), record.event_id.to_owned())).cloned()
    }

    /// Something else stands for this record in the batch.
    fn replaces(&mut self, record: &Record<'_>) {
        let id = (record.topic.to_owned(), record.event_id.to_owned());
        if self.records.contains_key(&id) {
            self.replaced.push(id);
        }
    }

    /// The batch is committed: its records do not come again.
    pub(super) fn committed(&mut self) {
        for id in self.replaced.drain(..) {
            self.records.remove(&id);
        }
    }

    /// The batch is taken back: its records come again.
    pub(super) fn taken_back(&mut self) {
        self.replaced.clear();
    }

    /// Whether this topic may not be written. After a while that is forgotten.
    fn forbids(&mut self, topic: &str) -> bool {
        let Some((since, _)) = self.topics.get(topic) else { return false };
        let is_recent = since.elapsed() < TRIED_AGAIN_AFTER;
        if !is_recent {
            self.topics.remove(topic);
        }
        is_recent
    }
}

impl KafkaSink {
    /// The partitions of a topic of changes. `None` when it may not be written, or cannot be made, and pointers are to
    /// stand for its records.
    pub(super) fn partitions_of(&mut self, topic: &str) -> Result<Option<u32>, SinkError> {
        if self.not_taken.forbids(topic) {
            return Ok(None);
        }
        let found = self.topics.get(topic, Kind::Changes).map(|found| found.partitions);
        let waited = self.topics.take_waited();
        let partitions = match found {
            Ok(partitions) => {
                // It was looked for, or made, just now: later records find it known and go on without asking.
                if !waited.is_zero() {
                    self.used.add(topic);
                }
                Some(partitions)
            }
            Err(SinkError::Forbidden { .. }) if self.lets_pass(topic) => {
                self.forbid(topic);
                None
            }
            Err(SinkError::Unmade { what, hint }) if self.lets_pass(topic) => {
                self.not_taken.topics.insert(topic.to_owned(), (Instant::now(), what.clone()));
                self.options.observer.tell(&Notice::Unmade { what, hint });
                None
            }
            Err(error) => return Err(error),
        };
        self.waited_for_topic(waited)?;
        Ok(partitions)
    }

    /// The batch at hand has waited for topics that were new. With hundreds of new topics a transaction would be open for
    /// longer than it may, which ends as if another agent had taken it over: so the batch is taken back before. Sent again,
    /// it finds these topics made.
    fn waited_for_topic(&mut self, span: Duration) -> Result<(), SinkError> {
        if span.is_zero() || self.batch.records == 0 || self.options.delivery == Delivery::AtLeastOnce {
            return Ok(());
        }
        self.batch.making += span;
        if self.batch.making < self.options.extra.transaction_timeout() / 3 {
            return Ok(());
        }
        let seconds = self.batch.making.as_secs();
        self.abort();
        Err(SinkError::RolledBack { what: format!("topics were made for {seconds} s in one transaction") })
    }

    /// Whether what this topic does not take is replaced. The agent's own topics, whose names begin with `__`, are not
    /// those of a table.
    fn lets_pass(&self, topic: &str) -> bool {
        let own = format!("{}.cdc.__", self.options.prefix);
        self.options.refused(topic) != Refused::Fail && !topic.starts_with(&own)
    }

    fn forbid(&mut self, topic: &str) {
        let reason = RDKafkaErrorCode::TopicAuthorizationFailed.to_string();
        self.not_taken.topics.insert(topic.to_owned(), (Instant::now(), reason));
        self.options.observer.tell(&Notice::Forbidden { topic: topic.to_owned() });
    }

    /// Sends a pointer in place of a record whose topic may not be written, or is not there. Nothing stands for a heartbeat.
    pub(super) fn pass_by(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        if record.event_id.is_empty() {
            return Ok(());
        }
        self.begin(record)?;
        let reason = self.not_taken.topics.get(record.topic).map(|(_, why)| why.clone()).unwrap_or_default();
        self.point_to(record, &reason, Untaken::Forbidden)
    }

    /// Sends a pointer in place of a record that Kafka does not take, and what can be sent of it, or fails.
    pub(super) fn replace(&mut self, record: &Record<'_>, refusal: &Refusal) -> Result<(), SinkError> {
        let policy = self.options.refused(record.topic);
        if policy == Refused::Fail {
            self.abort();
            let bytes = record.key.len() + record.value.map_or(0, <[u8]>::len);
            let what = format!("the record of {bytes} bytes at {}", record.position);
            return Err(SinkError::Refused {
                topic: record.topic.to_owned(),
                what,
                reason: refusal.reason.clone(),
            });
        }
        if policy == Refused::Truncate && refusal.is_too_long && !refusal.was_shortened {
            self.send_shortened(record)?;
        }
        let kind = if refusal.is_too_long { Untaken::TooLong } else { Untaken::Refused };
        self.not_taken.replaces(record);
        self.point_to(record, &refusal.reason, kind)
    }

    /// Sends a record without its longest values, when that makes it short enough.
    fn send_shortened(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        let limit = (self.options.extra.longest_record() / 2).min(SHORTENED_TO);
        let Some(value) = shorten::shortened(record, limit) else { return Ok(()) };
        let partitions = self.topics.get(record.topic, Kind::Changes)?.partitions;
        let id = (record.topic.to_owned(), record.event_id.to_owned());
        if let Some(known) = self.not_taken.records.get_mut(&id) {
            // Should Kafka refuse this one, too.
            known.was_shortened = true;
        }
        match self.produce(&outgoing(record, Some(&value), partitions)) {
            Err(Stuck::TooLarge) => Ok(()),
            other => other.map_err(|stuck| self.stuck(stuck)),
        }
    }

    fn point_to(&mut self, record: &Record<'_>, reason: &str, kind: Untaken) -> Result<(), SinkError> {
        let bytes = record.key.len() + record.value.map_or(0, <[u8]>::len);
        let position = record.position.to_string();
        let topic = self.options.dead_letter_topic();
        let partitions = self.topics.get(&topic, Kind::Changes)?.partitions;
        let (key, value) = dead_letter::pointer(record, reason);
        let pointer = Outgoing {
            topic: &topic,
            partition: partition(record.partition_hash, partitions),
            key,
            value: Some(&value),
            event_id: record.event_id,
            headers: &[],
            ts_ms: record.ts_ms,
        };
        self.produce(&pointer).map_err(|stuck| self.stuck(stuck))?;
        self.options.observer.tell(&Notice::DeadLetter {
            topic: record.topic.to_owned(),
            position,
            bytes: bytes as u64,
            reason: reason.to_owned(),
            kind,
        });
        Ok(())
    }

    /// Keeps in mind what was not taken, so that pointers stand in its place when the batch, which is taken back, is
    /// sent again; unless it must not be replaced.
    pub(super) fn learn(&mut self, failed: Vec<Failed>) -> SinkError {
        let (forbidden, failed): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|failed| forbids_topic(failed.code));
        let mut what = None;
        for Failed { topic, code, .. } in forbidden {
            let text = format!("topic {topic} may not be written: {code}");
            if !self.lets_pass(&topic) {
                return SinkError::Forbidden { what: text, hint: lasting(code).unwrap_or_default() };
            }
            if !self.not_taken.forbids(&topic) {
                self.forbid(&topic);
            }
            what.get_or_insert(text);
        }
        for failed in failed.into_iter().filter(|failed| refuses_record(failed.code)) {
            let Failed { topic, event_id, code } = failed;
            if event_id.is_empty() || !self.lets_pass(&topic) {
                return SinkError::Refused { topic, what: "a record".to_owned(), reason: code.to_string() };
            }
            what.get_or_insert(format!("topic {topic} does not take a record: {code}"));
            let is_too_long = code == RDKafkaErrorCode::MessageSizeTooLarge;
            let id = (topic, event_id);
            let was_shortened = self.not_taken.records.get(&id).is_some_and(|known| known.was_shortened);
            let refusal = Refusal { reason: code.to_string(), is_too_long, was_shortened };
            self.not_taken.records.insert(id, refusal);
        }
        let what = what.unwrap_or_else(|| "a record was not taken".to_owned());
        SinkError::RolledBack { what: format!("{what}; pointers replace what is not taken") }
    }
}
