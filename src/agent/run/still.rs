//! Reads a segment into which nobody writes any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::reader::Reading;
use crate::agent::exit::{Exit, Failure};
use crate::agent::head::Head;
use crate::agent::input;
use crate::agent::pipeline::epoch::SchemaAt;
use crate::agent::pipeline::held::Held;
use crate::agent::pipeline::range::Range;
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::segment::{Identity, OpenSegment};
use crate::agent::pipeline::unit::{After, Unit};
use crate::agent::pipeline::walk::{Found, Start, Walk};
use crate::agent::pipeline::worker::Worker;
use crate::agent::pipeline::writer::Writer;
use crate::cdc_raw::{Directory, SegmentFile};
use crate::checkpoint::Fingerprint;
use crate::commitlog::{Damage, Position, Segment};
use crate::failpoint;

/// What is done with a segment.
#[derive(Debug, Clone)]
pub(super) enum Task {
    /// It is read from here on.
    ReadFrom(Position),
    /// Mutations that were parked are tried again.
    Retry(BTreeSet<Position>),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// It was gone through. `Some` when it can be told from others.
    Through(Option<Fingerprint>),
    /// There is nothing in it.
    Blank,
    /// It vanished meanwhile.
    Gone,
    /// Something of it cannot be read, or all: that is lost, and noted.
    Damaged,
    /// It was asked to stop on the way.
    Stopped,
}

/// Called between the units of a segment: `false` to stop.
pub(super) type Between<'b, 'w> = dyn FnMut(&mut Writer<'w>) -> Result<bool, Failure> + 'b;

/// Goes through a segment. `is_still`: it may be mapped.
pub(super) fn read<'w>(
    reading: &Reading<'_>,
    (file, is_still): (&SegmentFile, bool),
    task: Task,
    schema: &mut SchemaAt,
    worker: &Worker<'_>,
    writer: &mut Writer<'w>,
    between: &mut Between<'_, 'w>,
) -> Result<Read, Failure> {
    let Some(opened) = open(reading.directory, file, is_still)? else { return Ok(Read::Gone) };
    let segment = match Head::of(opened.bytes(), Some(file.name), reading.keys) {
        Head::Sound(segment) => segment,
        Head::Blank => return Ok(Read::Blank),
        Head::Damaged(damage, error) => {
            writer.note(lost(&opened.label, &damage, &error.to_string()));
            return Ok(Read::Damaged);
        }
        head => return Err(unreadable(&opened.label, &head)),
    };
    failpoint::cross("still_opened");
    let identity = Identity::of(&segment);
    let (from, retried) = match task {
        Task::ReadFrom(from) => (from, BTreeSet::new()),
        Task::Retry(retried) => {
            (Position { segment: file.name.id, marker: u64::MAX, entry: u32::MAX, row: 0 }, retried)
        }
    };
    let is_retry = !retried.is_empty();
    let start = Start { fingerprint: identity.fingerprint, from, retried, late: false };
    let mut walk = Walk::new(Arc::clone(&opened), &segment, start, Range::default()).keep_damaged();
    let mut held = Held::default();
    loop {
        let (is_more, units) = step(&mut walk, &segment, &mut held, schema, writer)?;
        for mut unit in units {
            if is_retry {
                unit.after = After::Stay;
            }
            let fingerprint = identity.lasting();
            end(&unit, worker, writer, fingerprint)?;
            schema.committed(writer.committed());
            failpoint::cross("still_unit");
            if !between(writer)? {
                return Ok(Read::Stopped);
            }
        }
        if !is_more {
            failpoint::cross("still_read");
            if walk.is_damaged() {
                return Ok(Read::Damaged);
            }
            return Ok(Read::Through(identity.lasting()));
        }
    }
}

/// `None` when it vanished.
fn open(
    directory: &Directory,
    file: &SegmentFile,
    is_still: bool,
) -> Result<Option<Arc<OpenSegment>>, Failure> {
    let _held = directory.hold_moves();
    let path = directory.segment(file.name);
    match OpenSegment::open_as(input::SegmentFile::from(path.clone()), is_still, file.index, None) {
        Ok(opened) => Ok(Some(Arc::new(opened))),
        Err(_) if !path.exists() => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn end(
    unit: &Unit,
    worker: &Worker<'_>,
    writer: &mut Writer<'_>,
    fingerprint: Option<Fingerprint>,
) -> Result<(), Failure> {
    let report = worker.run(unit, writer)?;
    writer.end_unit(report, unit.after, fingerprint)
}

/// Looks at the next section: whether there is one, and the units that are whole.
fn step(
    walk: &mut Walk,
    segment: &Segment<'_>,
    held: &mut Held,
    schema: &mut SchemaAt,
    writer: &mut Writer<'_>,
) -> Result<(bool, Vec<Unit>), Failure> {
    let mut report = Report::default();
    let mut found = Found { schema, report: &mut report, units: Vec::new() };
    // What the unit at hand holds is free once it is worked off.
    if walk.has_parts() && !held.has_room_for(walk.memory_of_next(segment)) {
        walk.cut_here(&mut found);
        return Ok((true, found.units));
    }
    let is_more = walk.next_section(segment, &mut found, held);
    let units = found.units;
    report.schema_doubtful.extend(schema.doubts.take());
    // Before what stands behind the creations.
    writer.begins(&std::mem::take(&mut report.begun))?;
    writer.note(report);
    Ok((is_more, units))
}

fn lost(label: &str, damage: &Damage, reason: &str) -> Report {
    let mut report = Report::default();
    report.lost.bytes += damage.lost_bytes;
    report.lost.more_mutations = true;
    report.damaged_segments.push((label.to_owned(), reason.to_owned()));
    report
}

fn unreadable(label: &str, head: &Head<'_>) -> Failure {
    let (exit, why) = match head {
        Head::Misnamed(_, damage) => (Exit::Damaged, damage.reason.clone().unwrap_or_default()),
        Head::Damaged(_, error) => (Exit::Damaged, error.to_string()),
        Head::Unreadable(error) => (Exit::Unreadable, crate::agent::keys::reason(error)),
        Head::Sound(_) | Head::Blank => (Exit::Bug, "it can be read".to_owned()),
    };
    Failure::new(exit, format!("{label} cannot be read: {why}"))
        .next("cdc-agent verify says more; if what it holds may be lost: cdc-agent checkpoint accept-loss --segment ID")
}
