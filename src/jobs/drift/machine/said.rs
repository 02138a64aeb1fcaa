//! What is said: to the audit trail, and to the compacted topic of what holds.

use super::judge::{Found, status};
use super::{Machine, Output};
use crate::jobs::drift::memory::{Entry, RowId};
use crate::jobs::drift::verdict::{Status, Verdict};

impl Machine {
    pub(super) fn say(&mut self, row_id: &RowId, verdict: Verdict, outputs: &mut Vec<Output>) {
        self.state.counts.add(verdict.status);
        let verdict = Box::new(verdict);
        if verdict.status != Status::Match || self.options.write_matches {
            outputs.push(Output::Verdict(verdict.clone()));
        }
        let Some(row) = self.state.memory.row_mut(row_id) else { return };
        let is_over = matches!(verdict.status, Status::Match | Status::Resolved);
        let key = Some(row_id.1.clone());
        if !is_over {
            row.shown = verdict.version_us;
            outputs.push(Output::Current { key, verdict: Some(verdict) });
        } else if !row.is_open() {
            if row.shown.take().is_some() || verdict.status == Status::Resolved {
                outputs.push(Output::Current { key, verdict: None });
            }
        } else if verdict.status == Status::Resolved
            && (row.shown == verdict.version_us || row.shown.is_none())
        {
            self.show_another(row_id, verdict.decided_us, outputs);
        }
    }

    /// The verdict that stood for a row holds no more: the newest version of which one does stands for it from now on.
    fn show_another(&mut self, row_id: &RowId, decided_us: Option<i64>, outputs: &mut Vec<Output>) {
        let Some((_, row)) = self.state.memory.row(row_id) else { return };
        let now_us = decided_us.unwrap_or(i64::MIN);
        let open = row.entries.iter().rev().filter(|(_, entry)| entry.open.is_some());
        let found = open.into_iter().find_map(|(version_us, _)| {
            let (row, entry, found) = self.look(row_id, *version_us, (now_us, now_us))?;
            // One that holds no more is about to be said to be over.
            let status = status(&found, row, *version_us)?;
            Some(verdict(&row_id.1, *version_us, status, entry, &found, decided_us))
        });
        let Some(verdict) = found else { return };
        if let Some(row) = self.state.memory.row_mut(row_id) {
            row.shown = verdict.version_us;
        }
        outputs.push(Output::Current { key: Some(row_id.1.clone()), verdict: Some(Box::new(verdict)) });
    }
}

pub(super) fn verdict(
    key: &str,
    version_us: i64,
    status: Status,
    entry: &Entry,
    found: &Found,
    decided_us: Option<i64>,
) -> Verdict {
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
        decided_us,
        columns,
        reason: found.reason().cloned().filter(|_| status == Status::Incomparable),
    }
}
