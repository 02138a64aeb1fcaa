//! Commits, what is told of with them, and what can be given back to Cassandra behind them.

use super::Live;
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::run::ledger;
use crate::cdc_raw::Now;
use crate::failpoint;
use crate::telemetry::LedgerKind;

impl Live<'_> {
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        self.commit_counted().map(drop)
    }

    /// Commits, and says how many mutations were given up since the last commit.
    pub(super) fn commit_counted(&mut self) -> Result<u64, Failure> {
        if self.writer.has_news() {
            failpoint::cross("commit_begun");
            self.parts.beyond.keep();
            self.writer.commit()?;
            self.all_committed();
            failpoint::cross("commit_done");
        }
        Ok(self.tell_committed())
    }

    /// Nothing that was sent or noted is left to commit.
    fn all_committed(&mut self) {
        let Self { parts, writer, .. } = self;
        parts.beyond.committed();
        parts.schema.at.committed(writer.committed());
        if parts.found.problem.is_none() {
            parts.passed.committed(&parts.found.scan);
        }
    }

    /// Tells of what was committed since the last call, also of what the writer committed because a batch was full. How
    /// many mutations were given up.
    pub(super) fn tell_committed(&mut self) -> u64 {
        let Some((report, took)) = self.writer.take_committed() else { return 0 };
        ledger::say(&report);
        self.parts.telling.destination.committed();
        self.parts.telling.committed(&report, self.writer.checkpoint(), took);
        report.given_up.count
    }

    /// Deals with segments that are final and wholly committed.
    pub(super) fn take_finished(&mut self) {
        // What is not committed is not done.
        if self.writer.has_news() {
            return;
        }
        let Self { parts, writer, .. } = self;
        let (directory, checkpoint) = (parts.reading.directory, writer.checkpoint());
        parts.found.lives.standings.retain(|standing| !parts.finished.take(directory, standing, checkpoint));
        for stray in &parts.found.scan.stray_indexes {
            // One of a segment with something parked proves a loss until that is accepted.
            if checkpoint.is_complete(stray.name.id) {
                parts.finished.take_index(directory, stray.name);
            }
        }
        for name in parts.finished.take_resurrected() {
            let reason =
                "Cassandra linked it again after a crash; it was published, and is gone again".to_owned();
            parts.telling.entry(LedgerKind::Resurrected, name.to_string(), None, 0, reason);
        }
    }

    /// Remembers finished segments no longer that cannot come again.
    pub(super) fn forget_outdated(&mut self, now: Now) {
        let Self { parts, writer, .. } = self;
        let outdated = parts.remembered.outdated(now, &parts.found.scan, writer);
        if !outdated.is_empty() {
            log::info(&format!("{} finished segments are remembered no longer", outdated.len()));
            writer.forget_done(outdated);
        }
    }
}
