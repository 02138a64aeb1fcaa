//! Up to when everything is read: the watermark, and the heartbeats that tell of it.

use std::time::Instant;

use super::{Live, Pass};
use crate::agent::exit::Failure;
use crate::agent::run::watermark::Drained;
use crate::cdc_raw::Pace;

impl Live<'_> {
    /// How segments are written says how often to look, and how old their entries can be.
    pub(super) fn note_how_written(&mut self) {
        let now = self.parts.found.lives.come_with_syncs();
        if std::mem::replace(&mut self.comes_with_syncs, now) != now {
            let (asked, has_notifications) = (self.parts.asked, self.parts.watch.problem().is_none());
            self.pace = Pace::new(asked, now, has_notifications, Instant::now());
            self.watermark.written(now, self.parts.sync_period);
        }
    }

    /// What a pass says of the time up to which everything is read.
    pub(super) fn drained(&mut self, pass: &Pass, has_looked: bool) {
        // A node that runs has a segment there: without one the volume is not mounted, and nothing is known.
        let is_known = pass.is_drained
            && has_looked
            && !self.parts.found.scan.segments.is_empty()
            && !self.parts.schema.is_cdc_off();
        let Some(looked) = self.parts.found.looked.filter(|_| is_known) else { return };
        let is_parked = self.writer.checkpoint().parked().next().is_some();
        self.watermark.drained(Drained { wall: looked.wall, more_at: &pass.more_at }, is_parked);
        if let Some(us) = self.watermark.us().and_then(|us| u64::try_from(us).ok()) {
            self.parts.telling.telemetry.watermark(us);
        }
        // What was logged right before may have no marker yet, or not be synced.
        self.read_since = looked.instant.checked_sub(self.watermark.lag());
    }

    /// Writes heartbeats when they are due.
    pub(super) fn beat(&mut self) -> Result<(), Failure> {
        let epoch = self.parts.schema.newest().get();
        self.beats.beat(self.parts.notices, &mut self.writer, &epoch.schema, self.watermark.us())
    }
}
