//! The first look at a segment, section by section: framing, damage, schema changes, and the units of work to
//! cut it into.
//!
//! Every checksum is verified here. So damage is known, and reported once, before a record is made of what
//! stands behind it, and several workers can share a section.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::begun::begun;
use super::doubt;
use super::epoch::{Epoch, SchemaAt, Verdict};
use super::held::Held;
use super::range::Range;
use super::report::Report;
use super::segment::OpenSegment;
use super::system_change::{SystemChange, truncated};
use super::undecoded::readable;
use super::unit::{After, SectionPart, Unit};
use super::worker::now_ms;
use crate::agent::index::{ChainEnd, Ending};
use crate::checkpoint::Fingerprint;
use crate::commitlog::{
    DamageKind, Frame, FrameStep, Frames, Position, SectionCursor, SectionStep, Sections, Segment, SegmentId,
    peek,
};

/// A unit ends at the first frame boundary after this many plain bytes.
const UNIT_BYTES: usize = 512 << 10;

/// A walk over the sections of one segment.
///
/// The whole segment is walked in any case: the schema may change in any part of it, and the logical positions
/// of a compressed segment are only known from its start. What stands before `from` is not reported; units
/// begin at `first` or behind it.
#[derive(Debug)]
pub(in crate::agent) struct Walk {
    pub(in crate::agent) opened: Arc<OpenSegment>,
    pub(in crate::agent) cursor: SectionCursor,
    fingerprint: Fingerprint,
    from: Position,
    first: Position,
    retried: Arc<BTreeSet<Position>>,
    late: bool,
    /// Damage outside it is not reported.
    range: Range,
    is_stored: bool,
    /// Where the chain of markers ends, as far as it was walked.
    chain: ChainEnd,
    /// Where the next look begins: at the end, or inside a last section that was cut and may be whole then.
    next: Position,
    /// Whether a section from `first` on was met.
    has_begun: bool,
    /// File offset up to which bytes are counted.
    counted: u64,
    cut: Cut,
    is_damaged: bool,
    is_damage_done: bool,
}

/// The unit that is being filled.
#[derive(Debug, Default)]
struct Cut {
    parts: Vec<SectionPart>,
    bytes: usize,
    epochs: Vec<Arc<Epoch>>,
}

/// How a segment is gone through.
pub(in crate::agent) struct Start {
    pub(in crate::agent) fingerprint: Fingerprint,
    /// What stands before it was done by an earlier replay.
    pub(in crate::agent) from: Position,
    /// Mutations that an earlier replay parked, to be tried again.
    pub(in crate::agent) retried: BTreeSet<Position>,
    /// Whether the segment comes behind a newer one.
    pub(in crate::agent) late: bool,
}

/// What a walk adds to.
pub(in crate::agent) struct Found<'s> {
    pub(in crate::agent) schema: &'s mut SchemaAt,
    pub(in crate::agent) report: &'s mut Report,
    pub(in crate::agent) units: Vec<Unit>,
}

impl Walk {
    pub(in crate::agent) fn new(
        opened: Arc<OpenSegment>,
        segment: &Segment<'_>,
        start: Start,
        range: Range,
    ) -> Self {
        let Start { fingerprint, from, retried, late } = start;
        Self {
            opened,
            cursor: Sections::new(segment).cursor(),
            fingerprint,
            from,
            first: retried.first().map_or(from, |place| from.min(*place)),
            retried: Arc::new(retried),
            late,
            range,
            is_stored: segment.is_stored(),
            chain: ChainEnd::default(),
            next: start_of(from.segment),
            has_begun: false,
            counted: from.marker,
            cut: Cut::default(),
            is_damaged: false,
            is_damage_done: true,
        }
    }

    /// Where damage was found, the segment is not done: what it holds cannot all be delivered.
    pub(in crate::agent) fn keep_damaged(self) -> Self {
        Self { is_damage_done: false, ..self }
    }

    /// Whether damage was found, also in what was read before.
    pub(in crate::agent) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Memory in bytes that the next section will take.
    pub(in crate::agent) fn memory_of_next(&self, segment: &Segment<'_>) -> usize {
        Sections::resume(segment, self.cursor, Vec::new()).next_plain_length()
    }

    /// Looks at the next section; `false` when there is none: then the last unit is cut.
    pub(in crate::agent) fn next_section(
        &mut self,
        segment: &Segment<'_>,
        found: &mut Found<'_>,
        held: &mut Held,
    ) -> bool {
        let mut sections = Sections::resume(segment, self.cursor, held.take_buffer());
        let is_more = self.look_at(&mut sections, found);
        if self.is_stored {
            let restored = Arc::new(sections.take_plain());
            held.add(&restored, restored.capacity());
            let units = found.units.iter_mut().map(|unit| &mut unit.parts);
            for part in units.chain([&mut self.cut.parts]).flatten() {
                part.restored.get_or_insert_with(|| Arc::clone(&restored));
            }
            held.give_back(restored);
        }
        self.cursor = sections.cursor();
        if !is_more {
            self.finish(segment, &sections, found);
        }
        is_more
    }

    fn look_at(&mut self, sections: &mut Sections<'_>, found: &mut Found<'_>) -> bool {
        let Some((marker, _)) = sections.next_marker() else { return false };
        let here = Position { marker: marker as u64, ..start_of(self.from.segment) };
        let step = sections.next_section();
        if self.chain.marker(marker, step.as_ref()) {
            self.next = here;
        }
        match step {
            None => return false,
            Some(SectionStep::Damage(damage)) => {
                self.is_damaged = true;
                doubt::damaged(found.schema, here, &damage, None);
                let next = sections.next_marker().map_or(u64::MAX, |(marker, _)| marker as u64);
                if here.marker >= self.from.marker
                    && self.range.touches(here, Position { marker: next, ..here })
                {
                    found.report.damaged(here.segment, damage);
                }
            }
            Some(SectionStep::Section(frames)) => {
                found.report.sections += u64::from(here.marker >= self.from.marker);
                let is_wanted = here.marker >= self.first.marker;
                self.has_begun |= is_wanted;
                self.section(frames, here, is_wanted, found);
            }
        }
        true
    }

    fn section(
        &mut self,
        mut frames: Frames<'_>,
        mut here: Position,
        is_wanted: bool,
        found: &mut Found<'_>,
    ) {
        let bounds = frames.bounds();
        let end = Position { marker: bounds.end as u64, entry: 0, ..here };
        // Counts damaged mutations, too.
        let mut entry = 0;
        while let Some(step) = frames.next_frame() {
            match step {
                FrameStep::Damage(damage) => {
                    self.is_damaged = true;
                    self.chain.damaged_frame(damage.kind);
                    let start = Position { entry, ..here };
                    doubt::damaged(found.schema, start, &damage, Some(frames.plain()));
                    entry += 1;
                    let end = match damage.kind {
                        DamageKind::FrameChecksum => Position { entry, ..here },
                        _ => end,
                    };
                    if here >= self.from && self.range.touches(start, end) {
                        found.report.damaged(here.segment, damage);
                    }
                }
                FrameStep::Frame(frame) => {
                    entry = frame.entry + 1;
                    here.entry = frame.entry;
                    // It is told of when it is its turn.
                    self.is_damaged |= !self.is_damage_done && readable(frame.payload).is_none();
                    if is_wanted {
                        self.cut.add(frame, (here.marker, bounds.logical_start), found.schema);
                        if found.schema.doubts.has_idle() && self.is_asked_for(here, frame.payload, found) {
                            found.schema.doubts.meet();
                        }
                    }
                    match SystemChange::of(frame.payload) {
                        Some(SystemChange::Schema) => self.change_schema(here, frame.payload, found),
                        Some(SystemChange::Local) if here >= self.from => {
                            let truncated = truncated(frame.payload, found.schema.epoch());
                            found.report.truncated.extend(truncated.into_iter().map(|what| (here, what)));
                        }
                        Some(SystemChange::Local) | None => {}
                    }
                    here.entry += 1;
                    if self.cut.bytes >= UNIT_BYTES {
                        if !self.is_stored {
                            self.chain.offset = bounds.marker + frame.end();
                        }
                        self.cut(After::Continue(here), found);
                    }
                }
            }
        }
        self.chain.offset = bounds.end;
        self.next = if self.chain.is_clean { end } else { here };
    }

    /// Whether a mutation may become records.
    fn is_asked_for(&self, position: Position, payload: &[u8], found: &Found<'_>) -> bool {
        let is_new = position >= self.from || self.retried.contains(&position);
        let verdict = peek(payload).map(|peeked| found.schema.epoch().interest.mutation(&peeked));
        is_new
            && !self.range.excludes_mutation(position)
            && matches!(verdict, Ok(Verdict::Wanted | Verdict::Unknown))
    }

    /// Applies a schema change; it is told of when it is not one that was there before.
    fn change_schema(&mut self, position: Position, payload: &[u8], found: &mut Found<'_>) {
        let applied = found.schema.apply(position, payload);
        if position >= self.from {
            let place = (position, self.opened.label.as_str());
            found.report.begun.extend(begun(&applied.created, place, found.schema.epoch(), now_ms()));
            let changes = applied.changes.into_iter().map(|change| (position, change));
            found.report.schema_changes.extend(changes);
        }
        if applied.is_changed && !self.cut.parts.is_empty() {
            self.cut.epochs.push(Arc::clone(found.schema.epoch()));
        }
    }

    /// Whether something was gathered for the next unit.
    pub(in crate::agent) fn has_parts(&self) -> bool {
        !self.cut.parts.is_empty()
    }

    /// Makes a unit of what was gathered.
    pub(in crate::agent) fn cut_here(&mut self, found: &mut Found<'_>) {
        if self.has_parts() {
            self.cut(After::Continue(self.next), found);
        }
    }

    fn cut(&mut self, after: After, found: &mut Found<'_>) {
        let cut = std::mem::take(&mut self.cut);
        let bytes = (self.chain.offset as u64).saturating_sub(self.counted);
        self.counted += bytes;
        found.units.push(Unit {
            segment: Arc::clone(&self.opened),
            is_stored: self.is_stored,
            parts: cut.parts,
            bytes,
            from: self.from,
            retried: Arc::clone(&self.retried),
            late: self.late,
            epochs: cut.epochs,
            after,
        });
    }

    fn finish(&mut self, segment: &Segment<'_>, sections: &Sections<'_>, found: &mut Found<'_>) {
        found.report.unmarked_bytes += sections.unmarked_bytes();
        let file_length = self.opened.bytes().len() as u64;
        let logical_end = sections.logical_end(self.chain.offset);
        let ending = self.chain.judge(self.opened.index, logical_end, file_length);
        let is_final = ending == Ending::Final;
        let behind = Position { marker: u64::MAX, ..self.next };
        if let Ending::Cut(damage) = ending {
            self.is_damaged = true;
            doubt::damaged(found.schema, self.next, &damage, None);
            if self.range.touches(self.next, behind) {
                found.report.damaged(segment.descriptor().id, damage);
            }
        }
        // Of a segment that was read to its end before, only that it is final is news.
        let is_news = self.has_begun || (is_final && self.from.marker > 0);
        if !is_news {
            found.report.bytes += (self.chain.offset as u64).saturating_sub(self.counted);
            return;
        }
        let after = match is_final && (self.is_damage_done || !self.is_damaged) {
            true => After::Finish(self.from.segment, self.fingerprint),
            false => After::Continue(self.next),
        };
        self.cut(after, found);
    }
}

impl Cut {
    #[inline]
    fn add(&mut self, frame: Frame<'_>, (marker, logical_start): (u64, u64), schema: &SchemaAt) {
        self.bytes += frame.length();
        match self.parts.last_mut() {
            Some(part) if part.marker == marker => {
                part.has_damage |= part.range.end != frame.offset;
                part.range.end = frame.end();
                return;
            }
            Some(_) => {}
            None => self.epochs = vec![Arc::clone(schema.epoch())],
        }
        self.parts.push(SectionPart {
            marker,
            logical_start,
            entry: frame.entry,
            range: frame.offset..frame.end(),
            has_damage: false,
            restored: None,
        });
    }
}

/// The first place of a segment.
pub(in crate::agent) fn start_of(segment: SegmentId) -> Position {
    Position { segment, marker: 0, entry: 0, row: 0 }
}
