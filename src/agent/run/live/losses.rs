//! Segments that are missing, and records that the node forgot: told of in the log, the control topic and the ledger.

use std::path::Path;

use serde_json::json;

use super::Live;
use crate::agent::exit::{Exit, Failure};
use crate::agent::log::{self, Level};
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::unit::After;
use crate::agent::pipeline::walk::start_of;
use crate::agent::pipeline::worker::now_ms;
use crate::agent::run::beyond::Forgotten;
use crate::agent::run::gap;
use crate::cdc_raw::Standing;
use crate::commitlog::SegmentId;
use crate::telemetry::LedgerKind;

/// What to do about a loss, and about what may be one.
const GET_BACK: &str =
    "its changes stand in other replicas' topics and in the table: docs/operations.md 10, 15 (snapshot)";
const LOOK: &str = "that can be nothing: docs/operations.md 10";
const ACCEPT: &str = "what is parked in it keeps the watermark where it is until the segment is back, or its loss is \
                      accepted (agent stopped): cdc-agent checkpoint accept-loss --segment ID";
/// Of an empty directory.
const NO_SEGMENT: &str =
    "no segment is in cdc_raw, and this one was not read to its end: its rest is lost unless it comes back";
/// The same of a segment that was read to its end.
const NO_SEGMENT_PARKED: &str =
    "no segment is in cdc_raw, and mutations are parked in this one: they are lost unless it comes back";
const STRANGER: &str =
    "another segment with this id was read to its end before: nothing of the one that is there is published";
const MOUNT: &str = "mount the volume if it is not";

impl Live<'_> {
    /// Tells of segments that are missing.
    pub(super) fn note_gaps(&mut self) -> Result<(), Failure> {
        self.note_vanished()?;
        let parts = &mut self.parts;
        for gap in parts.gaps.news(&parts.found.scan, &parts.found.lives, self.writer.checkpoint()) {
            if let Some(what) = gap.what {
                let next = match (gap.parked, gap.level) {
                    (true, _) => ACCEPT,
                    (_, Level::Info) => LOOK,
                    _ => GET_BACK,
                };
                log::log(gap.level, &format!("segments are missing: {what}; {next}"));
                self.parts.telling.gap(&what);
                self.parts.notices.control(&mut self.writer, "gap", what, now_ms())?;
            }
            if let Some(id) = gap.closed {
                self.close(id)?;
            }
        }
        Ok(())
    }

    /// No segment is left, and these were not read to their end. They stay open: an empty directory can be one that is
    /// not mounted. They are closed when there are others and not them.
    pub(super) fn miss(&mut self, missing: &[SegmentId]) -> Result<(), Failure> {
        for id in missing {
            let checkpoint = self.writer.checkpoint();
            let is_done = checkpoint.done_as(*id).is_some();
            let evidence = if is_done { NO_SEGMENT_PARKED } else { NO_SEGMENT };
            let what = gap::missing((*id, *id), checkpoint, evidence, false);
            log::error(&format!("segments are missing: {what}; {MOUNT}, else {GET_BACK}"));
            self.parts.telling.gap(&what);
            self.parts.notices.control(&mut self.writer, "gap", what, now_ms())?;
        }
        Ok(())
    }

    /// Compares a segment that is done with what was read under its id, and tells when it is another one. Whether there was
    /// one left to compare.
    pub(super) fn note_stranger(&mut self) -> Result<bool, Failure> {
        let Self { parts, writer, .. } = self;
        let there = (&parts.found.scan, parts.found.lives.standings.as_slice());
        let next = parts.recognised.compare_next(there, writer.checkpoint(), &parts.reading);
        let Some((file, is_stranger)) = next else { return Ok(false) };
        if is_stranger {
            let (name, id) = (file.name, file.name.id);
            let what = gap::missing((id, id), writer.checkpoint(), STRANGER, true);
            log::error(&format!(
                "{name} is not the segment that was read before: {what}; move it away, or have it read (agent stopped): \
                 cdc-agent checkpoint rewind --to {id}:0:0"
            ));
            parts.telling.gap(&what);
            parts.notices.control(writer, "gap", what, now_ms())?;
        }
        Ok(true)
    }

    /// The node was restarted with CDC off, or on again: what it writes in between is in no segment.
    pub(super) fn note_node_cdc(&mut self) -> Result<(), Failure> {
        let (evidence, next) = match self.parts.schema.is_cdc_off() {
            true => ("the node runs with cdc_enabled: false: what it writes is in no segment", NODE_CDC_OFF),
            false => {
                ("until now the node ran with cdc_enabled: false: what it wrote is in no segment", GET_BACK)
            }
        };
        let what =
            json!({"first": null, "last": null, "read_to": null, "is_loss": true, "evidence": evidence});
        log::error(&format!("changes are missing: {what}; {next}"));
        self.parts.telling.gap(&what);
        self.parts.notices.control(&mut self.writer, "gap", what, now_ms())
    }

    /// Nothing more can be read of a segment that was read in part.
    pub(super) fn close(&mut self, id: SegmentId) -> Result<(), Failure> {
        match self.writer.checkpoint().known_as(id) {
            Some(fingerprint) if self.writer.checkpoint().done_as(id).is_none() => {
                self.writer.end_unit(Report::default(), After::Finish(id, fingerprint), Some(fingerprint))
            }
            _ => Ok(()),
        }
    }

    /// What was published of a segment beyond its last marker and forgotten by a crash of the node is told of.
    pub(super) fn note_forgotten(&mut self, standing: &Standing) -> Result<(), Failure> {
        let file = &standing.file;
        if !standing.has_process_ended || !self.judged.insert(file.id) {
            return Ok(());
        }
        let Some(reached) = self.writer.checkpoint().open_at(file.name.id) else { return Ok(()) };
        let Some(end) = self.parts.reading.chain_end(file) else { return Ok(()) };
        let Some(forgotten) = self.parts.beyond.forgotten(file.name.id, end, reached) else { return Ok(()) };
        self.tell_forgotten(&forgotten)
    }

    /// The same of segments that the node has removed since: nothing in them was marked.
    pub(super) fn note_vanished(&mut self) -> Result<(), Failure> {
        let mut gone = self.parts.beyond.segments();
        for file in &self.parts.found.scan.segments {
            gone.remove(&file.name.id);
        }
        for id in gone {
            let reached = self.writer.checkpoint().open_at(id).unwrap_or(start_of(id));
            if let Some(forgotten) = self.parts.beyond.forgotten(id, 0, reached) {
                self.tell_forgotten(&forgotten)?;
            }
        }
        Ok(())
    }

    pub(super) fn tell_forgotten(&mut self, forgotten: &Forgotten) -> Result<(), Failure> {
        log::error(&format!(
            "the node crashed and forgot what it had not marked, or not synced: {} published events, from {} up to {}, \
             are in no log of this node any more; compare with the other replicas",
            forgotten.events.map_or_else(|| "an unknown number of".to_owned(), |events| events.to_string()),
            forgotten.first,
            forgotten.reached,
        ));
        let place = forgotten.first.to_string();
        let reason = "the node crashed and forgot what it had not marked".to_owned();
        self.parts.telling.entry(LedgerKind::Forgotten, place, None, 0, reason);
        for entry in forgotten.entries() {
            self.parts.notices.control(&mut self.writer, "forgotten", entry, now_ms())?;
        }
        Ok(())
    }
}

/// What an agent waits for whose node puts nothing into `cdc_raw`.
pub(super) const NODE_CDC_OFF: &str = "the node runs with cdc_enabled: false, what it writes is in no segment; set it to \
                                       true in cassandra.yaml and restart the node";

/// The end of an agent that is to publish everything and finds nothing.
pub(super) fn emptied(path: &Path, missing: &[SegmentId]) -> Failure {
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let what = format!(
        "{} holds no segment, and these were not read to their end: {}",
        path.display(),
        missing.join(", ")
    );
    Failure::new(Exit::Unreadable, what)
        .next(format!("{MOUNT}; if they are gone for good: cdc-agent checkpoint accept-loss --segment ID"))
}
