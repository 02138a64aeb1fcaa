//! How much is remembered at most, whatever the watermarks do.

use super::said::verdict;
use super::{Machine, Output};
use crate::jobs::drift::event::Side;
use crate::jobs::drift::memory::RowId;
use crate::jobs::drift::verdict::{Reason, Status};

impl Machine {
    /// The side that is so far ahead of the other that it need not be read on: half of what may wait does, and what the
    /// other one tells next decides.
    #[must_use]
    pub fn ahead(&self) -> Option<Side> {
        if !self.is_crowded() {
            return None;
        }
        let is_ahead = |side: &Side| match (self.watermark_of(*side), self.watermark_of(side.other())) {
            (Some(own), Some(other)) => own.saturating_sub(other) > self.options.delay_us(),
            (own, None) => own.is_some(),
            (None, _) => false,
        };
        Side::BOTH.into_iter().find(is_ahead)
    }

    /// Whether half of what may wait does.
    pub(super) fn is_crowded(&self) -> bool {
        self.state.waiting > self.options.max_waiting / 2
    }

    /// Gives up what is too much, the oldest first.
    pub(super) fn bound(&mut self, outputs: &mut Vec<Output>) {
        while self.state.waiting > self.options.max_waiting
            && let Some((_, row_id, version_us)) = self.state.held.first().cloned()
        {
            self.give_up(&row_id, version_us, outputs);
        }
        while let Some(row_id) = self.state.memory.oldest_beyond(self.options.max_rows) {
            let row = self.state.memory.row(&row_id).map(|(_, row)| row);
            let versions: Vec<i64> = row.into_iter().flat_map(|row| row.entries.keys().copied()).collect();
            for version_us in versions {
                self.give_up(&row_id, version_us, outputs);
            }
            self.state.counts.forgotten.rows += 1;
            self.state.dirty.remove(&row_id);
            self.state.memory.forget_oldest();
        }
        self.forget_ids(i64::MIN);
    }

    /// Forgets event ids that are older, or too many.
    pub(super) fn forget_ids(&mut self, before_us: i64) {
        let count = &mut self.state.counts.forgotten;
        self.state.event_ids.forget(before_us, self.options.max_event_ids, count);
    }

    /// Ends the waiting for a version: what the other side has by now is a MATCH, and of the rest nothing can be said.
    fn give_up(&mut self, row_id: &RowId, version_us: i64, outputs: &mut Vec<Output>) {
        let now_us = self.state.watermark_us;
        let times = (i64::MAX, now_us.unwrap_or(i64::MIN));
        let Some((_, entry, mut found)) = self.look(row_id, version_us, times) else { return };
        found.explain(Reason::Full);
        let status = match (entry.open, found.explained.is_empty()) {
            // What was said of it goes on to hold, as far as anybody knows.
            (Some(_), _) => None,
            (None, false) => Some(Status::Incomparable),
            (None, true) if found.before_start => None,
            (None, true) => Some(Status::Match),
        };
        let said = status.map(|status| verdict(&row_id.1, version_us, status, entry, &found, now_us));
        let counts = &mut self.state.counts;
        counts.before_start += u64::from(found.before_start);
        counts.forgotten.undecided += u64::from(!found.explained.is_empty());
        self.remove(row_id, version_us);
        if let Some(verdict) = said {
            self.say(row_id, verdict, outputs);
        }
    }

    /// Takes an entry out, with the times at which it would have been looked at.
    fn remove(&mut self, row_id: &RowId, version_us: i64) {
        let Some(entry) = self.state.remove_entry(row_id, version_us) else { return };
        for event in entry.events {
            let expiring = event.content.cells.iter().filter_map(|(_, cell)| cell.expires_us());
            for at_us in expiring.chain([event.due_us]) {
                self.state.due.remove(&(at_us, row_id.clone(), version_us));
            }
        }
    }
}
