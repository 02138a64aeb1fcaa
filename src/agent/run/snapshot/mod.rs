//! Snapshots: the rows that a table has, published as `r` events beside its changes.
//!
//! How far each is stands in the checkpoint, so that it is committed with its records. A page is published once the log
//! is, up to the time at which the page was read: a change that stands in the topic before a row was seen by the read,
//! or is told apart by its write time.

mod asked;
mod pages;
mod plan;
mod state;

use std::time::Instant;

use serde_json::json;

pub(super) use asked::Begin;
pub(super) use state::State;

use super::later::Newest;
use super::notices::Notices;
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::batch::Batch;
use crate::agent::pipeline::records::{full_name, tag};
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::unit::After;
use crate::agent::pipeline::worker::now_ms;
use crate::agent::pipeline::writer::Writer;
use crate::checkpoint::TableSnapshot;
use crate::commitlog::SegmentId;
use crate::envelope::{EncodeError, Encoder, EncoderConfig, Place, Visibility};
use crate::failpoint;
use crate::schema::source::{CqlSettings, CqlSource, Pending, Ring};
use crate::snapshot::{PageError, for_each_read};
use pages::{Cursor, Held, Pages};
use plan::Plan;
use state::Ended;

/// Where rows of a snapshot stand: in no log.
const NOWHERE: Place<'static> = Place {
    segment: SegmentId(0),
    file: "",
    marker: 0,
    entry: 0,
    end: 0,
    visibility: Visibility::Marked,
    late: false,
};

/// What a turn of the loop gives.
pub(super) struct Around<'t, 'w> {
    pub(super) writer: &'t mut Writer<'w>,
    pub(super) notices: &'t Notices,
    pub(super) newest: &'t Newest,
    pub(super) config: &'t EncoderConfig,
    /// Everything that was logged before this time is published, in microseconds since 1970.
    pub(super) watermark_us: Option<i64>,
}

/// Reads the tables of the checkpoint's snapshots, one after the other.
#[derive(Debug)]
pub(super) struct Snapshots {
    settings: CqlSettings,
    /// Made when it is needed, and let go afterwards.
    source: Option<CqlSource>,
    reading: Option<Reading>,
    /// What came to an end since the agent runs, the newest last.
    ended: Vec<Ended>,
}

/// The table at hand.
#[derive(Debug)]
struct Reading {
    id: String,
    pages: Pages,
    ring: Option<Pending<Ring>>,
    plan: Option<Plan>,
}

/// Why the records of a page could not be made.
#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Record(#[from] EncodeError),
}

impl Snapshots {
    /// None of them is read before [`Self::tend`].
    pub(super) fn new(settings: CqlSettings) -> Self {
        Self { settings, source: None, reading: None, ended: Vec::new() }
    }

    /// Rows are asked for in this way from here on.
    pub(super) fn renew(&mut self, settings: CqlSettings) {
        *self = Self { ended: std::mem::take(&mut self.ended), ..Self::new(settings) };
    }

    /// The checkpoint may have gone back: what was read is read again from there.
    pub(super) fn rewind(&mut self) {
        self.reading = None;
    }

    /// Whether there is something to do soon.
    pub(super) fn is_busy(&self) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.pages.is_busy())
    }

    /// Goes on: takes what was read, publishes what is due, asks for more. Never waits.
    pub(super) fn tend(&mut self, around: &mut Around<'_, '_>, now: Instant) -> Result<(), Failure> {
        let Some(snapshot) = around.writer.checkpoint().snapshots().first().cloned() else {
            (self.reading, self.source) = (None, None);
            return Ok(());
        };
        if self.reading.as_ref().is_none_or(|reading| reading.id != snapshot.id) {
            let pages = Pages::new(Cursor::of(&snapshot));
            self.reading = Some(Reading { id: snapshot.id.clone(), pages, ring: None, plan: None });
        }
        if self.source.is_none() {
            match CqlSource::new(self.settings.clone()) {
                Ok(source) => self.source = Some(source),
                Err(error) => return self.end(around, &snapshot, "failed", Some(&error.to_string())),
            }
        }
        let (Some(source), Some(reading)) = (&self.source, &mut self.reading) else { return Ok(()) };
        if let Err(reason) = reading.go_on(source, &snapshot, around, now) {
            return self.end(around, &snapshot, "failed", Some(&reason));
        }
        if let Some(held) = reading.pages.take(around.watermark_us) {
            self.publish(&held, &snapshot, around, now)?;
        }
        let is_through =
            |reading: &Reading| reading.plan.as_ref().is_some_and(|plan| reading.pages.is_through(plan));
        match self.reading.as_ref().is_some_and(is_through) {
            true => self.end(around, &snapshot, "complete", None),
            false => Ok(()),
        }
    }

    /// Sends the records of a page, and notes how far the table is with it: both are committed together.
    fn publish(
        &mut self,
        held: &Held,
        snapshot: &TableSnapshot,
        around: &mut Around<'_, '_>,
        now: Instant,
    ) -> Result<(), Failure> {
        let mut partition = snapshot.partition;
        let (batch, report) = match records(held, around.config, &mut partition) {
            Ok(made) => made,
            Err(error) => {
                // The table may have changed since: its schema comes, and everything is asked for anew.
                let mut pages = Pages::new(Cursor::of(snapshot));
                pages.wait(error.to_string(), &snapshot.name(), now);
                let id = snapshot.id.clone();
                self.reading = Some(Reading { id, pages, ring: None, plan: None });
                return Ok(());
            }
        };
        around.writer.write(&batch)?;
        failpoint::cross("snapshot_sent");
        if let Some(stored) = around.writer.snapshots_mut().first_mut() {
            held.cursor.store(stored);
            stored.partition = partition;
            stored.rows = stored.rows.saturating_add(report.event_count());
        }
        around.writer.end_unit(report, After::Stay, None)
    }

    /// A snapshot, at hand or not, comes to an end: it leaves the checkpoint, and the control topic tells of it.
    fn end(
        &mut self,
        around: &mut Around<'_, '_>,
        snapshot: &TableSnapshot,
        outcome: &'static str,
        reason: Option<&str>,
    ) -> Result<(), Failure> {
        // With the rows of the last page.
        let snapshots = around.writer.snapshots_mut();
        let at = snapshots.iter().position(|other| other.id == snapshot.id);
        let snapshot = at.map_or_else(|| snapshot.clone(), |at| snapshots.remove(at));
        let name = snapshot.name();
        let ended_ms = now_ms();
        let what = json!({
            "keyspace": snapshot.keyspace,
            "table": snapshot.table,
            "outcome": outcome,
            "reason": reason,
            "rows": snapshot.rows,
            "begun_ms": snapshot.begun_ms,
        });
        around.notices.control(around.writer, "snapshot_end", what, ended_ms)?;
        match reason {
            Some(reason) => log::error(&format!("the snapshot of {name} ended ({outcome}): {reason}")),
            None => log::info(&format!("the snapshot of {name} ended ({outcome}): {} rows", snapshot.rows)),
        }
        if self.reading.as_ref().is_some_and(|reading| reading.id == snapshot.id) {
            self.reading = None;
        }
        self.ended.push(Ended { snapshot, outcome, reason: reason.map(str::to_owned), ended_ms });
        state::shorten(&mut self.ended);
        Ok(())
    }
}

impl Reading {
    /// Finds out what to read, and reads.
    ///
    /// # Errors
    /// Why the snapshot cannot go on, ever.
    fn go_on(
        &mut self,
        source: &CqlSource,
        snapshot: &TableSnapshot,
        around: &Around<'_, '_>,
        now: Instant,
    ) -> Result<(), String> {
        if let Some(plan) = &self.plan {
            if !self.pages.tend(source, plan, snapshot, now) {
                self.plan = None;
            }
            return Ok(());
        }
        match self.ring.take() {
            None if self.pages.is_time(now) => {
                self.ring = Some(source.start_ring());
            }
            None => {}
            Some(pending) => match pending.poll() {
                None => self.ring = Some(pending),
                Some(Err(error)) => self.pages.failed(&error, &snapshot.name(), now),
                Some(Ok(ring)) => {
                    let epoch = around.newest.get();
                    let filter = around.notices.filter();
                    self.plan = Some(Plan::new(snapshot, &ring, &epoch.schema, filter)?);
                }
            },
        }
        Ok(())
    }
}

/// The records of a page, and what is counted of them.
fn records(
    held: &Held,
    config: &EncoderConfig,
    partition: &mut Option<u64>,
) -> Result<(Batch, Report), Unmade> {
    let (mut batch, mut report) = (Batch::default(), Report::default());
    let mut encoder = Encoder::new(config);
    let now_ms = now_ms();
    for_each_read::<Unmade>(&held.page, &held.select, partition, held.read_s, |event| {
        let table = event.update.table;
        let counted = (table.id, event.operation);
        report.count(counted, || full_name(table), 1);
        encoder.encode::<Unmade>(&event, NOWHERE, now_ms, |record| {
            report.records += 1;
            report.record_bytes += record.bytes();
            batch.push(record, tag(table.id, event.update.partition_key), counted);
            Ok(())
        })
    })?;
    Ok((batch, report))
}
