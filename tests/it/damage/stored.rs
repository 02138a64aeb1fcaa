//! Classes of damage to compressed and encrypted segments. What a decompressor makes of changed bytes cannot
//! be foretold; then every missing mutation must lie in exactly one reported damage.

use cdc_agent::commitlog::DamageKind;

use super::mutant::{Mutant, Random, damage};
use super::plain::Class;
use super::segment::{Original, Section};

/// docs/commit-log-format.md, 9: a section that declares more is not restored.
const MOST_PLAIN_BYTES: u32 = 256 << 20;

pub(super) const CLASSES: &[(&str, Class)] = &[
    ("pointer of a marker", pointer),
    ("pointer behind the end of the file", pointer_behind_the_end),
    ("pointer to another marker", pointer_to_another_marker),
    ("checksum of a marker", marker_checksum),
    ("declared plain length", plain_length),
    ("bit of a body", body),
    ("bytes of a body", body_bytes),
    ("body of another section", other_body),
    ("cut anywhere", cut),
    ("zeros anywhere", zero_range),
    ("random page", random_page),
];

fn gone(section: &Section) -> impl Fn(&Section, &super::segment::Frame) -> bool {
    let marker = section.marker;
    move |at, _| at.marker == marker
}

/// The whole section is lost.
fn lost_section(
    original: &Original,
    bytes: Vec<u8>,
    section: &Section,
    kind: DamageKind,
    to: usize,
) -> Mutant {
    let found = damage(kind, section.marker, None, to - section.marker, None);
    Mutant::exact(bytes, vec![found], original.mutations(gone(section)))
}

fn put(original: &Original, at: usize, value: u32) -> Vec<u8> {
    let mut bytes = original.bytes.clone();
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    bytes
}

fn pointer(original: &Original, random: &mut Random) -> Option<Mutant> {
    let section =
        &original.sections[random.below(original.sections.len().checked_sub(1).filter(|n| *n > 0)?)];
    let mut bytes = original.bytes.clone();
    random.flip_bit(&mut bytes, section.marker..section.marker + 4);
    let target =
        usize::try_from(u32::from_be_bytes(bytes[section.marker..][..4].try_into().unwrap())).unwrap();
    // A target where no marker can stand, or that looks like the end of the chain, is believed.
    let at = bytes.get(target..target + 8);
    if target <= bytes.len() && at.is_none_or(|at| at == [0; 8]) {
        return Some(Mutant::accounted(bytes));
    }
    let found = damage(DamageKind::MarkerTarget, section.marker, Some(section.plain_length), 0, Some(0));
    Some(Mutant::exact(bytes, vec![found], original.mutations(|_, _| false)))
}

fn pointer_behind_the_end(original: &Original, random: &mut Random) -> Option<Mutant> {
    let index = random.below(original.sections.len());
    let section = &original.sections[index];
    let behind = original.bytes.len() + 1 + random.below(1 << 20);
    let bytes = put(original, section.marker, u32::try_from(behind).unwrap());
    if index + 1 == original.sections.len() {
        let end = original.bytes.len();
        return Some(lost_section(original, bytes, section, DamageKind::TruncatedSection, end));
    }
    let found = damage(DamageKind::MarkerTarget, section.marker, Some(section.plain_length), 0, Some(0));
    Some(Mutant::exact(bytes, vec![found], original.mutations(|_, _| false)))
}

fn pointer_to_another_marker(original: &Original, random: &mut Random) -> Option<Mutant> {
    let section = random.pick(&original.sections);
    let other = random.pick(&original.sections);
    let bytes = put(original, section.marker, u32::try_from(other.marker).unwrap());
    Some(Mutant::accounted(bytes))
}

fn marker_checksum(original: &Original, random: &mut Random) -> Option<Mutant> {
    let index = random.below(original.sections.len());
    let section = &original.sections[index];
    let mut bytes = original.bytes.clone();
    random.flip_bit(&mut bytes, section.marker + 4..section.marker + 8);
    let end = match original.sections.get(index + 1) {
        Some(next) => next.marker,
        None => bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1),
    };
    Some(lost_section(original, bytes, section, DamageKind::MarkerChecksum, end))
}

/// Too much, too little, nothing, and more than there can be.
fn plain_length(original: &Original, random: &mut Random) -> Option<Mutant> {
    let section = random.pick(&original.sections);
    let true_length = u32::try_from(section.plain_length).unwrap();
    let lies = [
        0,
        1,
        true_length.wrapping_sub(1),
        true_length + 1,
        true_length.wrapping_mul(2),
        true_length + 65_536,
        i32::MAX.unsigned_abs(),
        1 << 31,
        u32::MAX,
    ];
    let lie = *random.pick(&lies);
    // A section of nothing has a block of a few bytes, whatever its form.
    if lie == true_length || section.frames.is_empty() {
        return None;
    }
    let bytes = put(original, section.marker + 8, lie);
    let kind = if lie <= MOST_PLAIN_BYTES { DamageKind::SectionBody } else { DamageKind::SectionTooLarge };
    Some(lost_section(original, bytes, section, kind, section.end))
}

fn body(original: &Original, random: &mut Random) -> Option<Mutant> {
    let section = random.pick(&original.sections);
    let range = section.marker + 12..section.end;
    if range.is_empty() {
        return None;
    }
    let mut bytes = original.bytes.clone();
    random.flip_bit(&mut bytes, range);
    Some(Mutant::accounted(bytes))
}

fn body_bytes(original: &Original, random: &mut Random) -> Option<Mutant> {
    let section = random.pick(&original.sections);
    let start = random.in_range(section.marker + 8..section.end);
    let end = section.end.min(start + 1 + random.below(40));
    let mut bytes = original.bytes.clone();
    for byte in &mut bytes[start..end] {
        *byte = u8::try_from(random.next() & 0xFF).unwrap();
    }
    Some(Mutant::accounted(bytes))
}

fn other_body(original: &Original, random: &mut Random) -> Option<Mutant> {
    let (to, from) = (random.pick(&original.sections), random.pick(&original.sections));
    let length = (to.end - to.marker).min(from.end - from.marker).checked_sub(12)?;
    let mut bytes = original.bytes.clone();
    bytes.copy_within(from.marker + 12..from.marker + 12 + length, to.marker + 12);
    Some(Mutant::accounted(bytes))
}

/// A stored section is lost as a whole when its end is missing.
fn cut(original: &Original, random: &mut Random) -> Option<Mutant> {
    let at = random.in_range(original.head..original.end_of_chain());
    let bytes = original.bytes[..at].to_vec();
    let section = original.sections.iter().find(|section| section.end > at).unwrap();
    let mutations = original.mutations(|found, _| found.end > at);
    // Before a whole marker nothing says that more was there.
    let damages = if at < section.marker + 8 {
        Vec::new()
    } else {
        vec![damage(DamageKind::TruncatedSection, section.marker, None, at - section.marker, None)]
    };
    Some(Mutant::exact(bytes, damages, mutations))
}

fn zero_range(original: &Original, random: &mut Random) -> Option<Mutant> {
    let start = random.in_range(original.head..original.end_of_chain());
    let end = (start + 1 + random.below(600)).min(original.bytes.len());
    // A last marker that is wiped looks like the end of the chain.
    if start < original.sections.last()?.marker + 8 && end >= original.sections.last()?.marker {
        return None;
    }
    let mut bytes = original.bytes.clone();
    bytes[start..end].fill(0);
    Some(Mutant::accounted(bytes))
}

fn random_page(original: &Original, random: &mut Random) -> Option<Mutant> {
    let start = random.in_range(original.head..original.end_of_chain());
    let end = (start + 4096).min(original.bytes.len());
    let mut bytes = original.bytes.clone();
    for byte in &mut bytes[start..end] {
        *byte = u8::try_from(random.next() & 0xFF).unwrap();
    }
    Some(Mutant::accounted(bytes))
}
