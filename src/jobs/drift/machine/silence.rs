//! Nodes that are not heard: an alarm in place of verdicts.

use std::collections::BTreeSet;

use super::{Machine, Output};
use crate::jobs::drift::event::{Both, Side};
use crate::jobs::drift::verdict::{Reason, Status, Verdict};

impl Machine {
    /// Compares the watermark of each node with the newest one there is; tells when nodes fall silent, and when all are
    /// heard again.
    pub(super) fn listen(&mut self, outputs: &mut Vec<Output>) {
        let newest = Side::BOTH.iter().filter_map(|side| self.state.clocks.of(*side).newest_us()).max();
        let Some(newest_us) = newest else { return };
        let first_us = *self.state.first_heard_us.get_or_insert(newest_us);
        let silent = self.silent(newest_us, first_us);
        let names: BTreeSet<_> = silent.iter().map(|(side, host_id, _)| (*side, host_id.clone())).collect();
        if names == self.state.silent {
            return;
        }
        self.state.silent = names;
        let is_over = silent.is_empty();
        let verdict = Verdict {
            key: None,
            version_us: None,
            status: if is_over { Status::Resolved } else { Status::Unknown },
            told: Both::default(),
            first_seen_us: None,
            decided_us: self.state.watermark_us,
            columns: Vec::new(),
            reason: (!is_over).then_some(Reason::Silent(silent)),
        };
        self.state.counts.add(verdict.status);
        let verdict = Box::new(verdict);
        outputs.push(Output::Verdict(verdict.clone()));
        outputs.push(Output::Current { key: None, verdict: (!is_over).then_some(verdict) });
    }

    /// Nodes that are too far behind, with their watermarks.
    fn silent(&self, newest_us: i64, first_us: i64) -> Vec<(Side, String, Option<i64>)> {
        // When there is no room to wait, whoever holds the time back is told of at once.
        let waited_for = self.ahead().map(Side::other);
        let mut silent = Vec::new();
        for side in Side::BOTH {
            let options = self.options.sides.of(side);
            let holds_back = |wm_us| waited_for == Some(side) && wm_us == self.watermark_of(side);
            let mut is_heard = false;
            for heard in self.state.clocks.of(side).heard(options, newest_us, first_us) {
                is_heard = true;
                if heard.behind_us > self.options.silence_us || holds_back(heard.watermark_us) {
                    silent.push((side, heard.host_id.to_owned(), heard.watermark_us));
                }
            }
            let behind_us = newest_us.saturating_sub(first_us);
            if !is_heard && (behind_us > self.options.silence_us || waited_for == Some(side)) {
                silent.push((side, String::new(), None));
            }
        }
        silent
    }
}
