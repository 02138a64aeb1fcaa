//! What all readers of segments need.

use crate::agent::keys::Keys;
use crate::cdc_raw::{Directory, SegmentFile};
use crate::commitlog::Index;

/// Where segments are, and the keys of encrypted ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'r> {
    pub(super) directory: &'r Directory,
    pub(super) keys: &'r Keys,
}

impl Reading<'_> {
    /// What the index of a segment says now.
    pub(super) fn index(&self, file: &SegmentFile) -> Index {
        Index::read(&self.directory.index(file.name)).ok().flatten().unwrap_or(Index::Absent)
    }
}
