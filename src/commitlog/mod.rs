//! Segment file → sections → frames → mutations. Pure: no I/O, no clock, no async.
//!
//! Each reader makes one promise: [`Sections`] that a section's bounds can be believed, [`Frames`] that a
//! payload's checksums are right, [`Decoder`] that a payload was used up to its last byte. The format is
//! described in `docs/commit-log-format.md`.

mod column_list;
pub mod decoder;
pub mod decompress;
pub mod decrypt;
pub mod descriptor;
pub mod error;
pub mod file_name;
pub mod frame;
pub mod index_file;
pub mod live;
pub mod map;
mod marker;
pub mod mutation;
mod parts;
pub mod position;
mod read_row;
mod row;
pub mod section;
pub mod segment;

pub use decoder::{Decoder, Peek, peek};
pub use descriptor::{BodyFormat, Descriptor, DescriptorError};
pub use error::{Damage, DamageKind};
pub use file_name::SegmentName;
pub use frame::{CheckedFrames, Frame, FrameStep, Frames};
pub use index_file::Index;
pub use marker::used_length;
pub use mutation::{Mutation, MutationError};
pub use position::{Position, SegmentId};
pub use section::{SectionBounds, SectionCursor, SectionStep, Sections};
pub use segment::{Segment, SegmentError, SegmentHead};
