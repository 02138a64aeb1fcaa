//! The first look at a segment: framing, damage, schema changes, and the units of work to cut it into.
//!
//! Every checksum is verified here. So damage is known, and reported once, before a record of the segment is
//! made, and several workers can share a segment.

use crate::agent::replay::report::Report;
use crate::commitlog::{DamageKind, FrameStep, Frames, Position, SectionStep, Sections, Segment, peek};
use crate::schema::{TableId, system};

/// A unit ends at the first section boundary after this many file bytes.
const UNIT_BYTES: usize = 1 << 20;

/// Where a section starts: file offset of its marker and logical position.
pub(super) type SectionStart = (usize, u64);

/// What the first look found.
#[derive(Debug)]
pub(super) struct Scan {
    /// Starts of the units, in order.
    pub(super) units: Vec<SectionStart>,
    /// Where the chain of markers ends.
    pub(super) end: usize,
    /// Where the next look begins: at the end, or inside a last section that was cut and may be whole then.
    pub(super) next: Position,
    /// Whether nothing is wrong with the end of the chain.
    pub(super) ends_cleanly: bool,
    /// Mutations of `system_schema`, with their places; those before the start of the replay as well.
    pub(super) schema_mutations: Vec<(Position, Vec<u8>)>,
    /// Sections, bytes and damage. Mutations are counted by the workers.
    pub(super) report: Report,
}

/// Walks the segment. What stands before `from` is not reported; units begin at `first` or behind it.
///
/// The whole segment is walked in any case: the schema may change in any part of it, and the logical positions
/// of a compressed segment are only known from its start.
pub(super) fn scan(segment: &Segment<'_>, from: Position, first: Position) -> Scan {
    let start = Position { marker: 0, entry: 0, row: 0, ..from };
    let mut scan = Scan {
        units: Vec::new(),
        end: 0,
        next: start,
        ends_cleanly: true,
        schema_mutations: Vec::new(),
        report: Report::default(),
    };
    let mut sections = Sections::new(segment);
    let mut unit_end = 0;
    while let Some(here) = sections.next_marker() {
        let marker = here.0 as u64;
        (scan.end, scan.next) = (here.0, Position { marker, ..start });
        scan.ends_cleanly = true;
        match sections.next_section() {
            None => break,
            Some(SectionStep::Damage(damage)) => {
                scan.ends_cleanly = false;
                if marker >= from.marker {
                    scan.report.damaged(segment.descriptor().id, damage);
                }
            }
            Some(SectionStep::Section(frames)) => {
                scan.report.sections += u64::from(marker >= from.marker);
                if marker >= first.marker && here.0 >= unit_end {
                    scan.units.push(here);
                    unit_end = here.0 + UNIT_BYTES;
                }
                scan.end = frames.bounds().end;
                scan.section(frames, Position { marker, ..start }, from);
            }
        }
    }
    scan.report.unmarked_bytes = sections.unmarked_bytes();
    scan.report.bytes = (scan.end as u64).saturating_sub(from.marker);
    scan
}

impl Scan {
    fn section(&mut self, mut frames: Frames<'_>, mut here: Position, from: Position) {
        while let Some(step) = frames.next_frame() {
            match step {
                FrameStep::Damage(damage) => {
                    // Only told of a last section: no marker follows that corrects this one's pointer.
                    self.ends_cleanly &=
                        !matches!(damage.kind, DamageKind::TruncatedSection | DamageKind::MarkerTarget);
                    if here >= from {
                        self.report.damaged(here.segment, damage);
                    }
                }
                FrameStep::Frame(frame) => {
                    let position = Position { entry: frame.entry, ..here };
                    if peek(frame.payload).is_ok_and(|peek| is_schema_table(peek.table)) {
                        self.schema_mutations.push((position, frame.payload.to_vec()));
                    }
                    here.entry = frame.entry + 1;
                }
            }
        }
        let end = Position { marker: self.end as u64, entry: 0, ..here };
        self.next = if self.ends_cleanly { end } else { here };
    }
}

/// Whether a table is one of those in which Cassandra keeps the schema.
fn is_schema_table(id: TableId) -> bool {
    system::schema().table(id).is_some_and(|table| table.keyspace == "system_schema")
}
