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
        let mut silent = Vec::new();
        for side in Side::BOTH {
            let nodes: Vec<_> = self.state.clocks.of(side).of_hosts(self.options.sides.of(side)).collect();
            let none = nodes.is_empty().then_some(("", None));
            for (host_id, wm_us) in nodes.into_iter().chain(none) {
                // Who was never heard is given as long as anybody else.
                let behind_us = newest_us.saturating_sub(wm_us.unwrap_or(first_us));
                if behind_us > self.options.silence_us {
                    silent.push((side, host_id.to_owned(), wm_us));
                }
            }
        }
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
}
