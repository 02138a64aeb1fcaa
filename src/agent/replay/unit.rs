//! What is handed to a worker: a run of frames, and what stands for them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::epoch::Epoch;
use super::segment::OpenSegment;
use crate::checkpoint::Fingerprint;
use crate::commitlog::{CheckedFrames, Position, SegmentId};

/// A run of frames of one segment.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) segment: Arc<OpenSegment>,
    /// Whether the sections are compressed or encrypted.
    pub(super) is_stored: bool,
    pub(super) parts: Vec<SectionPart>,
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// What stands before it was done by an earlier replay.
    pub(super) from: Position,
    /// Mutations that an earlier replay parked, to be tried again.
    pub(super) retried: Arc<BTreeSet<Position>>,
    /// Whether its segment comes behind a newer one.
    pub(super) late: bool,
    /// Schemas by place; the first holds at the start of the unit.
    pub(super) epochs: Vec<Arc<Epoch>>,
    /// What follows this unit.
    pub(super) after: After,
}

/// What is done once a unit's records are with the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// The next unit of the same segment begins here.
    Continue(Position),
    /// The segment is complete and at its end.
    Finish(SegmentId, Fingerprint),
}

/// Frames of one section, back to back.
#[derive(Debug)]
pub(super) struct SectionPart {
    /// File offset of the section's marker.
    pub(super) marker: u64,
    /// Logical position of the section's first plain byte.
    pub(super) logical_start: u64,
    /// Index of the first frame in the section.
    pub(super) entry: u32,
    /// Place in the section's plain bytes.
    pub(super) range: Range<usize>,
    pub(super) has_damage: bool,
    /// The plain bytes of a compressed or encrypted section.
    pub(super) restored: Option<Arc<Vec<u8>>>,
}

impl SectionPart {
    /// The plain bytes of its section, when it is compressed or encrypted.
    pub(super) fn into_restored(self) -> Option<Arc<Vec<u8>>> {
        self.restored
    }

    /// The frames; `file` is the segment's.
    pub(super) fn frames<'p>(&'p self, file: &'p [u8]) -> CheckedFrames<'p> {
        let plain = match &self.restored {
            Some(restored) => restored.as_slice(),
            None => {
                let start = usize::try_from(self.logical_start).unwrap_or(usize::MAX);
                file.get(start..).unwrap_or_default()
            }
        };
        CheckedFrames::new(plain, self.range.clone(), self.entry, self.has_damage)
    }
}
