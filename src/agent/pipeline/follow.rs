//! The schema at the end of a segment of which nothing else is looked at.

use super::doubt;
use super::epoch::SchemaAt;
use super::system_change::SystemChange;
use super::walk::start_of;
use crate::commitlog::{FrameStep, Position, SectionCursor, SectionStep, Sections, Segment};

/// Follows the schema from `cursor` to the end of the segment, and does nothing else.
pub(in crate::agent) fn follow_schema(segment: &Segment<'_>, cursor: SectionCursor, schema: &mut SchemaAt) {
    let mut sections = Sections::resume(segment, cursor, Vec::new());
    while let Some((marker, _)) = sections.next_marker() {
        let mut here = Position { marker: marker as u64, ..start_of(segment.descriptor().id) };
        let mut frames = match sections.next_section() {
            None => break,
            Some(SectionStep::Section(frames)) => frames,
            Some(SectionStep::Damage(damage)) => {
                doubt::damaged(schema, here, &damage, None);
                continue;
            }
        };
        while let Some(step) = frames.next_frame() {
            match step {
                FrameStep::Frame(frame) => {
                    here.entry = frame.entry;
                    if SystemChange::of(frame.payload) == Some(SystemChange::Schema) {
                        schema.apply(here, frame.payload);
                    }
                }
                FrameStep::Damage(damage) => doubt::damaged(schema, here, &damage, Some(frames.plain())),
            }
            here.entry += 1;
        }
    }
}
