//! Sections: the chain of sync markers through a segment, and what each pair of them encloses.

use super::decompress::BodyFault;
use super::error::{Damage, DamageKind};
use super::frame::{Frames, frames_end};
use super::marker::{MARKER_LENGTH, Marker, find_marker, marker_at, used_length};
use super::segment::{STORED_HEAD_LENGTH, Segment};
use crate::primitives as bytes;

/// Most plain bytes that a compressed or encrypted section may declare. A section holds no more than a segment,
/// which has 32 MiB unless `commitlog_segment_size` says otherwise; memory for all of it is needed at once.
pub const LONGEST_SECTION: usize = 256 << 20;

/// Reads the sections of a segment one after the other.
///
/// Damage is reported where it stands; reading goes on at the next marker that can be believed.
#[derive(Debug)]
pub struct Sections<'f> {
    pub(super) segment: &'f Segment<'f>,
    at: SectionCursor,
    plain: Vec<u8>,
    scratch: Vec<u8>,
}

/// How far the sections of a segment were read: to go on later.
#[derive(Debug, Clone, Copy)]
pub struct SectionCursor {
    /// File offset of the next marker; `None` after the end of the chain.
    next: Option<usize>,
    logical: u64,
    unmarked: u64,
    /// End of the file's last non-zero byte; computed once, when first needed.
    used: Option<usize>,
    /// Bytes looked at only to decide whether a pointer is believed.
    doubted: usize,
}

/// Where a section stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionBounds {
    /// File offset of the marker that opens the section.
    pub marker: usize,
    /// File offset of its end: of the next marker.
    pub end: usize,
    /// Logical position of the section's first plain byte: the file offset in an uncompressed segment, else
    /// the position in the writer's buffer, as `_cdc.idx` counts.
    pub logical_start: u64,
    /// What was wrong with the marker's pointer, when the end is not the one it names.
    pub(super) fault: Option<PointerFault>,
}

/// What was wrong with a marker's pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PointerFault {
    /// The section ends earlier, at a marker that was found.
    Corrected,
    /// It points behind the end of the file and no marker follows: the file was cut.
    Truncated,
    /// It points nowhere and no marker follows: the section ends where its frames end.
    Lost,
}

impl PointerFault {
    pub(super) fn damage_kind(self) -> DamageKind {
        match self {
            Self::Truncated => DamageKind::TruncatedSection,
            Self::Corrected | Self::Lost => DamageKind::MarkerTarget,
        }
    }
}

/// What comes next in a segment.
#[derive(Debug)]
pub enum SectionStep<'r> {
    /// A section whose bytes are at hand.
    Section(Frames<'r>),
    /// Damage; reading can go on.
    Damage(Damage),
}

impl<'f> Sections<'f> {
    /// Starts at the first marker of `segment`.
    #[must_use]
    pub fn new(segment: &'f Segment<'f>) -> Self {
        let first = segment.descriptor().length;
        let at =
            SectionCursor { next: Some(first), logical: first as u64, unmarked: 0, used: None, doubted: 0 };
        Self::resume(segment, at, Vec::new())
    }

    /// Goes on where another reader of the same segment was. Stored sections are restored into `buffer`.
    #[must_use]
    pub fn resume(segment: &'f Segment<'f>, at: SectionCursor, buffer: Vec<u8>) -> Self {
        Self { segment, at, plain: buffer, scratch: Vec::new() }
    }

    /// How far it is, for [`Self::resume`].
    #[must_use]
    pub fn cursor(&self) -> SectionCursor {
        self.at
    }

    /// Gives the restored bytes of the section that was read last away, without a copy. Of a segment that is
    /// neither compressed nor encrypted there are none.
    #[must_use]
    pub fn take_plain(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.plain)
    }

    /// Memory in bytes that the next section will need: what a stored one declares.
    #[must_use]
    pub fn next_plain_length(&self) -> usize {
        let declared = self.at.next.filter(|_| self.segment.is_stored()).and_then(|marker| {
            let (_, length) = bytes::u32(self.segment.file.get(marker + MARKER_LENGTH..)?).ok()?;
            usize::try_from(length).ok()
        });
        declared.filter(|length| *length <= LONGEST_SECTION).unwrap_or(0)
    }

    /// File offset and logical position of the marker that is read next; `None` after the end of the chain.
    #[must_use]
    pub fn next_marker(&self) -> Option<(usize, u64)> {
        self.at.next.map(|marker| (marker, self.at.logical))
    }

    /// Logical position of `end`, the file offset of the end of what was read. Too low behind a stored section that
    /// was lost.
    #[must_use]
    pub fn logical_end(&self, end: usize) -> u64 {
        if self.segment.is_stored() { self.at.logical } else { end as u64 }
    }

    /// Bytes behind the last marker: written but never synced. Known once the chain has ended.
    #[must_use]
    pub fn unmarked_bytes(&self) -> u64 {
        self.at.unmarked
    }

    /// The next section or damage; `None` at the end of the chain.
    pub fn next_section(&mut self) -> Option<SectionStep<'_>> {
        let marker = self.at.next.take()?;
        let segment = self.segment;
        match marker_at(segment.descriptor(), segment.file, marker) {
            Marker::EndOfFile => None,
            Marker::Zero => self.after_zero_marker(marker).map(SectionStep::Damage),
            Marker::Invalid => Some(SectionStep::Damage(self.skip_invalid_marker(marker))),
            Marker::Valid { next } => match self.bounds(marker, next) {
                Ok(bounds) => Some(self.open(bounds)),
                Err(damage) => Some(SectionStep::Damage(damage)),
            },
        }
    }

    /// A zero marker ends the chain, unless valid sections follow: then it was wiped.
    fn after_zero_marker(&mut self, marker: usize) -> Option<Damage> {
        let used = self.used_end();
        if used <= marker {
            return None;
        }
        match find_marker(self.segment.descriptor(), self.segment.file, marker + 1, used) {
            Some(found) => {
                self.at.next = Some(found);
                Some(lost(DamageKind::MarkerChecksum, marker, found - marker))
            }
            None => {
                self.at.unmarked = used.saturating_sub(marker + MARKER_LENGTH) as u64;
                None
            }
        }
    }

    fn skip_invalid_marker(&mut self, marker: usize) -> Damage {
        let used = self.used_end();
        self.at.next = find_marker(self.segment.descriptor(), self.segment.file, marker + 1, used);
        let end = self.at.next.unwrap_or(used);
        lost(DamageKind::MarkerChecksum, marker, end.saturating_sub(marker))
    }

    fn used_end(&mut self) -> usize {
        *self.at.used.get_or_insert_with(|| used_length(self.segment.file))
    }

    /// Decides where the section of a valid marker ends.
    ///
    /// The marker's checksum does not cover its pointer. A pointer is believed when a valid marker stands where
    /// it points, and else unless the section's own bytes say otherwise.
    fn bounds(&mut self, marker: usize, next: i64) -> Result<SectionBounds, Damage> {
        let (segment, file) = (self.segment, self.segment.file);
        let body = marker + self.head_length();
        let target = usize::try_from(next).ok().filter(|next| (body..=file.len()).contains(next));
        let (end, fault) = match target.filter(|target| self.believes(marker, *target)) {
            Some(target) => (target, None),
            None => match find_marker(segment.descriptor(), file, body, file.len()) {
                Some(found) => (found, Some(PointerFault::Corrected)),
                None if segment.is_stored() => {
                    return Err(lost(DamageKind::TruncatedSection, marker, file.len() - marker));
                }
                None if usize::try_from(next).is_ok_and(|next| next > file.len()) => {
                    (file.len(), Some(PointerFault::Truncated))
                }
                None => (file.len(), Some(PointerFault::Lost)),
            },
        };
        self.at.next = (end < file.len()).then_some(end);
        Ok(SectionBounds { marker, end, logical_start: self.logical_start(marker), fault })
    }

    fn believes(&mut self, marker: usize, target: usize) -> bool {
        let (segment, file) = (self.segment, self.segment.file);
        let at_target = marker_at(segment.descriptor(), file, target);
        if !matches!(at_target, Marker::Valid { .. }) {
            self.at.doubted += target - marker;
        }
        match at_target {
            Marker::Valid { .. } => true,
            // Many doubtful markers before the same bytes must not make reading quadratic.
            _ if self.at.doubted > 4 * file.len() => true,
            _ if !segment.is_stored() => {
                let start = marker + MARKER_LENGTH;
                let frames = file.get(start..).unwrap_or_default();
                let end = start + frames_end(frames, target - start);
                let marker_before = end < target
                    && matches!(marker_at(segment.descriptor(), file, end), Marker::Valid { .. });
                end <= target && !marker_before
            }
            Marker::EndOfFile | Marker::Zero => true,
            Marker::Invalid => self.restores(marker, target) || !self.restores_further_on(marker),
        }
    }

    /// Whether the body of the section at `marker` can be restored if it ends at `end`.
    fn restores(&mut self, marker: usize, end: usize) -> bool {
        let body = self.segment.file.get(marker + MARKER_LENGTH..end).unwrap_or_default();
        self.restore(body).is_ok()
    }

    fn restores_further_on(&mut self, marker: usize) -> bool {
        let file = self.segment.file;
        let from = marker + STORED_HEAD_LENGTH;
        find_marker(self.segment.descriptor(), file, from, file.len())
            .is_some_and(|found| self.restores(marker, found))
    }

    fn head_length(&self) -> usize {
        if self.segment.is_stored() { STORED_HEAD_LENGTH } else { MARKER_LENGTH }
    }

    fn logical_start(&self, marker: usize) -> u64 {
        let marker_length = MARKER_LENGTH as u64;
        if self.segment.is_stored() { self.at.logical + marker_length } else { marker as u64 + marker_length }
    }

    fn open(&mut self, bounds: SectionBounds) -> SectionStep<'_> {
        let segment = self.segment;
        let body = segment.file.get(bounds.marker + MARKER_LENGTH..bounds.end).unwrap_or_default();
        if !segment.is_stored() {
            return SectionStep::Section(Frames::new(segment, bounds, body, &mut self.at.next));
        }
        match self.restore(body) {
            Ok(plain_length) => {
                self.at.logical = bounds.logical_start + plain_length as u64;
                SectionStep::Section(Frames::new(segment, bounds, &self.plain, &mut self.at.next))
            }
            Err((kind, reason)) => {
                let damage = lost(kind, bounds.marker, bounds.end.saturating_sub(bounds.marker));
                SectionStep::Damage(Damage { reason, ..damage })
            }
        }
    }

    /// Restores a compressed or encrypted body, its plain length before it, into `self.plain`.
    fn restore(&mut self, body: &[u8]) -> Result<usize, (DamageKind, Option<String>)> {
        let unrestorable =
            |reason: &dyn std::fmt::Display| (DamageKind::SectionBody, Some(reason.to_string()));
        let (block, plain_length) = bytes::u32(body)
            .map_err(|_| unrestorable(&BodyFault::Short { stored: body.len(), what: "a section" }))?;
        let plain_length = usize::try_from(plain_length)
            .ok()
            .filter(|length| *length <= LONGEST_SECTION)
            .ok_or((DamageKind::SectionTooLarge, None))?;
        self.segment
            .restore(block, plain_length, &mut self.scratch, &mut self.plain)
            .map_err(|error| unrestorable(&error))?;
        Ok(plain_length)
    }
}

fn lost(kind: DamageKind, offset: usize, bytes: usize) -> Damage {
    Damage {
        kind,
        offset: offset as u64,
        plain_offset: None,
        lost_bytes: bytes as u64,
        lost_mutations: None,
        reason: None,
    }
}
