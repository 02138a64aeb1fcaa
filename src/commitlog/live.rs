//! Parts of a segment that may still be written: nothing is given out that is not whole.
//!
//! Damage and a write that is under way look alike here. Both mean "not yet"; [`Sections`](super::Sections) tells them
//! apart once nobody writes to the file any more. Source: `CommitLogSegment.sync` and `CommitLog.add` of Cassandra 4.0 to
//! 5.0; the order of their writes is described in `docs/commit-log-format.md`.

use crc32fast::Hasher;

use super::descriptor::{BodyFormat, Descriptor};
use super::frame::{OVERHEAD, body, head};
use super::marker::{MARKER_LENGTH, Marker, marker_of};
use super::section::LONGEST_SECTION;
use super::segment::{STORED_HEAD_LENGTH, SegmentHead};
use crate::primitives as bytes;

/// Bytes that tell all about the next section of a segment: its marker and, in a stored one, its plain length.
pub const SECTION_HEAD_LENGTH: usize = STORED_HEAD_LENGTH;

/// What stands where a section of a growing segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveSection {
    /// Nothing yet: eight zero bytes, or the end of the file.
    Unwritten,
    /// A marker that is being written, or a damaged one.
    Torn,
    /// The section is whole, as far as its marker says.
    Closed {
        /// File offset of its end: of the next marker.
        end: u64,
        /// Length in bytes of what it restores to; of an uncompressed one the length of its body.
        plain_length: usize,
    },
    /// It declares more plain bytes than are restored ([`LONGEST_SECTION`]), or its end and its length contradict
    /// each other.
    Unsound,
}

/// Why a stored section cannot be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrestored {
    /// Its bytes are not (yet) those of a section.
    NotWhole,
    /// It can be decrypted with another key only, or is damaged.
    KeyDoesNotFit,
}

impl Descriptor {
    /// Whether section bodies are stored compressed or encrypted.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.body != BodyFormat::Plain
    }

    /// Length in bytes of what stands in the file before a section's body.
    #[must_use]
    pub fn section_head_length(&self) -> usize {
        if self.is_stored() { STORED_HEAD_LENGTH } else { MARKER_LENGTH }
    }

    /// Judges the section at file offset `marker` by the first bytes that stand there: [`SECTION_HEAD_LENGTH`], or as many
    /// as the file has.
    #[must_use]
    pub fn live_section(&self, marker: u64, start: &[u8]) -> LiveSection {
        let Ok(offset) = usize::try_from(marker) else { return LiveSection::Torn };
        let next = match marker_of(self, offset, start) {
            Marker::EndOfFile | Marker::Zero => return LiveSection::Unwritten,
            Marker::Invalid => return LiveSection::Torn,
            Marker::Valid { next } => next,
        };
        let body_length = |head: usize| u64::try_from(next).ok()?.checked_sub(marker + head as u64);
        if !self.is_stored() {
            // The pointer is written before the checksum, byte by byte as far as a reader can tell.
            let Some(length) = body_length(MARKER_LENGTH) else { return LiveSection::Torn };
            let Ok(plain_length) = usize::try_from(length) else { return LiveSection::Torn };
            return LiveSection::Closed { end: marker + MARKER_LENGTH as u64 + length, plain_length };
        }
        let Some(length) = body_length(STORED_HEAD_LENGTH) else { return LiveSection::Torn };
        let Some(Ok((_, declared))) = start.get(MARKER_LENGTH..).map(bytes::u32) else {
            return LiveSection::Unwritten;
        };
        match usize::try_from(declared) {
            // What is stored is never much longer than what it restores to.
            Ok(plain_length) if plain_length <= LONGEST_SECTION && length <= 2 * LONGEST_SECTION as u64 => {
                LiveSection::Closed { end: marker + STORED_HEAD_LENGTH as u64 + length, plain_length }
            }
            _ => LiveSection::Unsound,
        }
    }
}

impl SegmentHead {
    /// Restores the body of a compressed or encrypted section into `plain`.
    ///
    /// # Errors
    /// The body is not whole, or does not restore to `plain_length` bytes.
    pub fn restore_live(
        &self,
        body: &[u8],
        plain_length: usize,
        scratch: &mut Vec<u8>,
        plain: &mut Vec<u8>,
    ) -> Result<(), Unrestored> {
        self.restore(body, plain_length, scratch, plain).map_err(|_| {
            match self.key_fits(body, plain_length) {
                Some(false) => Unrestored::KeyDoesNotFit,
                Some(true) | None => Unrestored::NotWhole,
            }
        })
    }
}

/// The whole frames at the start of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeFrames {
    /// How many.
    pub count: u32,
    /// Where the last one ends.
    pub end: usize,
    /// What follows them.
    pub then: AfterFrames,
}

/// What follows whole frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFrames {
    /// As many were gone through as were asked for.
    Enough,
    /// No more bytes.
    End,
    /// A frame that takes so many bytes, more than are left. Its length has the right checksum.
    Longer(usize),
    /// Less than the head of a frame.
    Rest,
    /// No frame, or one that is not whole yet.
    NoFrame,
}

/// Goes through at most `most` frames at the start of `bytes` and verifies both checksums of each, until one is not
/// whole.
#[must_use]
pub fn whole_frames(bytes: &[u8], most: u32) -> WholeFrames {
    let (mut count, mut end) = (0, 0);
    let then = loop {
        if count == most {
            break AfterFrames::Enough;
        }
        let rest = bytes.get(end..).unwrap_or_default();
        if rest.is_empty() {
            break AfterFrames::End;
        }
        let Some((length, checksum, after)) = head(rest) else { break AfterFrames::Rest };
        let mut hasher = Hasher::new();
        hasher.update(&length.to_be_bytes());
        if hasher.clone().finalize() != checksum {
            break AfterFrames::NoFrame;
        }
        let Some((payload, found)) = body(after, length) else { break too_long(length, rest.len()) };
        hasher.update(payload);
        if hasher.finalize() != found {
            break AfterFrames::NoFrame;
        }
        end += OVERHEAD + payload.len();
        count += 1;
    };
    WholeFrames { count, end, then }
}

/// A frame of this payload length that is not among the `left` bytes.
fn too_long(length: u32, left: usize) -> AfterFrames {
    let frame = i32::try_from(length).ok().and_then(|length| usize::try_from(length).ok());
    match frame.map(|length| length + OVERHEAD) {
        Some(frame) if frame > left => AfterFrames::Longer(frame),
        _ => AfterFrames::NoFrame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length.to_vec();
        bytes.extend(crc32fast::hash(&length).to_be_bytes());
        bytes.extend(payload);
        bytes.extend(crc32fast::hash(&[&length, payload].concat()).to_be_bytes());
        bytes
    }

    #[test]
    fn a_frame_counts_when_it_is_whole() {
        let frames = [frame(b"0123456789"), frame(b"abcdefghijkl")].concat();
        let found = |bytes: &[u8]| {
            let WholeFrames { count, end, then } = whole_frames(bytes, u32::MAX);
            (count, end, then)
        };
        assert_eq!(found(&frames), (2, 46, AfterFrames::End));
        assert_eq!(whole_frames(&frames, 1), WholeFrames { count: 1, end: 22, then: AfterFrames::Enough });
        assert_eq!(found(&[]), (0, 0, AfterFrames::End));
        for cut in 23..30 {
            assert_eq!(found(&frames[..cut]), (1, 22, AfterFrames::Rest), "{cut}");
        }
        for cut in 30..46 {
            assert_eq!(found(&frames[..cut]), (1, 22, AfterFrames::Longer(24)), "{cut}");
        }
        let zeros = [frames.as_slice(), &[0; 20]].concat();
        assert_eq!(found(&zeros), (2, 46, AfterFrames::NoFrame));
        for place in 22..46 {
            let mut changed = frames.clone();
            changed[place] ^= 1;
            assert_eq!(found(&changed), (1, 22, AfterFrames::NoFrame), "{place}");
        }
    }

    #[test]
    fn a_length_that_no_mutation_has_is_no_frame() {
        for length in [0_u32, 9, 0x8000_0000, u32::MAX] {
            let mut bytes = length.to_be_bytes().to_vec();
            bytes.extend(crc32fast::hash(&length.to_be_bytes()).to_be_bytes());
            bytes.extend([0; 64]);
            assert_eq!(whole_frames(&bytes, u32::MAX).then, AfterFrames::NoFrame, "{length}");
        }
    }
}
