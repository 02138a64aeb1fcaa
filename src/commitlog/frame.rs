//! Frames: one mutation's bytes between its length and its checksums.
//!
//! `i32 length, u32 CRC(length), payload, u32 CRC(length, payload)`; a payload is given out only after both
//! checksums were found right.

use std::ops::Range;

use crc32fast::Hasher;

use super::error::{Damage, DamageKind};
use super::marker::find_marker;
use super::section::{PointerFault, SectionBounds};
use super::segment::Segment;

/// Bytes before a payload.
const HEAD_LENGTH: usize = 8;
/// Bytes around a payload.
pub(super) const OVERHEAD: usize = 12;
/// No mutation is shorter than this.
const SHORTEST_PAYLOAD: usize = 10;

/// The frames of one section.
#[derive(Debug)]
pub struct Frames<'r> {
    segment: &'r Segment<'r>,
    bounds: SectionBounds,
    plain: &'r [u8],
    at: usize,
    entry: u32,
    fault: Option<PointerFault>,
    next_marker: &'r mut Option<usize>,
}

/// One frame with right checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'r> {
    /// Index in the section, from 0, damaged frames counted.
    pub entry: u32,
    /// Offset of the frame in the section's plain bytes.
    pub offset: usize,
    /// The mutation's bytes.
    pub payload: &'r [u8],
}

impl Frame<'_> {
    /// Offset of the payload in the section's plain bytes.
    #[must_use]
    pub fn payload_offset(&self) -> usize {
        self.offset + HEAD_LENGTH
    }

    /// Length of the whole frame in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        OVERHEAD + self.payload.len()
    }

    /// Offset of the frame's end in the section's plain bytes.
    #[must_use]
    pub fn end(&self) -> usize {
        self.offset + self.length()
    }
}

/// What comes next in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameStep<'r> {
    /// A frame.
    Frame(Frame<'r>),
    /// Damage; reading can go on.
    Damage(Damage),
}

impl<'r> Frames<'r> {
    pub(super) fn new(
        segment: &'r Segment<'r>,
        bounds: SectionBounds,
        plain: &'r [u8],
        next_marker: &'r mut Option<usize>,
    ) -> Self {
        Self { segment, bounds, plain, at: 0, entry: 0, fault: bounds.fault, next_marker }
    }

    /// Where the section stands.
    #[must_use]
    pub fn bounds(&self) -> SectionBounds {
        self.bounds
    }

    /// The section's plain bytes: frames, back to back.
    #[must_use]
    pub fn plain(&self) -> &'r [u8] {
        self.plain
    }

    /// The next frame or damage; `None` at the end of the section.
    #[inline]
    pub fn next_frame(&mut self) -> Option<FrameStep<'r>> {
        let Some(rest) = self.plain.get(self.at..).filter(|rest| !rest.is_empty()) else {
            return self.end();
        };
        let Some((length, checksum, after)) = head(rest) else {
            return self.no_frame(DamageKind::TruncatedFrame);
        };
        let mut hasher = Hasher::new();
        hasher.update(&length.to_be_bytes());
        if hasher.clone().finalize() != checksum {
            return self.no_frame(DamageKind::FrameLengthChecksum);
        }
        let Some((payload, found)) = body(after, length) else {
            return self.bad_extent(length);
        };
        hasher.update(payload);
        let frame = Frame { entry: self.entry, offset: self.at, payload };
        self.at = frame.end();
        self.entry += 1;
        if hasher.finalize() != found {
            return Some(FrameStep::Damage(self.bad_payload(frame)));
        }
        Some(FrameStep::Frame(frame))
    }

    #[cold]
    fn bad_payload(&self, frame: Frame<'_>) -> Damage {
        self.damage(DamageKind::FrameChecksum, frame.offset, frame.length(), Some(1))
    }

    /// The end of the section: a wrong pointer is reported although nothing is lost by it.
    #[cold]
    fn end(&mut self) -> Option<FrameStep<'r>> {
        self.wrong_pointer(self.plain.len())
    }

    /// The frames end at `at`, which is not where the section's pointer says.
    fn wrong_pointer(&mut self, at: usize) -> Option<FrameStep<'r>> {
        let fault = self.fault.take()?;
        // Nobody knows how many mutations stood behind the end of a file that was cut.
        let mutations = (fault != PointerFault::Truncated).then_some(0);
        Some(FrameStep::Damage(self.damage(fault.damage_kind(), at, 0, mutations)))
    }

    /// The bytes are no frame: the rest of the section cannot be told apart.
    #[cold]
    fn no_frame(&mut self, kind: DamageKind) -> Option<FrameStep<'r>> {
        let head = self.plain.get(self.at..).unwrap_or_default();
        let zero = head.len() >= HEAD_LENGTH && head.iter().take(HEAD_LENGTH).all(|byte| *byte == 0);
        if zero && matches!(self.fault, Some(PointerFault::Truncated | PointerFault::Lost)) {
            let at = std::mem::replace(&mut self.at, self.plain.len());
            return self.wrong_pointer(at);
        }
        self.lose_rest(if zero { DamageKind::ZeroFrame } else { kind }, None)
    }

    /// The length has the right checksum and does not fit.
    #[cold]
    fn bad_extent(&mut self, length: u32) -> Option<FrameStep<'r>> {
        let possible = i32::try_from(length).is_ok_and(|length| length >= 10);
        if possible {
            self.lose_rest(DamageKind::TruncatedFrame, Some(1))
        } else {
            self.lose_rest(DamageKind::FrameLength, None)
        }
    }

    /// Reports the rest of the section as lost. In an uncompressed segment the rest may hold a believable
    /// marker, when this section's own pointer was wrong: then the section ends there.
    fn lose_rest(&mut self, kind: DamageKind, mutations: Option<u64>) -> Option<FrameStep<'r>> {
        let at = std::mem::replace(&mut self.at, self.plain.len());
        let fault = self.fault.take();
        if let Some(marker) = self.believable_marker_in_rest(at) {
            *self.next_marker = Some(marker);
            let lost = marker.saturating_sub(self.file_offset(at));
            let kind = if lost == 0 { DamageKind::MarkerTarget } else { kind };
            let mutations = if lost == 0 { Some(0) } else { None };
            return Some(FrameStep::Damage(self.damage(kind, at, lost, mutations)));
        }
        let (kind, mutations) = match fault {
            Some(fault @ (PointerFault::Truncated | PointerFault::Lost)) => (fault.damage_kind(), None),
            Some(PointerFault::Corrected) | None => (kind, mutations),
        };
        Some(FrameStep::Damage(self.damage(kind, at, self.plain.len() - at, mutations)))
    }

    fn believable_marker_in_rest(&self, at: usize) -> Option<usize> {
        if self.segment.is_stored() {
            return None;
        }
        let from = self.file_offset(at);
        find_marker(self.segment.descriptor(), self.segment.file, from, self.bounds.end)
    }

    /// File offset of a plain offset in an uncompressed segment.
    fn file_offset(&self, plain: usize) -> usize {
        self.bounds.marker + super::marker::MARKER_LENGTH + plain
    }

    fn damage(&self, kind: DamageKind, at: usize, lost: usize, mutations: Option<u64>) -> Damage {
        let offset = if self.segment.is_stored() { self.bounds.marker } else { self.file_offset(at) };
        Damage {
            kind,
            offset: offset as u64,
            plain_offset: Some(at as u64),
            lost_bytes: lost as u64,
            lost_mutations: mutations,
            reason: None,
        }
    }
}

/// A run of frames through which [`Frames`] went before: what it found whole is not checked once more.
#[derive(Debug, Clone)]
pub struct CheckedFrames<'r> {
    plain: &'r [u8],
    at: usize,
    entry: u32,
    /// Whether frames with a wrong checksum stand among them, which are left out.
    has_damage: bool,
}

impl<'r> CheckedFrames<'r> {
    /// The frames in `range` of a section's plain bytes; the first is the section's frame `entry`.
    #[must_use]
    pub fn new(plain: &'r [u8], range: Range<usize>, entry: u32, has_damage: bool) -> Self {
        Self { plain: plain.get(..range.end).unwrap_or_default(), at: range.start, entry, has_damage }
    }
}

impl<'r> Iterator for CheckedFrames<'r> {
    type Item = Frame<'r>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'r>> {
        loop {
            let (length, _, after) = head(self.plain.get(self.at..)?)?;
            let (payload, checksum) = body(after, length)?;
            let frame = Frame { entry: self.entry, offset: self.at, payload };
            self.at = frame.end();
            self.entry += 1;
            if !self.has_damage || payload_checksum(length, payload) == checksum {
                return Some(frame);
            }
        }
    }
}

fn payload_checksum(length: u32, payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&length.to_be_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Where the frames at the start of `bytes` end, looked at up to `limit`: beyond it when a frame begins there
/// or reaches over it. Such a frame counts only when both its checksums are right.
pub(super) fn frames_end(bytes: &[u8], limit: usize) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((length, checksum, after)) = head(rest) else { return at };
        let mut hasher = Hasher::new();
        hasher.update(&length.to_be_bytes());
        if hasher.clone().finalize() != checksum {
            return at;
        }
        let Some((payload, found)) = body(after, length) else { return at };
        let end = at + OVERHEAD + payload.len();
        if end > limit {
            hasher.update(payload);
            return if hasher.finalize() == found { end } else { at };
        }
        at = end;
    }
}

#[inline]
pub(super) fn head(rest: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (length, rest) = rest.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*length), u32::from_be_bytes(*checksum), rest))
}

/// Payload and checksum, when the length is possible and the section holds them.
#[inline]
pub(super) fn body(after: &[u8], length: u32) -> Option<(&[u8], u32)> {
    let length = usize::try_from(length).ok().filter(|length| *length >= SHORTEST_PAYLOAD)?;
    let (payload, after) = after.split_at_checked(length)?;
    Some((payload, u32::from_be_bytes(*after.first_chunk()?)))
}
