//! Records → Kafka, file log, stdout, nowhere.
//!
//! A sink accepts records with [`Sink::send`] and makes everything accepted so far durable with
//! [`Sink::commit`], together with the checkpoint that says so. Accepted is not durable: what was sent and
//! not committed is gone after a crash, and is sent again from the checkpoint that [`Sink::checkpoint`] gives.

mod discard;
mod error;
pub mod file_log;
#[cfg(feature = "kafka")]
pub mod kafka;
pub(crate) mod line;
mod stdout;

use crate::checkpoint::Checkpoint;
use crate::commitlog::SegmentId;
use crate::envelope::Record;

pub use discard::Discard;
pub use error::SinkError;
pub use file_log::{FileLog, FileLogOptions, FileLogReader};
pub use stdout::Stdout;

/// Where records go.
pub trait Sink {
    /// Accept one record, after all records sent before it.
    ///
    /// # Errors
    /// When the destination cannot take it. The sink is unusable from then on; what was not committed is
    /// not there for readers.
    fn send(&mut self, record: &Record<'_>) -> Result<(), SinkError>;

    /// Make every record sent so far durable and visible to readers, together with `checkpoint`, or neither.
    ///
    /// A changed checkpoint needs a new generation ([`Checkpoint::next_generation`]).
    ///
    /// # Errors
    /// As of [`Sink::send`]; also when `checkpoint` would take back what the last one said.
    fn commit(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError>;

    /// As [`Sink::commit`], with a checkpoint that takes back what the last one said, on purpose
    /// ([`Checkpoint::rewind`], [`Checkpoint::forget_done`]).
    ///
    /// # Errors
    /// As of [`Sink::send`]; also when the destination keeps no checkpoint.
    fn take_back(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        let _ = checkpoint;
        Err(SinkError::Failed)
    }

    /// Does what cannot wait until something is sent again. To be called every second or oftener, also while nothing is sent.
    fn tend(&mut self) {}

    /// The checkpoint committed last, found in the destination or written since. `None` when the
    /// destination keeps none (then every start is the first one).
    fn checkpoint(&self) -> Option<&Checkpoint>;

    /// When a segment was finished, in milliseconds since 1970, where the destination keeps that.
    fn finished_ms(&self, segment: SegmentId) -> Option<i64> {
        let _ = segment;
        None
    }

    /// Whether what was sent since the last commit is as much as one commit should hold, or has waited as long: the
    /// caller commits at the next place where a checkpoint can stand.
    fn is_full(&self) -> bool {
        false
    }

    /// Records that were sent and that the destination has not acknowledged, where it takes them one by one.
    fn queued(&self) -> u64 {
        0
    }

    /// So many parked mutations at most should stand in a checkpoint: more than those of one look at the log beyond
    /// that, and it may have no room for them.
    fn most_parked(&self) -> usize {
        usize::MAX
    }

    /// Whether a commit may hold records of one segment only.
    fn commits_each_segment(&self) -> bool {
        false
    }

    /// Whether readers see a record as soon as it is sent: then it waits for no commit, and commits can be rare.
    fn shows_at_once(&self) -> bool {
        false
    }

    /// The number of partitions of a topic, made when it is missing. A record with the partition hash `n` goes to
    /// partition `n` modulo this.
    ///
    /// # Errors
    /// As of [`Sink::send`].
    fn partitions(&mut self, topic: &str) -> Result<u32, SinkError> {
        let _ = topic;
        Ok(1)
    }

    /// Goes back to what is committed, after an error that says so ([`SinkError::is_rewindable`]): what was sent since
    /// is forgotten, [`Sink::checkpoint`] is found out anew, and the caller goes on from there.
    ///
    /// # Errors
    /// When that cannot be found out now. It can be tried again.
    fn rewind(&mut self) -> Result<(), SinkError> {
        Err(SinkError::Failed)
    }
}
