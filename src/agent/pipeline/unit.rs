//! What is handed to a worker: a run of frames, and what stands for them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::epoch::Epoch;
use super::segment::OpenSegment;
use super::worker::Origin;
use crate::checkpoint::Fingerprint;
use crate::commitlog::{CheckedFrames, Position, SegmentId};

/// A run of frames of one segment.
#[derive(Debug)]
pub(in crate::agent) struct Unit {
    pub(in crate::agent) segment: Arc<OpenSegment>,
    /// Whether the sections are compressed or encrypted.
    pub(in crate::agent) is_stored: bool,
    pub(in crate::agent) parts: Vec<SectionPart>,
    /// Bytes of the file.
    pub(in crate::agent) bytes: u64,
    /// What stands before it was done by an earlier replay.
    pub(in crate::agent) from: Position,
    /// Mutations that an earlier replay parked, to be tried again.
    pub(in crate::agent) retried: Arc<BTreeSet<Position>>,
    /// Whether its segment comes behind a newer one.
    pub(in crate::agent) late: bool,
    /// Schemas by place; the first holds at the start of the unit.
    pub(in crate::agent) epochs: Vec<Arc<Epoch>>,
    /// What follows this unit.
    pub(in crate::agent) after: After,
}

impl Unit {
    pub(in crate::agent) fn origin(&self) -> Origin<'_> {
        Origin {
            id: self.from.segment,
            label: &self.segment.label,
            is_stored: self.is_stored,
            from: self.from,
            retried: &self.retried,
            late: self.late,
            epochs: &self.epochs,
        }
    }
}

/// What is done once a unit's records are with the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum After {
    /// The next unit of the same segment begins here.
    Continue(Position),
    /// The segment is complete and at its end.
    Finish(SegmentId, Fingerprint),
    /// Nothing more is done of the segment than before: only parked mutations were tried again.
    Stay,
}

/// Frames of one section, back to back.
#[derive(Debug)]
pub(in crate::agent) struct SectionPart {
    /// File offset of the section's marker.
    pub(in crate::agent) marker: u64,
    /// Logical position of the section's first plain byte.
    pub(in crate::agent) logical_start: u64,
    /// Index of the first frame in the section.
    pub(in crate::agent) entry: u32,
    /// Place in the section's plain bytes.
    pub(in crate::agent) range: Range<usize>,
    pub(in crate::agent) has_damage: bool,
    /// The plain bytes of a compressed or encrypted section.
    pub(in crate::agent) restored: Option<Arc<Vec<u8>>>,
}

impl SectionPart {
    /// The plain bytes of its section, when it is compressed or encrypted.
    pub(in crate::agent) fn into_restored(self) -> Option<Arc<Vec<u8>>> {
        self.restored
    }

    /// The frames; `file` is the segment's.
    pub(in crate::agent) fn frames<'p>(&'p self, file: &'p [u8]) -> CheckedFrames<'p> {
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
