//! What can be wrong with a checkpoint.

use crate::commitlog::{Position, SegmentId};

use super::Fingerprint;

/// A checkpoint that cannot be read, or a step that would take back what is done.
///
/// Errors about steps are faults of the program; errors about reading are faults of the stored state.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The stored text is no checkpoint.
    #[error("the checkpoint cannot be read: {0}")]
    Unreadable(String),
    /// The stored text was written by a later program.
    #[error(
        "the checkpoint has version {found} and this program reads version {known}: \
         use the newer cdc-agent that wrote it"
    )]
    NewerVersion {
        /// Version in the text.
        found: u64,
        /// Highest version known here.
        known: u64,
    },
    /// The segment is done already.
    #[error("segment {segment} is already done, progress in it cannot move")]
    AlreadyDone {
        /// Which.
        segment: SegmentId,
    },
    /// Two different segments with one id.
    #[error(
        "segment {segment} with fingerprint {found} is not the segment that was read before ({known}): \
         the segments of two nodes need a destination each"
    )]
    OtherSegment {
        /// Which.
        segment: SegmentId,
        /// Fingerprint of the segment that was read before.
        known: Fingerprint,
        /// Fingerprint of this one.
        found: Fingerprint,
    },
    /// The step leads back.
    #[error("progress cannot move back from {reached} to {asked}")]
    Backwards {
        /// First event not yet done.
        reached: Position,
        /// Where the step led.
        asked: Position,
    },
    /// A place to go back to was not reached yet.
    #[error("{asked} was not reached yet{}", reached.map_or_else(String::new, |reached| format!(": its segment is read to {reached}")))]
    NotReached {
        /// Where to go back to.
        asked: Position,
        /// First event not yet done in its segment.
        reached: Option<Position>,
    },
    /// The step does not start a generation.
    #[error("a changed checkpoint needs a generation above {committed}, not {asked}")]
    StaleGeneration {
        /// Generation of the committed checkpoint.
        committed: u64,
        /// Generation of the new one.
        asked: u64,
    },
    /// Nothing is parked there.
    #[error("no mutation is parked at {place}")]
    NotParked {
        /// Where.
        place: Position,
    },
}
