//! Reads one segment from end to end and counts what is good and what is not.

use std::collections::BTreeMap;

use crate::agent::index::{ChainEnd, Ending};
use crate::commitlog::descriptor::OLDEST_DECODED_VERSION;
use crate::commitlog::{
    Damage, DamageKind, Decoder, Frame, FrameStep, Frames, Index, Mutation, MutationError, SectionBounds,
    SectionStep, Sections, Segment,
};
use crate::schema::{Schema, TableId};

/// Rows, cells and other items that are decoded at once.
const PART_ITEMS: usize = 8192;

/// What a segment holds. Bytes are file bytes in an uncompressed segment, plain bytes of the sections in any
/// other; a section that cannot be restored counts with its file bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Sections whose bytes are at hand.
    pub(super) sections: u64,
    /// Sections that could not be restored.
    pub(super) sections_lost: u64,
    /// Mutations whose checksums are right.
    pub(super) mutations: u64,
    /// Bytes of their frames.
    pub(super) good_bytes: u64,
    /// Bytes behind the last marker: written but never synced.
    pub(super) unmarked_bytes: u64,
    /// Of the mutations: decoded up to their last byte. `None` when the segment's version has no decoder.
    pub(super) decoded: Option<u64>,
    /// Of the mutations: not decoded, because the schema has not this table or not its columns.
    pub(super) unknown: BTreeMap<TableId, u64>,
    /// The damage, as found.
    pub(super) damage: Vec<Damage>,
}

impl Survey {
    /// Bytes lost by the damage.
    pub(super) fn lost_bytes(&self) -> u64 {
        self.damage.iter().map(|damage| damage.lost_bytes).sum()
    }

    /// Notes what hides a section.
    fn lose(&mut self, damage: Damage) {
        self.sections_lost += u64::from(damage.kind.loses_section());
        self.damage.push(damage);
    }

    /// Mutations lost, as far as their number is known, and whether that is all of them.
    pub(super) fn lost_mutations(&self) -> (u64, bool) {
        let known = self.damage.iter().filter_map(|damage| damage.lost_mutations).sum();
        (known, self.damage.iter().all(|damage| damage.lost_mutations.is_some()))
    }
}

/// Surveys a segment, in a file of this length with this index.
pub(super) fn survey(segment: &Segment<'_>, schema: &Schema, (index, file_length): (Index, u64)) -> Survey {
    let decodes = segment.descriptor().version >= OLDEST_DECODED_VERSION;
    let mut survey = Survey { decoded: decodes.then_some(0), ..Survey::default() };
    let mut decoder = Decoder::new(schema);
    let mut sections = Sections::new(segment);
    let mut chain = ChainEnd::default();
    while let Some((marker, _)) = sections.next_marker() {
        let step = sections.next_section();
        chain.marker(marker, step.as_ref());
        match step {
            None => break,
            Some(SectionStep::Section(frames)) => {
                survey.sections += 1;
                section(frames, segment.is_stored(), &mut decoder, &mut survey, &mut chain);
            }
            Some(SectionStep::Damage(damage)) => survey.lose(damage),
        }
    }
    if let Ending::Cut(damage) = chain.judge(index, sections.logical_end(chain.offset), file_length) {
        survey.lose(damage);
    }
    survey.unmarked_bytes = sections.unmarked_bytes();
    survey
}

fn section<'r, 's: 'r>(
    mut frames: Frames<'r>,
    is_stored: bool,
    decoder: &mut Decoder<'s>,
    survey: &mut Survey,
    chain: &mut ChainEnd,
) {
    let bounds = frames.bounds();
    let mut mutation = Mutation::default();
    while let Some(step) = frames.next_frame() {
        let frame = match step {
            FrameStep::Frame(frame) => frame,
            FrameStep::Damage(damage) => {
                chain.damaged_frame(damage.kind);
                survey.damage.push(damage);
                continue;
            }
        };
        let decoded = match survey.decoded {
            None => Ok(0),
            Some(decoded) => {
                let checked: Result<(), MutationError> =
                    decoder.decode_in_parts(frame.payload, &mut mutation, PART_ITEMS, |_| Ok(()));
                checked.map(|()| decoded + 1)
            }
        };
        match decoded {
            Ok(decoded) => survey.decoded = survey.decoded.map(|_| decoded),
            Err(MutationError::UnknownTable(table) | MutationError::UnknownColumn { table, .. }) => {
                *survey.unknown.entry(table).or_default() += 1;
            }
            Err(error @ MutationError::Malformed { .. }) => {
                survey.damage.push(malformed(&error, frame, bounds, is_stored));
                continue;
            }
        }
        survey.mutations += 1;
        survey.good_bytes += length(frame);
    }
    chain.offset = bounds.end;
}

fn length(frame: Frame<'_>) -> u64 {
    (frame.end() - frame.offset) as u64
}

fn malformed(error: &MutationError, frame: Frame<'_>, bounds: SectionBounds, is_stored: bool) -> Damage {
    let plain_offset = frame.offset as u64;
    let offset = if is_stored { bounds.marker as u64 } else { bounds.logical_start + plain_offset };
    Damage {
        kind: DamageKind::Mutation,
        offset,
        plain_offset: Some(plain_offset),
        lost_bytes: length(frame),
        lost_mutations: Some(1),
        reason: Some(error.to_string()),
    }
}
