//! A damaged copy of a segment, what must be found in it, and the check.

use cdc_agent::commitlog::{Damage, DamageKind};

use super::segment::{Found, Original, Outcome, Section, read};

/// Which mutants are made: printed with every failure.
pub(super) const SEED: u64 = 0x5EED_0003;

/// A small generator (splitmix64): the same mutants on every machine.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(case: u64) -> Self {
        Self(SEED.wrapping_add(case.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(super) fn in_range(&mut self, range: std::ops::Range<usize>) -> usize {
        range.start + self.below(range.len())
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    pub(super) fn flip_bit(&mut self, bytes: &mut [u8], range: std::ops::Range<usize>) {
        let at = self.in_range(range);
        bytes[at] ^= 1 << self.below(8);
    }
}

/// Damage of a plain section's bytes, or of a whole section when `plain_offset` is none.
pub(super) fn damage(
    kind: DamageKind,
    offset: usize,
    plain_offset: Option<usize>,
    lost_bytes: usize,
    lost_mutations: Option<u64>,
) -> Damage {
    Damage {
        kind,
        offset: offset as u64,
        plain_offset: plain_offset.map(|offset| offset as u64),
        lost_bytes: lost_bytes as u64,
        lost_mutations,
        reason: None,
    }
}

/// A damaged copy.
pub(super) struct Mutant {
    pub(super) bytes: Vec<u8>,
    /// The damage to be found, in order; `None` when only the account must be right.
    pub(super) damages: Option<Vec<Damage>>,
    /// The mutations to be found; `None` when only the account must be right.
    pub(super) mutations: Option<Vec<Found>>,
    /// The bytes behind the last marker, where they are known.
    pub(super) unmarked: Option<usize>,
}

impl Mutant {
    /// A mutant of which the account must be right.
    pub(super) fn accounted(bytes: Vec<u8>) -> Self {
        Self { bytes, damages: None, mutations: None, unmarked: None }
    }

    /// A mutant with known damage and known mutations.
    pub(super) fn exact(bytes: Vec<u8>, damages: Vec<Damage>, mutations: Vec<Found>) -> Self {
        Self { bytes, damages: Some(damages), mutations: Some(mutations), unmarked: None }
    }

    /// Reads the mutant and compares.
    pub(super) fn check(&self, original: &Original, what: &str) {
        let outcome = read(&self.bytes, &original.name)
            .unwrap_or_else(|error| panic!("{what}: the segment could not be opened: {error}"));
        if let Some(damages) = &self.damages {
            let without_reason = outcome.damages.iter().map(|it| Damage { reason: None, ..it.clone() });
            assert_eq!(&without_reason.collect::<Vec<_>>(), damages, "{what}: the damage");
        }
        if let Some(unmarked) = self.unmarked {
            assert_eq!(outcome.unmarked, unmarked as u64, "{what}: bytes behind the last marker");
        }
        for damage in &outcome.damages {
            let is_body = damage.kind == DamageKind::SectionBody;
            assert_eq!(damage.reason.is_some(), is_body, "{what}: {damage}");
        }
        let mutations = outcome.mutations();
        if let Some(expected) = &self.mutations {
            assert!(
                &mutations == expected,
                "{what}: {} mutations, expected {}",
                mutations.len(),
                expected.len()
            );
        } else {
            account(original, &outcome, what);
        }
    }
}

/// Every mutation of the original is there, or lies in exactly one damage; nothing else is there.
fn account(original: &Original, outcome: &Outcome, what: &str) {
    let mutations = outcome.mutations();
    let mut left = mutations.iter().peekable();
    let mut lost_in = vec![0_u64; outcome.damages.len()];
    for section in &original.sections {
        for frame in &section.frames {
            let whole = (section.marker, frame.offset, frame.payload.clone());
            if left.peek() == Some(&&whole) {
                left.next();
                continue;
            }
            let (from, to) = (frame.offset, frame.end());
            let covering: Vec<usize> = (0..lost_in.len())
                .filter(|at| covers(original, &outcome.damages[*at], section, from, to))
                .collect();
            let place = format!("the mutation at {from} of the section at {}", section.marker);
            assert_eq!(
                covering.len(),
                1,
                "{what}: {place} is lost in {covering:?} of {:#?}",
                outcome.damages
            );
            lost_in[covering[0]] += 1;
        }
    }
    assert!(left.next().is_none(), "{what}: mutations that the original does not have");
    for (damage, lost) in outcome.damages.iter().zip(lost_in) {
        assert!(damage.lost_mutations.is_none_or(|said| said == lost), "{what}: {lost} lost in {damage:?}");
    }
}

/// Whether a frame at `from..to` of a section's plain bytes lies in what a damage says is lost.
fn covers(original: &Original, damage: &Damage, section: &Section, from: usize, to: usize) -> bool {
    let overlaps =
        |start: u64, from: usize, to: usize| start < to as u64 && (from as u64) < start + damage.lost_bytes;
    match (original.stored, damage.plain_offset) {
        (true, Some(plain)) => damage.offset == section.marker as u64 && overlaps(plain, from, to),
        (true, None) => overlaps(damage.offset, section.marker, section.end),
        (false, _) => overlaps(damage.offset, section.marker + 8 + from, section.marker + 8 + to),
    }
}
