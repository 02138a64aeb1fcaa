//! What a look at a growing segment gives out.

use std::ops::Range;

use crate::commitlog::{CheckedFrames, Position};
use crate::envelope::Visibility;

/// Frames of one section, back to back, whose checksums are right.
#[derive(Debug, Clone)]
pub struct Run {
    /// File offset of the section's marker.
    pub marker: u64,
    /// Index of the first frame in its section.
    pub entry: u32,
    /// Logical position of the first frame. That of a frame's end is this plus the frame's `end()`.
    pub logical_start: u64,
    /// Offset of the first frame in its section's plain bytes.
    pub offset: u64,
    /// What is known of them.
    pub visibility: Visibility,
    pub(super) range: Range<usize>,
}

/// What a poll found.
#[derive(Debug)]
pub struct Batch<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) runs: &'b [Run],
    /// Position of the next frame: everything before it was given out.
    pub next: Position,
    /// What stands there.
    pub rest: Rest,
}

impl Run {
    /// Plain bytes of the frames.
    #[must_use]
    pub fn length(&self) -> usize {
        self.range.len()
    }
}

impl<'b> Batch<'b> {
    /// Whether there is nothing new.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The runs in the order of the log, each with its frames. Offsets of the frames count from the run's start.
    pub fn runs(&self) -> impl Iterator<Item = (&'b Run, CheckedFrames<'b>)> + use<'b> {
        let (bytes, runs) = (self.bytes, self.runs);
        runs.iter().map(move |run| {
            let plain = bytes.get(run.range.clone()).unwrap_or_default();
            (run, CheckedFrames::new(plain, 0..plain.len(), run.entry, false))
        })
    }
}

/// What stands behind the last frame that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// More: poll again at once.
    More,
    /// Nothing that is written, or under a marker, as the visibility asks for. The end of the chain, if Cassandra writes
    /// no more.
    Unwritten,
    /// A whole section, of which the index does not say that it is on disk.
    Unsynced,
    /// A marker or section that is not whole. It is being written, or damaged if it stays so: the reader of final
    /// segments says what is lost.
    NotWhole,
}
