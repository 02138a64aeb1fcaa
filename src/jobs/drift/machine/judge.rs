//! Deciding about versions whose time has come.

use std::collections::BTreeSet;

use super::said::verdict;
use super::{Machine, Output};
use crate::jobs::drift::event::{Both, Side, UNVERSIONED};
use crate::jobs::drift::memory::{Entry, Partition, Row, RowId, Waiting};
use crate::jobs::drift::options::Mode;
use crate::jobs::drift::row::Around;
use crate::jobs::drift::verdict::{Reason, Status};

/// What is found about the events of a version whose time has come.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What is lacking on each side, without an explanation.
    pub(super) lacking: Both<BTreeSet<String>>,
    /// What is lacking with one.
    pub(super) explained: BTreeSet<String>,
    /// Why nothing can be said of the events of each side.
    pub(super) reasons: Both<Option<Reason>>,
    /// What is lacking was written before a side's stream begins.
    pub(super) before_start: bool,
    /// Numbers of the events that the other side holds, or of which nothing can be said.
    done: Vec<usize>,
    /// Some are not due.
    is_waiting: bool,
    /// When something expires that is lacking.
    next_us: Option<i64>,
}

impl Found {
    /// Why nothing can be said, of what onprem told before of what cloud told: which of them came first is chance.
    pub(super) fn reason(&self) -> Option<&Reason> {
        Side::BOTH.into_iter().find_map(|side| self.reasons.of(side).as_ref())
    }

    /// Nothing can be said of what is lacking; for this reason, where there is no other.
    pub(super) fn explain(&mut self, why: Reason) {
        let Both { onprem, cloud } = std::mem::take(&mut self.lacking);
        self.explained.extend(onprem.into_iter().chain(cloud));
        if self.reason().is_none() {
            self.reasons.onprem = Some(why);
        }
    }
}

impl Machine {
    /// Decides what is due at this time, and looks again at what may have changed.
    pub(super) fn decide(&mut self, now_us: i64, outputs: &mut Vec<Output>) {
        let mut versions = BTreeSet::new();
        while let Some((due_us, ..)) = self.state.due.first()
            && *due_us <= now_us
        {
            if let Some((_, row_id, version_us)) = self.state.due.pop_first() {
                versions.insert((row_id, version_us));
            }
        }
        for row_id in std::mem::take(&mut self.state.dirty) {
            let row = self.state.memory.row(&row_id).map(|(_, row)| row);
            let open = row.into_iter().flat_map(|row| &row.entries).filter(|(_, entry)| entry.open.is_some());
            versions.extend(open.map(|(version_us, _)| (row_id.clone(), *version_us)));
        }
        for (row_id, version_us) in versions {
            self.judge(&row_id, version_us, now_us, outputs);
        }
    }

    fn judge(&mut self, row_id: &RowId, version_us: i64, now_us: i64, outputs: &mut Vec<Output>) {
        let Some((row, entry, found)) = self.look(row_id, version_us, (now_us, now_us)) else { return };
        let status = status(&found, row, version_us);
        let (before, is_waiting) = (entry.open, found.is_waiting);
        let said = match status {
            // What is not due may still change it: nothing is said twice.
            None if is_waiting => None,
            None if before.is_some() => Some(Status::Resolved),
            None if found.before_start => None,
            None => Some(Status::Match),
            Some(status) => Some(status).filter(|status| before != Some(*status)),
        };
        let verdict = said.map(|said| verdict(&row_id.1, version_us, said, entry, &found, Some(now_us)));
        if found.before_start {
            self.state.counts.before_start += 1;
        }
        if let Some(next_us) = found.next_us {
            self.state.due.insert((next_us, row_id.clone(), version_us));
        }
        self.settle(row_id, version_us, status, &found);
        if let Some(verdict) = verdict {
            self.say(row_id, verdict, outputs);
        }
    }

    /// Looks at the events that are due by then, or were when this version was last looked at; `now_us` decides what has
    /// expired.
    pub(super) fn look(
        &self,
        row_id: &RowId,
        version_us: i64,
        (due_to_us, now_us): (i64, i64),
    ) -> Option<(&Row, &Entry, Found)> {
        let (partition, row) = self.state.memory.row(row_id)?;
        let entry: &Entry = row.entries.get(&version_us)?;
        let mut found = Found::default();
        for (number, event) in entry.events.iter().enumerate() {
            if event.due_us > due_to_us {
                found.is_waiting = true;
                continue;
            }
            let lacking = self.lacking((&row_id.0, partition), row, event, now_us);
            if lacking.is_empty() {
                found.done.push(number);
                continue;
            }
            let side = event.side.other();
            if self.is_before_start(side, event) {
                found.before_start = true;
                found.done.push(number);
                continue;
            }
            let expiring = event.content.cells.iter().filter_map(|(_, cell)| cell.expires_us());
            let next_us = expiring.filter(|expires_us| *expires_us > now_us).min();
            found.next_us = found.next_us.into_iter().chain(next_us).min();
            match self.explained(row_id, (row, entry), event) {
                Some(reason) => {
                    found.explained.extend(lacking);
                    found.reasons.of_mut(event.side).get_or_insert(reason);
                }
                None => found.lacking.of_mut(side).extend(lacking),
            }
        }
        Some((row, entry, found))
    }

    /// The columns of an event that the other side lacks.
    fn lacking(
        &self,
        (partition_key, partition): (&str, &Partition),
        row: &Row,
        event: &Waiting,
        now_us: i64,
    ) -> BTreeSet<String> {
        let side = event.side.other();
        let is_same_write = self.options.mode == Mode::EventId || event.content.opaque_us.is_some();
        if is_same_write && self.state.event_ids.is_known((partition_key, &event.event_id), side) {
            return BTreeSet::new();
        }
        let around = Around {
            ranges: partition.ranges.of(side),
            clustering: row.clustering.as_ref(),
            orders: &self.options.clustering,
            now_us,
            tolerance_us: self.options.tolerance_us,
        };
        let held = row.sides.of(side);
        let mut lacking = held.lacks(&event.content, &around);
        let is_hidden = |ts_us| match ts_us {
            // When it came its own side had told of no whole row: one that did since has taken its place.
            UNVERSIONED => row.sides.of(event.side).is_whole(),
            ts_us => held.hides(ts_us, &around),
        };
        if event.content.opaque_us.is_some_and(|ts_us| !is_hidden(ts_us)) {
            lacking.insert("(row)".to_owned());
        }
        lacking
    }

    fn is_before_start(&self, side: Side, event: &Waiting) -> bool {
        let clock = self.state.clocks.of(side);
        // What was logged before the table was there is of an older one of that name, which that side may have had, too.
        let is_older = |created_us: i64| event.due_us < created_us.saturating_add(self.options.grace_us);
        clock.began_us().is_some_and(|began_us| began_us >= event.window.from_us)
            || clock.created_us().is_some_and(is_older)
    }

    /// Why it cannot be known whether the other side should hold an event.
    fn explained(&self, row_id: &RowId, (row, entry): (&Row, &Entry), event: &Waiting) -> Option<Reason> {
        let side = event.side.other();
        let hash_def = |side| entry.told.of(side).as_ref().and_then(|told| told.hash_def.as_ref());
        if let (Some(one), Some(two)) = (hash_def(Side::Onprem), hash_def(Side::Cloud))
            && one != two
        {
            return Some(Reason::HashDefinition);
        }
        let gaps = |side| self.state.gaps.of(side);
        let missed = gaps(side).touching(event.window, row_id).map(|gap| (side, gap));
        let untrue = || gaps(event.side).forgetting(event.window, row_id).map(|gap| (event.side, gap));
        if let Some((side, gap)) = missed.or_else(untrue) {
            return Some(Reason::Gap(side, gap.clone()));
        }
        let from_us = event.window.from_us;
        if self.state.memory.forgotten_to_us >= Some(from_us) && row.since_us > from_us {
            return Some(Reason::Forgotten);
        }
        let newest = row.versions.of(side).iter().max().copied();
        let is_partial = |ts_us| ts_us == UNVERSIONED || newest >= Some(ts_us);
        event.content.opaque_us.is_some_and(is_partial).then_some(Reason::Partial)
    }

    /// Takes what was found into the row.
    fn settle(&mut self, row_id: &RowId, version_us: i64, status: Option<Status>, found: &Found) {
        let Some(row) = self.state.memory.row_mut(row_id) else { return };
        let Some(entry) = row.entries.get_mut(&version_us) else { return };
        let (mut number, before) = (0, entry.events.len());
        entry.events.retain(|_| {
            number += 1;
            !found.done.contains(&(number - 1))
        });
        self.state.waiting = self.state.waiting.saturating_sub(before - entry.events.len());
        if status.is_some() {
            entry.open = status;
        } else if !found.is_waiting {
            self.state.remove_entry(row_id, version_us);
        }
    }
}

/// What is to be said of what was found; None when nothing is lacking.
pub(super) fn status(found: &Found, row: &Row, version_us: i64) -> Option<Status> {
    let lacks = |side: Side| !found.lacking.of(side).is_empty();
    let lacking = match (lacks(Side::Onprem), lacks(Side::Cloud)) {
        (true, true) => return Some(Status::Drift),
        (true, false) => Side::Onprem,
        (false, true) => Side::Cloud,
        (false, false) => return (!found.explained.is_empty()).then_some(Status::Incomparable),
    };
    let has_version = row.versions.of(lacking).contains(&version_us);
    Some(if has_version { Status::Drift } else { Status::missing(lacking) })
}
