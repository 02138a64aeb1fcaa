//! The sink of `--dry-run`: counts.

use crate::checkpoint::Checkpoint;
use crate::envelope::Record;

use super::{Sink, SinkError};

/// Takes everything and keeps nothing but the count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discard {
    /// Records sent.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl Sink for Discard {
    fn send(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        let bytes = record.key.len() + record.value.map_or(0, <[u8]>::len);
        self.records += 1;
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(())
    }

    fn commit(&mut self, _: &Checkpoint) -> Result<(), SinkError> {
        Ok(())
    }

    fn checkpoint(&self) -> Option<&Checkpoint> {
        None
    }
}
