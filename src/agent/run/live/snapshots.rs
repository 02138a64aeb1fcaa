//! The rows of snapshots, between two looks at the log.

use std::time::Instant;

use super::Live;
use crate::agent::exit::Failure;
use crate::agent::run::snapshot::{Around, Begin, Snapshots};
use crate::agent::socket::{Answer, Request};

impl Live<'_> {
    /// Goes on with snapshots: what was read of the log is sent already.
    pub(super) fn tend_snapshots(&mut self, now: Instant) -> Result<(), Failure> {
        self.with_snapshots(|snapshots, around| snapshots.tend(around, now)).unwrap_or(Ok(()))
    }

    /// Whether rows come.
    pub(super) fn reads_rows(&self) -> bool {
        self.parts.snapshots.as_ref().is_some_and(|snapshots| snapshots.is_busy())
    }

    /// Begins, stops, tells.
    pub(super) fn answer_snapshot(&mut self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.with_snapshots(|snapshots, around| match request {
            Request::SnapshotStart { tables, rate, consistency } => {
                let begin = Begin { tables, rate: *rate, consistency: *consistency };
                snapshots.begin(&begin, around)
            }
            Request::SnapshotStop { tables } => snapshots.stop(tables, around),
            _ => Ok(snapshots.tell(around)),
        });
        let Some(answer) = answer else {
            return Ok(Answer::refused(
                "the agent reads its schema from a file (--schema), and asks no node: it cannot read rows",
                "let it ask the node: take --schema away (docs/operations.md)",
            ));
        };
        let answer = answer?;
        self.commit()?;
        Ok(answer)
    }

    /// `None` when there can be none: no node is asked for its schema.
    fn with_snapshots<T>(&mut self, act: impl FnOnce(&mut Snapshots, &mut Around<'_, '_>) -> T) -> Option<T> {
        let watermark_us = self.watermark.us();
        let Self { parts, writer, .. } = self;
        let snapshots = parts.snapshots.as_deref_mut()?;
        let newest = parts.schema.newest();
        let around = &mut Around {
            writer,
            notices: parts.notices,
            newest: &newest,
            config: parts.worker.config,
            watermark_us,
        };
        Some(act(snapshots, around))
    }
}
