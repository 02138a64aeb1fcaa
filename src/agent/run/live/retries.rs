//! Newer schemas, and the parked mutations that they are tried with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::Live;
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::worker::Worker;
use crate::agent::run::reached;
use crate::agent::run::schema::News;
use crate::agent::run::still::{self, Task};
use crate::commitlog::{Position, SegmentId};
use crate::failpoint;

/// Why nothing is read although something is there.
const FULL_OF_PARKED: &str =
    "nothing more is read: so many mutations are parked that the checkpoint has no room for more";
const NOT_FULL: &str = "let the agent reach the node's CQL port, or give a schema that decodes them; cdc-agent parked list \
                        and skip: docs/operations.md";

impl Live<'_> {
    /// Goes on with requests for the schema, and tries parked mutations again when one came that may help.
    pub(super) fn tend_schema(&mut self, now: Instant) -> Result<(), Failure> {
        let parked = self.writer.checkpoint().parked_count();
        if parked > self.parked {
            self.last_parked = Some(now);
            self.is_newest_tried = false;
        }
        self.parked = parked;
        let reached = reached::front(self.writer.checkpoint());
        let news = self.parts.schema.tend(now, self.read_since, reached);
        if self.parts.schema.is_cdc_switched() {
            self.note_node_cdc()?;
        }
        match news {
            News::Fetched { began, is_other } => {
                self.tell_schema();
                // What is asked for in this turn is asked for behind what was parked in it.
                let is_young = self.last_parked.is_none_or(|parked| began >= parked);
                self.is_newest_tried |= is_young;
                let is_first = is_young && self.last_parked.take().is_some();
                let worker = if is_young { self.parts.retrier } else { self.parts.worker };
                if is_first || is_other { self.retry(worker) } else { Ok(()) }
            }
            News::None if std::mem::take(&mut self.retries) => self.retry(self.parts.worker),
            News::None => Ok(()),
        }
    }

    /// Whether reading is to stop here: a newer schema comes, without which all that follows may be parked as well, or no
    /// more can be parked.
    pub(super) fn is_short_of_schema(&self) -> bool {
        self.parts.schema.is_awaited() || self.writer.is_full_of_parked()
    }

    /// Says that no more can be parked, and that it can again, once each. What is wrong, in words.
    pub(super) fn tell_full_of_parked(&mut self) -> Option<&'static str> {
        let is_full = self.writer.is_full_of_parked();
        if std::mem::replace(&mut self.is_full_of_parked, is_full) != is_full {
            match is_full {
                true => log::error(&format!("{FULL_OF_PARKED}; {NOT_FULL}")),
                false => log::info("reading goes on: fewer mutations are parked"),
            }
        }
        is_full.then_some(FULL_OF_PARKED)
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
            let mut schema = self.parts.schema.at_start_of(id);
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
