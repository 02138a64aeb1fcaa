//! Deciding about versions whose time has come.

use std::collections::BTreeSet;

use super::{Machine, Output};
use crate::jobs::drift::event::{Both, Side};
use crate::jobs::drift::memory::{Entry, Partition, Row, RowId, Waiting};
use crate::jobs::drift::options::Mode;
use crate::jobs::drift::row::Around;
use crate::jobs::drift::verdict::{Reason, Status, Verdict};

/// What is found about the events of a version whose time has come.
#[derive(Debug, Default)]
struct Found {
    /// What is lacking on each side, without an explanation.
    lacking: Both<BTreeSet<String>>,
    /// What is lacking with one.
    explained: BTreeSet<String>,
    reason: Option<Reason>,
    /// What is lacking was written before a side's stream begins.
    before_start: bool,
    /// Numbers of the events that the other side holds, or of which nothing can be said.
    done: Vec<usize>,
    /// Some are not due.
    is_waiting: bool,
    /// When something expires that is lacking.
    next_us: Option<i64>,
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
        let Some((partition, row)) = self.state.memory.row(row_id) else { return };
        let Some(entry) = row.entries.get(&version_us) else { return };
        let found = self.look(partition, row, entry, now_us);
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
        let verdict = said.map(|said| verdict(&row_id.1, version_us, said, entry, &found, now_us));
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

    /// Looks at the events that are due, or were when this version was last looked at.
    fn look(&self, partition: &Partition, row: &Row, entry: &Entry, now_us: i64) -> Found {
        let mut found = Found::default();
        for (number, event) in entry.events.iter().enumerate() {
            if event.due_us > now_us {
                found.is_waiting = true;
                continue;
            }
            let lacking = self.lacking(partition, row, event, now_us);
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
            match self.explained(side, row, entry, event) {
                Some(reason) => {
                    found.explained.extend(lacking);
                    found.reason.get_or_insert(reason);
                }
                None => found.lacking.of_mut(side).extend(lacking),
            }
        }
        found
    }

    /// The columns of an event that the other side lacks.
    fn lacking(&self, partition: &Partition, row: &Row, event: &Waiting, now_us: i64) -> BTreeSet<String> {
        let side = event.side.other();
        let is_same_write = self.options.mode == Mode::EventId || event.content.opaque_us.is_some();
        if is_same_write && self.state.event_ids.is_known(&event.event_id, side) {
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
        if event.content.opaque_us.is_some_and(|ts_us| !held.hides(ts_us, &around)) {
            lacking.insert("(row)".to_owned());
        }
        lacking
    }

    fn is_before_start(&self, side: Side, event: &Waiting) -> bool {
        self.state.clocks.of(side).began_us() >= Some(event.window.from_us)
    }

    /// Why it cannot be known whether `side` should hold an event.
    fn explained(&self, side: Side, row: &Row, entry: &Entry, event: &Waiting) -> Option<Reason> {
        let hash_def = |side| entry.told.of(side).as_ref().and_then(|told| told.hash_def.as_ref());
        if let (Some(one), Some(two)) = (hash_def(Side::Onprem), hash_def(Side::Cloud))
            && one != two
        {
            return Some(Reason::HashDefinition);
        }
        let gaps = |side| self.state.gaps.of(side);
        let missed = gaps(side).touching(event.window).map(|gap| (side, gap));
        let untrue = || gaps(event.side).forgetting(event.window).map(|gap| (event.side, gap));
        if let Some((side, gap)) = missed.or_else(untrue) {
            return Some(Reason::Gap(side, gap.host_id.clone(), gap.from_us, gap.to_us));
        }
        let from_us = event.window.from_us;
        if self.state.memory.forgotten_to_us >= Some(from_us) && row.since_us > from_us {
            return Some(Reason::Forgotten);
        }
        let newest = row.versions.of(side).iter().max().copied();
        let is_partial = event.content.opaque_us.is_some() && newest >= event.content.opaque_us;
        is_partial.then_some(Reason::Partial)
    }

    /// Takes what was found into the row.
    fn settle(&mut self, row_id: &RowId, version_us: i64, status: Option<Status>, found: &Found) {
        let Some(row) = self.state.memory.row_mut(row_id) else { return };
        let Some(entry) = row.entries.get_mut(&version_us) else { return };
        let mut number = 0;
        entry.events.retain(|_| {
            number += 1;
            !found.done.contains(&(number - 1))
        });
        if status.is_some() {
            entry.open = status;
        } else if !found.is_waiting {
            row.entries.remove(&version_us);
        }
    }

    fn say(&mut self, row_id: &RowId, verdict: Verdict, outputs: &mut Vec<Output>) {
        self.state.counts.add(verdict.status);
        let verdict = Box::new(verdict);
        if verdict.status == Status::Match {
            if self.options.write_matches {
                outputs.push(Output::Verdict(verdict));
            }
            return;
        }
        let is_resolved = verdict.status == Status::Resolved;
        let still_open = self.state.memory.row(row_id).is_some_and(|(_, row)| row.is_open());
        outputs.push(Output::Verdict(verdict.clone()));
        // A row with another version that is not resolved stays as it was last said to be.
        if !is_resolved || !still_open {
            let key = Some(row_id.1.clone());
            outputs.push(Output::Current { key, verdict: (!is_resolved).then_some(verdict) });
        }
    }
}

/// What is to be said of what was found; None when nothing is lacking.
fn status(found: &Found, row: &Row, version_us: i64) -> Option<Status> {
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

fn verdict(key: &str, version_us: i64, status: Status, entry: &Entry, found: &Found, now_us: i64) -> Verdict {
    let columns = match status {
        Status::Incomparable => found.explained.iter().cloned().collect(),
        _ => found.lacking.onprem.union(&found.lacking.cloud).cloned().collect(),
    };
    Verdict {
        key: Some(key.to_owned()),
        version_us: Some(version_us),
        status,
        told: entry.told.clone(),
        first_seen_us: entry.first_seen_us,
        decided_us: Some(now_us),
        columns,
        reason: found.reason.clone().filter(|_| status == Status::Incomparable),
    }
}
