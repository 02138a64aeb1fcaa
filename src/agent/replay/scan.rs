//! The first look at a segment: framing, damage, schema changes, and the units of work to cut it into.
//!
//! Every checksum is verified here. So damage is known, and reported once, before a record of the segment is
//! made, and several workers can share a segment.

use crate::agent::replay::report::Report;
use crate::commitlog::{FrameStep, Frames, Position, SectionStep, Sections, Segment, peek};
use crate::schema::{TableId, system};

/// A unit ends at the first section boundary after this many file bytes.
const UNIT_BYTES: usize = 1 << 20;

/// Where a section starts: file offset of its marker and logical position.
pub(super) type SectionStart = (usize, u64);

/// What the first look found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Starts of the units, in order.
    pub(super) units: Vec<SectionStart>,
    /// Where the chain of markers ends.
    pub(super) end: usize,
    /// Mutations of `system_schema`, with their places.
    pub(super) schema_mutations: Vec<(Position, Vec<u8>)>,
    /// Sections, bytes and damage. Mutations are counted by the workers.
    pub(super) report: Report,
}

/// Walks the segment from `start`, or from its first section.
pub(super) fn scan(segment: &Segment<'_>, start: Option<usize>) -> Scan {
    let mut scan = Scan::default();
    let mut sections = match start {
        // The logical position is only told in profile debezium-cassandra; after a restart inside a compressed
        // segment it is found again by walking from the start.
        Some(marker) => skip_to(segment, marker),
        None => Sections::new(segment),
    };
    let mut unit_end = 0;
    while let Some(here) = sections.next_marker() {
        scan.end = here.0;
        match sections.next_section() {
            None => break,
            Some(SectionStep::Damage(damage)) => scan.report.damaged(segment.descriptor().id, damage),
            Some(SectionStep::Section(frames)) => {
                scan.report.sections += 1;
                if here.0 >= unit_end {
                    scan.units.push(here);
                    unit_end = here.0 + UNIT_BYTES;
                }
                let end = frames.bounds().end;
                scan.section(segment, frames);
                scan.end = end;
            }
        }
    }
    scan.report.unmarked_bytes = sections.unmarked_bytes();
    scan.report.bytes = (scan.end.saturating_sub(start.unwrap_or(0))) as u64;
    scan
}

/// The reader of `segment` that stands at `marker`, or behind it when no section starts there.
fn skip_to<'f>(segment: &'f Segment<'f>, marker: usize) -> Sections<'f> {
    let mut sections = Sections::new(segment);
    while sections.next_marker().is_some_and(|(at, _)| at < marker) {
        match sections.next_section() {
            // Frames are walked so that a wrong pointer is corrected as it was before.
            Some(SectionStep::Section(mut frames)) => while frames.next_frame().is_some() {},
            Some(SectionStep::Damage(_)) => {}
            None => break,
        }
    }
    sections
}

impl Scan {
    fn section(&mut self, segment: &Segment<'_>, mut frames: Frames<'_>) {
        let id = segment.descriptor().id;
        let marker = frames.bounds().marker as u64;
        while let Some(step) = frames.next_frame() {
            match step {
                FrameStep::Damage(damage) => self.report.damaged(id, damage),
                FrameStep::Frame(frame) => {
                    if peek(frame.payload).is_ok_and(|peek| is_schema_table(peek.table)) {
                        let position = Position { segment: id, marker, entry: frame.entry, row: 0 };
                        self.schema_mutations.push((position, frame.payload.to_vec()));
                    }
                }
            }
        }
    }
}

/// Whether a table is one of those in which Cassandra keeps the schema.
fn is_schema_table(id: TableId) -> bool {
    system::schema().table(id).is_some_and(|table| table.keyspace == "system_schema")
}
