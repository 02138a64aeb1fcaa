//! Pages and ranges of a plain segment that hold other bytes.

use cdc_agent::commitlog::{Damage, DamageKind};

use super::mutant::{Mutant, Random, damage};
use super::plain::used;
use super::segment::{Original, Section};

const PAGE: usize = 4096;

fn page(original: &Original, random: &mut Random) -> std::ops::Range<usize> {
    let pages = original.end_of_chain().div_ceil(PAGE);
    // The first page holds the descriptor, which is another class.
    let start = if pages == 1 { original.head } else { PAGE * (1 + random.below(pages - 1)) };
    start..(start + PAGE).min(original.bytes.len())
}

pub(super) fn zero_page(original: &Original, random: &mut Random) -> Option<Mutant> {
    let mut bytes = original.bytes.clone();
    bytes[page(original, random)].fill(0);
    Some(overwritten(original, bytes))
}

pub(super) fn random_page(original: &Original, random: &mut Random) -> Option<Mutant> {
    let mut bytes = original.bytes.clone();
    for byte in &mut bytes[page(original, random)] {
        *byte = u8::try_from(random.next() & 0xFF).unwrap();
    }
    Some(overwritten(original, bytes))
}

pub(super) fn duplicated_page(original: &Original, random: &mut Random) -> Option<Mutant> {
    let (from, to) = (page(original, random), page(original, random));
    if from.len() != to.len() || from == to {
        return None;
    }
    let mut bytes = original.bytes.clone();
    bytes.copy_within(from, to.start);
    Some(overwritten(original, bytes))
}

pub(super) fn zero_range(original: &Original, random: &mut Random) -> Option<Mutant> {
    let start = random.in_range(original.head..original.end_of_chain());
    let end = (start + 1 + random.below(600)).min(original.bytes.len());
    let mut bytes = original.bytes.clone();
    bytes[start..end].fill(0);
    Some(overwritten(original, bytes))
}

/// What must be found after bytes anywhere behind the descriptor were overwritten: from the ledger and from
/// which bytes differ, not from the reader.
fn overwritten(original: &Original, bytes: Vec<u8>) -> Mutant {
    let same = |from: usize, to: usize| bytes[from..to] == original.bytes[from..to];
    let intact = |section: &Section| same(section.marker, section.marker + 8);
    let (mut damages, mut lost) = (Vec::new(), Vec::new());
    let mut index = 0;
    while let Some(section) = original.sections.get(index) {
        if intact(section) {
            let found = damaged_frames(original, &bytes, section, &mut lost);
            damages.extend(found);
            index += 1;
            continue;
        }
        // A pointer alone is not protected: whether the marker is believed is another class.
        if same(section.marker + 4, section.marker + 8) {
            return Mutant::accounted(bytes);
        }
        let next = (index + 1..original.sections.len()).find(|later| intact(&original.sections[*later]));
        let zero = bytes[section.marker..section.marker + 8] == [0; 8];
        let end = next.map_or_else(|| used(&bytes), |next| original.sections[next].marker);
        let until = next.unwrap_or(original.sections.len());
        for gone in &original.sections[index..until] {
            lost.extend(gone.frames.iter().map(|frame| (gone.marker, frame.offset)));
        }
        if next.is_some() || !zero {
            damages.push(damage(
                DamageKind::MarkerChecksum,
                section.marker,
                None,
                end - section.marker,
                None,
            ));
        }
        index = until;
    }
    let mutations = original.mutations(|section, frame| lost.contains(&(section.marker, frame.offset)));
    Mutant::exact(bytes, damages, mutations)
}

fn damaged_frames(
    original: &Original,
    bytes: &[u8],
    section: &Section,
    lost: &mut Vec<(usize, usize)>,
) -> Vec<Damage> {
    let mut found = Vec::new();
    for frame in &section.frames {
        let (start, end) = (section.at(frame), section.marker + 8 + frame.end());
        if bytes[start..start + 8] != original.bytes[start..start + 8] {
            let zero = bytes[start..start + 8] == [0; 8];
            let kind = if zero { DamageKind::ZeroFrame } else { DamageKind::FrameLengthChecksum };
            found.push(damage(kind, start, Some(frame.offset), section.end - start, None));
            lost.extend(
                section
                    .frames
                    .iter()
                    .filter(|f| f.offset >= frame.offset)
                    .map(|f| (section.marker, f.offset)),
            );
            return found;
        }
        if bytes[start..end] != original.bytes[start..end] {
            found.push(damage(DamageKind::FrameChecksum, start, Some(frame.offset), end - start, Some(1)));
            lost.push((section.marker, frame.offset));
        }
    }
    found
}
