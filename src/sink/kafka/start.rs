//! How the sink starts, and starts again: first the transactional ids, then the checkpoint.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::checkpoint::Checkpoint;
use crate::commitlog::SegmentId;
use crate::failpoint;
use crate::sink::SinkError;

use super::notice::Notice;
use super::topics::Kind;
use super::trouble::Trouble;
use super::turn::{Turn, fence_replays, replay_id};
use super::{Batch, KafkaSink, local, read_back};

impl KafkaSink {
    /// Takes all transactional ids over, then reads the checkpoint anew. What was not committed is forgotten.
    pub(super) fn restart(&mut self) -> Result<(), SinkError> {
        self.turn = None;
        self.batch = Batch::default();
        let turn = Turn::start(&self.options, &self.doubts).map_err(Trouble::into_error)?;
        failpoint::cross("kafka_ids_taken");
        self.look_at_topics()?;
        let fence = || fence_replays(&self.options).map_err(Trouble::into_error);
        let wanted = |key: &str| self.layout.wants(key);
        let found = read_back::read(&self.options, &self.topics, &self.place, 0, wanted, fence)?;
        failpoint::cross("kafka_checkpoint_read");
        let restored = self.layout.restore(&found.values)?;
        self.read_to = found.end;
        self.done_ms = restored.done_ms;
        self.committed = self.choose(restored.checkpoint)?;
        self.turn = Some(turn);
        failpoint::cross("kafka_ready");
        Ok(())
    }

    /// A topic may have been deleted. That of the checkpoints is made again at once.
    fn look_at_topics(&mut self) -> Result<(), SinkError> {
        self.topics.look_at_all()?;
        self.tell_of_gone_topics();
        if !self.topics.has(&self.place.topic) {
            let made = self.topics.get(&self.place.topic, Kind::Checkpoints)?;
            self.place.partition = self.layout.partition(made.partitions);
        }
        Ok(())
    }

    /// The checkpoint with the higher generation, of Kafka's and the local copy. Where Kafka lost its own, what this
    /// program committed last counts besides: the copy may be older.
    pub(super) fn choose(&self, kafka: Option<Checkpoint>) -> Result<Checkpoint, SinkError> {
        let local = match &self.local {
            Some(copy) => match (local::load(copy.path()), &kafka) {
                // Kafka has more than the copy ever has.
                (Err(error @ SinkError::Unfit { .. }), Some(_)) => {
                    self.options.observer.tell(&Notice::LocalCopyUnread { reason: error.to_string() });
                    None
                }
                (loaded, _) => loaded?,
            },
            None => return Ok(kafka.unwrap_or_default()),
        };
        let own = Some(&self.committed).filter(|own| kafka.is_none() && own.generation() > 0);
        let is_newer =
            |own: &&Checkpoint| local.as_ref().is_none_or(|copy| own.generation() > copy.generation());
        let local = own.filter(is_newer).cloned().or(local);
        let generations = [&kafka, &local].map(|checkpoint| checkpoint.as_ref().map(Checkpoint::generation));
        let [in_kafka, on_disk] = generations;
        if on_disk.is_some() && in_kafka != on_disk {
            let notice = Notice::CheckpointsDiffer { kafka: in_kafka, local: on_disk };
            self.options.observer.tell(&notice);
        }
        let chosen = if on_disk > in_kafka { local } else { kafka };
        Ok(chosen.unwrap_or_default())
    }

    /// Takes over the id of a segment of a replay. What another replay has done of it since the checkpoint was read is
    /// not known to the caller: two are at work.
    pub(super) fn take_over(&mut self, segment: SegmentId) -> Result<(), SinkError> {
        let turn = self.turn.as_mut().ok_or(SinkError::Failed)?;
        if let Err(trouble) = turn.take_over(segment) {
            return Err(self.fail(trouble));
        }
        let wanted = |key: &str| self.layout.wants(key);
        let found =
            read_back::read(&self.options, &self.topics, &self.place, self.read_to, wanted, || Ok(()))?;
        self.read_to = found.end;
        let now = self.layout.restore(&found.values)?.checkpoint.unwrap_or_default();
        let newer = now.segments().contains(&segment)
            && !now.of_segment(segment).says_the_same(&self.committed.of_segment(segment));
        if newer {
            return Err(self.fail(Trouble::Fenced(replay_id(&self.options, segment))));
        }
        Ok(())
    }
}

pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
