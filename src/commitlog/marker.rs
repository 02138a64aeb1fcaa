//! Sync markers: eight bytes that open a section and say where the next marker stands.
//!
//! The checksum covers the segment id and the marker's own offset, not the pointer. So a pointer is believed
//! only as far as something valid, or the end of the data, stands where it points.

use super::descriptor::Descriptor;
use crate::primitives as bytes;

/// Length of a marker in bytes.
pub(super) const MARKER_LENGTH: usize = 8;

/// What stands at an offset where a marker is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// Fewer than eight bytes are left.
    EndOfFile,
    /// Eight zero bytes: nothing was synced from here on.
    Zero,
    /// The checksum fits; the pointer is as found.
    Valid {
        /// File offset of the next marker, unchecked.
        next: i64,
    },
    /// The checksum does not fit.
    Invalid,
}

pub(super) fn marker_at(descriptor: &Descriptor, file: &[u8], offset: usize) -> Marker {
    marker_of(descriptor, offset, file.get(offset..).unwrap_or_default())
}

/// The marker at the start of `rest`, which are the bytes of the file from `offset` on.
pub(super) fn marker_of(descriptor: &Descriptor, offset: usize, rest: &[u8]) -> Marker {
    let Ok((after, next)) = bytes::i32(rest) else {
        return Marker::EndOfFile;
    };
    let Ok((_, checksum)) = bytes::u32(after) else {
        return Marker::EndOfFile;
    };
    if next == 0 && checksum == 0 {
        return Marker::Zero;
    }
    match u32::try_from(offset) {
        Ok(own) if descriptor.marker_checksum(own) == checksum => Marker::Valid { next: i64::from(next) },
        _ => Marker::Invalid,
    }
}

/// The first offset in `from..to` where a marker stands that can be believed: its checksum fits, it points
/// forward inside the file, and at no invalid marker.
///
/// The pointer is tested first: that refuses nearly every offset without a checksum.
pub(super) fn find_marker(descriptor: &Descriptor, file: &[u8], from: usize, to: usize) -> Option<usize> {
    let window = file.get(from..to.min(file.len()))?;
    let mut skipped = 0;
    while let Some(step) = window.get(skipped..).and_then(|rest| rest.iter().position(|byte| *byte != 0)) {
        // A pointer of up to 31 bits may begin with up to three zero bytes.
        let first_non_zero = skipped + step;
        let first = from + first_non_zero.saturating_sub(3).max(skipped);
        for offset in first..=from + first_non_zero {
            if believable(descriptor, file, offset) {
                return Some(offset);
            }
        }
        skipped = first_non_zero + 1;
    }
    None
}

fn believable(descriptor: &Descriptor, file: &[u8], offset: usize) -> bool {
    let Some(Ok((_, pointer))) = file.get(offset..).map(bytes::u32) else {
        return false;
    };
    let Ok(target) = usize::try_from(pointer) else {
        return false;
    };
    if target < offset + MARKER_LENGTH || target > file.len() {
        return false;
    }
    matches!(marker_at(descriptor, file, offset), Marker::Valid { .. })
        && marker_at(descriptor, file, target) != Marker::Invalid
}

/// Length of `bytes` without its trailing zeros: a segment file is as long as it may become before it is written.
#[must_use]
pub fn used_length(bytes: &[u8]) -> usize {
    const ZEROS: &[u8] = &[0; 4096];
    let is_zero = |chunk: &&[u8]| ZEROS.get(..chunk.len()) == Some(*chunk);
    let tail = bytes.rchunks(ZEROS.len()).take_while(is_zero).map(<[u8]>::len).sum();
    let head = bytes.get(..bytes.len().saturating_sub(tail)).unwrap_or_default();
    head.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}
