//! Reads what is new in a segment that Cassandra still writes.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::Arc;

use super::beyond::{Beyond, Noting};
use super::reader::Reading;
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::agent::pipeline::begun::begun;
use crate::agent::pipeline::epoch::{Epoch, SchemaAt};
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::system_change::{SystemChange, truncated};
use crate::agent::pipeline::undecoded::readable;
use crate::agent::pipeline::unit::After;
use crate::agent::pipeline::walk::start_of;
use crate::agent::pipeline::worker::{Origin, Stretch, Worker, now_ms};
use crate::agent::pipeline::writer::Writer;
use crate::cdc_raw::{Batch, GrowingError, GrowingSegment, Rest, SegmentFile, chain};
use crate::checkpoint::Fingerprint;
use crate::commitlog::{Index, Position, SegmentName};
use crate::envelope::Visibility;
use crate::failpoint;

/// A segment that grows, and how far it was read.
#[derive(Debug)]
pub(super) struct Growing {
    segment: GrowingSegment,
    label: String,
    fingerprint: Option<Fingerprint>,
    /// From where on nothing was read before.
    from: Position,
    /// Whether something was met of which nobody can say whose it is.
    has_unreadable: bool,
}

/// How a look at a growing segment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// Whether something was given out.
    pub(super) has_news: bool,
    pub(super) rest: Rest,
}

impl Growing {
    /// Opens a segment to be read from `from` on; `None` while nothing is in it.
    pub(super) fn open(
        reading: &Reading<'_>,
        file: &SegmentFile,
        from: Position,
    ) -> Result<Option<Self>, GrowingError> {
        let _held = reading.directory.hold_moves();
        let path = reading.directory.segment(file.name);
        let key = |alias: &str| reading.keys.key(alias);
        let Some(segment) = GrowingSegment::open(&path, file.name, from, &key)? else { return Ok(None) };
        Ok(Some(Self {
            segment,
            label: file.name.to_string(),
            fingerprint: None,
            from,
            has_unreadable: false,
        }))
    }

    /// Whether it is still the file with the name.
    pub(super) fn is(&self, file: &SegmentFile) -> bool {
        self.segment.id() == file.id
    }

    /// Whether all that Cassandra ever wrote into it was read here from its start, as its index says, and made sense.
    pub(super) fn is_read_up_to(&self, file: &SegmentFile) -> bool {
        self.from == start_of(file.name.id)
            && !self.has_unreadable
            && file.index.is_completed()
            && file.index.is_reached_by(self.segment.logical_end(), file.length)
    }

    /// Whether bytes stand behind what was read.
    pub(super) fn has_more(&self) -> bool {
        self.segment.has_more().unwrap_or(true)
    }

    /// The place behind what was read.
    pub(super) fn next(&self) -> Position {
        self.segment.next()
    }

    /// Whether its sections are compressed or encrypted.
    pub(super) fn is_stored(&self) -> bool {
        self.segment.head().descriptor().is_stored()
    }

    /// What tells it from another segment with its id, once its first section is whole.
    pub(super) fn fingerprint(&mut self, reading: &Reading<'_>) -> Option<Fingerprint> {
        if self.fingerprint.is_none() {
            let name = self.segment.name();
            let _held = reading.directory.hold_moves();
            let file = File::open(reading.directory.segment(name));
            self.fingerprint = file.and_then(|file| chain::fingerprint(&file, name)).ok().flatten();
        }
        self.fingerprint
    }

    /// Publishes what is new.
    pub(super) fn look(
        &mut self,
        visibility: Visibility,
        index: Index,
        schema: &mut SchemaAt,
        worker: &Worker<'_>,
        (writer, beyond): (&mut Writer<'_>, &mut Beyond),
        reading: &Reading<'_>,
    ) -> Result<Result<Looked, GrowingError>, Failure> {
        let is_stored = self.is_stored();
        let batch = match self.segment.poll(visibility, index) {
            Ok(batch) => batch,
            Err(error) => return Ok(Err(error)),
        };
        let looked = Looked { has_news: !batch.is_empty(), rest: batch.rest };
        let next = batch.next;
        beyond.marked(next);
        if batch.is_empty() {
            return Ok(Ok(looked));
        }
        failpoint::cross("growing_polled");
        let mut report = Report::default();
        let (epochs, is_readable) = follow(&batch, (&self.label, self.from, next), schema, &mut report);
        self.has_unreadable |= !is_readable;
        // Before what stands behind the creations.
        writer.begins(&std::mem::take(&mut report.begun))?;
        let none = BTreeSet::new();
        let origin = Origin {
            id: next.segment,
            label: &self.label,
            is_stored,
            from: self.from,
            retried: &none,
            late: false,
            epochs: &epochs,
        };
        let mut outlet = Noting { writer: &mut *writer, beyond, from: next.marker };
        let mut work = worker.begin(origin, &mut outlet);
        let mut bytes = 0;
        for (run, frames) in batch.runs() {
            bytes += run.length() as u64;
            work.stretch(Stretch {
                marker: run.marker,
                logical_start: run.logical_start,
                offset: run.offset,
                frames,
                visibility: |_| run.visibility,
            })?;
        }
        report.add(work.end(bytes)?);
        failpoint::cross("growing_sent");
        let fingerprint = self.fingerprint(reading);
        // The writer commits when a batch is full.
        beyond.keep();
        writer.end_unit(report, After::Continue(next), fingerprint)?;
        schema.committed(writer.committed());
        failpoint::cross("growing_advanced");
        Ok(Ok(looked))
    }
}

/// Follows the schema through a batch: the schemas that hold in it, by place, and whether all its mutations are readable.
/// Notes tables that were created or truncated in this segment, `label`; nothing was read from `from` on.
fn follow(
    batch: &Batch<'_>,
    (label, from, next): (&str, Position, Position),
    schema: &mut SchemaAt,
    report: &mut Report,
) -> (Vec<Arc<Epoch>>, bool) {
    let mut epochs = vec![Arc::clone(schema.epoch())];
    let mut is_readable = true;
    for (run, frames) in batch.runs() {
        for frame in frames {
            let Some(change) = SystemChange::of(frame.payload) else {
                is_readable &= readable(frame.payload).is_some();
                continue;
            };
            let position = Position { marker: run.marker, entry: frame.entry, row: 0, ..next };
            if change == SystemChange::Local {
                if position >= from {
                    let truncated = truncated(frame.payload, schema.epoch());
                    report.truncated.extend(truncated.into_iter().map(|what| (position, what)));
                }
                continue;
            }
            let applied = schema.apply(position, frame.payload);
            for change in &applied.changes {
                log::info(&format!("schema, in the log at {position}: {change}"));
            }
            if position >= from {
                report.begun.extend(begun(&applied.created, (position, label), schema.epoch(), now_ms()));
            }
            let changes = applied.changes.into_iter().map(|change| (position, change));
            report.schema_changes.extend(changes);
            if applied.is_changed {
                epochs.push(Arc::clone(schema.epoch()));
            }
        }
    }
    (epochs, is_readable)
}

/// An error of a growing segment that ends the agent; `None` of one that a later look may not find any more, or that
/// the reader of final segments judges.
pub(super) fn fatal(error: &GrowingError, name: SegmentName) -> Option<Failure> {
    match error {
        GrowingError::Head { source, .. } => {
            let failure = Failure::new(Exit::Unreadable, format!("{name} cannot be read: {source}"));
            Some(match crate::agent::keys::advice(source) {
                Some(advice) => failure.next(advice),
                None => {
                    failure.next("cdc-agent verify says more; if what it holds may be lost: cdc-agent checkpoint accept-loss --segment ID")
                }
            })
        }
        _ => None,
    }
}
