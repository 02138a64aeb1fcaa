//! Classes of damage to uncompressed segments, where everything can be foretold.

use cdc_agent::commitlog::DamageKind;

use super::mutant::{Mutant, Random, damage};
use super::overwritten;
use super::segment::{Frame, Original, Section};

/// A class: makes one mutant, or none where the segment has no place for it.
pub(super) type Class = fn(&Original, &mut Random) -> Option<Mutant>;

pub(super) const CLASSES: &[(&str, Class)] = &[
    ("pointer of a marker", pointer),
    ("pointer behind the end of the file", pointer_behind_the_end),
    ("pointer to another marker", pointer_to_another_marker),
    ("pointer of the last marker into the zeros behind it", pointer_into_zeros),
    ("checksum of a marker", marker_checksum),
    ("length of a frame", frame_length),
    ("checksum of a frame's length", frame_length_checksum),
    ("payload of a frame", payload),
    ("checksum of a frame", frame_checksum),
    ("length of a frame with its right checksum", impossible_length),
    ("cut anywhere", cut),
    ("zero page", overwritten::zero_page),
    ("random page", overwritten::random_page),
    ("page of the same file", overwritten::duplicated_page),
    ("zeros anywhere", overwritten::zero_range),
    ("bytes behind the last marker", tail),
];

/// A section with frames, and its index.
fn section<'o>(original: &'o Original, random: &mut Random) -> (usize, &'o Section) {
    let with_frames: Vec<_> =
        original.sections.iter().enumerate().filter(|(_, section)| !section.frames.is_empty()).collect();
    *random.pick(&with_frames)
}

fn frame<'o>(original: &'o Original, random: &mut Random) -> (&'o Section, &'o Frame) {
    let (_, section) = section(original, random);
    (section, random.pick(&section.frames))
}

/// Nothing is lost by a wrong pointer: the section ends where its frames end.
fn only_the_pointer(original: &Original, bytes: Vec<u8>, section: &Section, kind: DamageKind) -> Mutant {
    let lost = (kind == DamageKind::MarkerTarget).then_some(0);
    let found = damage(kind, section.end, Some(section.plain_length), 0, lost);
    Mutant::exact(bytes, vec![found], original.mutations(|_, _| false))
}

fn with_pointer(original: &Original, section: &Section, pointer: u32) -> Vec<u8> {
    let mut bytes = original.bytes.clone();
    bytes[section.marker..section.marker + 4].copy_from_slice(&pointer.to_be_bytes());
    bytes
}

fn pointer(original: &Original, random: &mut Random) -> Option<Mutant> {
    let index = random.below(original.sections.len() - 1);
    let section = &original.sections[index];
    let mut bytes = original.bytes.clone();
    random.flip_bit(&mut bytes, section.marker..section.marker + 4);
    let target =
        usize::try_from(u32::from_be_bytes(bytes[section.marker..][..4].try_into().unwrap())).unwrap();
    // Zeros look like the end of the chain: what stands before them is read first.
    let zeros = bytes.get(target..target + 8).is_some_and(|at| at == [0; 8]);
    if zeros && target < section.end && target >= section.marker + 8 {
        return Some(Mutant::accounted(bytes));
    }
    Some(only_the_pointer(original, bytes, section, DamageKind::MarkerTarget))
}

fn pointer_behind_the_end(original: &Original, random: &mut Random) -> Option<Mutant> {
    let index = random.below(original.sections.len());
    let section = &original.sections[index];
    let behind = original.bytes.len() + 1 + random.below(1 << 20);
    let bytes = with_pointer(original, section, u32::try_from(behind).unwrap());
    let last = index + 1 == original.sections.len();
    let kind = if last { DamageKind::TruncatedSection } else { DamageKind::MarkerTarget };
    Some(only_the_pointer(original, bytes, section, kind))
}

fn pointer_to_another_marker(original: &Original, random: &mut Random) -> Option<Mutant> {
    let index = random.below(original.sections.len() - 1);
    let other = random.below(original.sections.len());
    if other == index + 1 {
        return None;
    }
    let section = &original.sections[index];
    let bytes = with_pointer(original, section, u32::try_from(original.sections[other].marker).unwrap());
    Some(only_the_pointer(original, bytes, section, DamageKind::MarkerTarget))
}

/// Whether the zeros were data cannot be known, so they count as lost.
fn pointer_into_zeros(original: &Original, random: &mut Random) -> Option<Mutant> {
    let section = original.sections.last().unwrap();
    let room = original.bytes.len().checked_sub(section.end + 64)?;
    let target = section.end + 8 + random.below(room.max(1));
    let bytes = with_pointer(original, section, u32::try_from(target).unwrap());
    let found =
        damage(DamageKind::ZeroFrame, section.end, Some(section.plain_length), target - section.end, None);
    Some(Mutant::exact(bytes, vec![found], original.mutations(|_, _| false)))
}

fn marker_checksum(original: &Original, random: &mut Random) -> Option<Mutant> {
    let index = random.below(original.sections.len());
    let section = &original.sections[index];
    let mut bytes = original.bytes.clone();
    random.flip_bit(&mut bytes, section.marker + 4..section.marker + 8);
    let mutations = original.mutations(|at, _| at.marker == section.marker);
    let lost = end_of_lost_section(original, &bytes, index) - section.marker;
    let found = damage(DamageKind::MarkerChecksum, section.marker, None, lost, None);
    Some(Mutant::exact(bytes, vec![found], mutations))
}

/// A section without its marker reaches to the next one, the last to the last byte that is not zero.
fn end_of_lost_section(original: &Original, bytes: &[u8], index: usize) -> usize {
    match original.sections.get(index + 1) {
        Some(next) => next.marker,
        None => used(bytes),
    }
}

pub(super) fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// From a frame whose length cannot be believed on, the rest of its section is lost.
fn rest_of_section(original: &Original, bytes: Vec<u8>, at: (&Section, &Frame), kind: DamageKind) -> Mutant {
    let (section, frame) = at;
    let known = (kind == DamageKind::TruncatedFrame).then_some(1);
    let offset = section.at(frame);
    let found = damage(kind, offset, Some(frame.offset), section.end - offset, known);
    let lost = |s: &Section, f: &Frame| s.marker == section.marker && f.offset >= frame.offset;
    Mutant::exact(bytes, vec![found], original.mutations(lost))
}

fn frame_length(original: &Original, random: &mut Random) -> Option<Mutant> {
    let (section, frame) = frame(original, random);
    let mut bytes = original.bytes.clone();
    let at = section.at(frame);
    random.flip_bit(&mut bytes, at..at + 4);
    Some(rest_of_section(original, bytes, (section, frame), DamageKind::FrameLengthChecksum))
}

fn frame_length_checksum(original: &Original, random: &mut Random) -> Option<Mutant> {
    let (section, frame) = frame(original, random);
    let mut bytes = original.bytes.clone();
    let at = section.at(frame) + 4;
    random.flip_bit(&mut bytes, at..at + 4);
    Some(rest_of_section(original, bytes, (section, frame), DamageKind::FrameLengthChecksum))
}

fn one_frame(original: &Original, bytes: Vec<u8>, section: &Section, frame: &Frame) -> Mutant {
    let length = frame.end() - frame.offset;
    let found = damage(DamageKind::FrameChecksum, section.at(frame), Some(frame.offset), length, Some(1));
    let lost = |s: &Section, f: &Frame| s.marker == section.marker && f.offset == frame.offset;
    Mutant::exact(bytes, vec![found], original.mutations(lost))
}

fn payload(original: &Original, random: &mut Random) -> Option<Mutant> {
    let (section, frame) = frame(original, random);
    let mut bytes = original.bytes.clone();
    let at = section.at(frame) + 8;
    random.flip_bit(&mut bytes, at..at + frame.payload.len());
    Some(one_frame(original, bytes, section, frame))
}

fn frame_checksum(original: &Original, random: &mut Random) -> Option<Mutant> {
    let (section, frame) = frame(original, random);
    let mut bytes = original.bytes.clone();
    let at = section.at(frame) + 8 + frame.payload.len();
    random.flip_bit(&mut bytes, at..at + 4);
    Some(one_frame(original, bytes, section, frame))
}

fn impossible_length(original: &Original, random: &mut Random) -> Option<Mutant> {
    let (section, frame) = frame(original, random);
    let left = u32::try_from(section.plain_length - frame.offset - 12).unwrap();
    let (length, kind) = *random.pick(&[
        (0, DamageKind::FrameLength),
        (9, DamageKind::FrameLength),
        (u32::MAX, DamageKind::FrameLength),
        (1 << 31, DamageKind::FrameLength),
        (left + 1, DamageKind::TruncatedFrame),
        (i32::MAX.unsigned_abs(), DamageKind::TruncatedFrame),
    ]);
    let mut bytes = original.bytes.clone();
    let at = section.at(frame);
    bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
    bytes[at + 4..at + 8].copy_from_slice(&crc32fast::hash(&length.to_be_bytes()).to_be_bytes());
    Some(rest_of_section(original, bytes, (section, frame), kind))
}

fn cut(original: &Original, random: &mut Random) -> Option<Mutant> {
    let at = random.in_range(original.head..original.end_of_chain());
    let bytes = original.bytes[..at].to_vec();
    let section = original.sections.iter().find(|section| section.end > at).unwrap();
    let whole = |s: &Section, f: &Frame| s.marker + 8 + f.end() <= at;
    let mutations = original.mutations(|s, f| !whole(s, f));
    // Before a whole marker nothing says that more was there.
    if at < section.marker + 8 {
        return Some(Mutant::exact(bytes, Vec::new(), mutations));
    }
    let last_whole =
        section.frames.iter().filter(|frame| whole(section, frame)).map(Frame::end).max().unwrap_or(0);
    let lost = at - (section.marker + 8 + last_whole);
    let found = damage(DamageKind::TruncatedSection, at - lost, Some(last_whole), lost, None);
    Some(Mutant::exact(bytes, vec![found], mutations))
}

/// Bytes behind the zero marker are those of a section that was not synced yet.
fn tail(original: &Original, random: &mut Random) -> Option<Mutant> {
    let start = original.end_of_chain() + 8;
    let room = original.bytes.len().checked_sub(start + 64)?;
    let mut bytes = original.bytes.clone();
    let length = 1 + random.below(room.clamp(1, 2000));
    for byte in &mut bytes[start..start + length] {
        *byte = u8::try_from(random.next() & 0xFF).unwrap() | 1;
    }
    let mut mutant = Mutant::exact(bytes, Vec::new(), original.mutations(|_, _| false));
    mutant.unmarked = Some(length);
    Some(mutant)
}
