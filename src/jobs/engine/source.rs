//! Where records come from.

use std::time::Duration;

use super::error::EngineError;
use super::position::Positions;
use super::record::InputRecord;

/// What a source has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The next record. Records of one partition come in their order.
    Record(InputRecord),
    /// Everything of this partition is read that was there a moment ago.
    AtEnd {
        /// Number of the topic.
        input: usize,
        /// Partition.
        partition: u32,
    },
    /// Nothing within the time.
    Nothing,
}

/// Topics that are read from given positions on.
pub trait Source {
    /// Names of the topics, in the order of the job's inputs.
    fn topics(&self) -> &[String];

    /// Begins at these positions; a partition without one at its first record.
    ///
    /// # Errors
    /// Topics cannot be read. Records that are gone are no error: [`Self::first`] tells.
    fn seek(&mut self, positions: &Positions) -> Result<(), EngineError>;

    /// Number of partitions of a topic, as of the last seek.
    fn partitions(&self, input: usize) -> u32;

    /// Offset of the first record that is still there.
    ///
    /// # Errors
    /// That cannot be found out.
    fn first(&mut self, input: usize, partition: u32) -> Result<i64, EngineError>;

    /// Offset after the last record that is there.
    ///
    /// # Errors
    /// That cannot be found out.
    fn end(&mut self, input: usize, partition: u32) -> Result<i64, EngineError>;

    /// The next event, waiting for it at most so long.
    ///
    /// # Errors
    /// Topics cannot be read.
    fn next(&mut self, wait: Duration) -> Result<Event, EngineError>;

    /// The next record of this partition before the offset `to`; None when there is none.
    ///
    /// # Errors
    /// Topics cannot be read.
    fn next_before(
        &mut self,
        input: usize,
        partition: u32,
        to: i64,
    ) -> Result<Option<InputRecord>, EngineError>;

    /// Records of inputs for which this is true wait until it is asked again. A source of one side has no need to.
    fn hold(&mut self, is_held: &dyn Fn(usize) -> bool) {
        let _ = is_held;
    }

    /// Records that are there and were not read, as far as it is known.
    fn lag(&self) -> u64;

    /// Outputs of everything before these positions are committed.
    fn committed(&mut self, positions: &Positions) {
        let _ = positions;
    }
}
