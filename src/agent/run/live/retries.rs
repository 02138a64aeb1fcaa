//! Newer schemas, and the parked mutations that they are tried with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::Live;
use crate::agent::exit::Failure;
use crate::agent::pipeline::worker::Worker;
use crate::agent::run::schema::News;
use crate::agent::run::still::{self, Task};
use crate::commitlog::{Position, SegmentId};
use crate::failpoint;

impl Live<'_> {
    /// Goes on with requests for the schema, and tries parked mutations again when one came.
    pub(super) fn tend_schema(&mut self, now: Instant) -> Result<(), Failure> {
        let parked = self.writer.checkpoint().parked_count();
        if parked > self.parked {
            self.last_parked = Some(now);
            self.is_newest_tried = false;
        }
        self.parked = parked;
        let news = self.parts.schema.tend(now, self.read_since);
        if self.parts.schema.is_cdc_switched() {
            self.note_node_cdc()?;
        }
        match news {
            News::Fetched(began) => {
                self.tell_schema();
                let is_young = self.last_parked.is_none_or(|parked| began > parked);
                self.is_newest_tried |= is_young;
                self.retry(if is_young { self.parts.retrier } else { self.parts.worker })
            }
            News::None if std::mem::take(&mut self.retries) => self.retry(self.parts.worker),
            News::None => Ok(()),
        }
    }

    pub(super) fn tell_schema(&self) {
        let (epoch, parts) = (self.parts.schema.newest().get(), &self.parts);
        parts.telling.schema(parts.notices.tables(&epoch.schema), parts.schema);
    }

    /// Tries parked mutations again.
    pub(super) fn retry(&mut self, worker: &Worker<'_>) -> Result<(), Failure> {
        let mut by_segment: BTreeMap<SegmentId, BTreeSet<Position>> = BTreeMap::new();
        for place in self.writer.checkpoint().parked() {
            by_segment.entry(place.segment).or_default().insert(place);
        }
        for (id, places) in by_segment {
            let standing =
                self.parts.found.lives.standings.iter().find(|standing| standing.file.name.id == id);
            // What is missing is told of as a gap.
            let Some(standing) = standing.cloned() else { continue };
            failpoint::cross("retry_begun");
            let mut schema = self.parts.schema.at.clone();
            let Self { parts, writer, .. } = self;
            let file = (&standing.file, standing.state.is_still());
            let stop = parts.stop;
            still::read(&parts.reading, file, Task::Retry(places), &mut schema, worker, writer, &mut |_| {
                Ok(!stop.is_asked())
            })?;
        }
        failpoint::cross("retry_done");
        self.parked = self.writer.checkpoint().parked_count();
        Ok(())
    }
}
