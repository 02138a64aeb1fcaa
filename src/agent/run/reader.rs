//! What all readers of segments need.

use std::fs::File;

use crate::agent::keys::Keys;
use crate::cdc_raw::{Directory, SegmentFile, chain};
use crate::checkpoint::Fingerprint;
use crate::commitlog::Index;
#[cfg(feature = "cql")]
use crate::commitlog::Position;

/// Where segments are, and the keys of encrypted ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'r> {
    pub(super) directory: &'r Directory,
    pub(super) keys: &'r Keys,
}

impl Reading<'_> {
    /// File offset to which the chain of markers of a segment leads; `None` when that cannot be told.
    pub(super) fn chain_end(&self, file: &SegmentFile) -> Option<u64> {
        let _held = self.directory.hold_moves();
        let opened = File::open(self.directory.segment(file.name)).ok()?;
        chain::follow(&opened, file.name, None).ok()?.chain().map(|chain| chain.end)
    }

    /// What tells a segment from another one with its id; `None` when that cannot be told.
    pub(super) fn fingerprint(&self, file: &SegmentFile) -> Option<Fingerprint> {
        let _held = self.directory.hold_moves();
        let opened = File::open(self.directory.segment(file.name)).ok()?;
        chain::fingerprint(&opened, file.name).ok().flatten()
    }

    /// Whether a section of a segment from this place on holds something. One of which a part was done before does not
    /// count.
    #[cfg(feature = "cql")]
    pub(super) fn has_content_from(&self, file: &SegmentFile, place: Position) -> bool {
        let _held = self.directory.hold_moves();
        let from = if place.entry > 0 { place.marker.saturating_add(1) } else { place.marker };
        let opened = File::open(self.directory.segment(file.name));
        opened.and_then(|opened| chain::has_content_from(&opened, file.name, from)).unwrap_or(false)
    }

    /// What the index of a segment says now.
    pub(super) fn index(&self, file: &SegmentFile) -> Index {
        let _held = self.directory.hold_moves();
        Index::read(&self.directory.index(file.name)).ok().flatten().unwrap_or(Index::Absent)
    }
}
